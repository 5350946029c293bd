/**
 * Lowers the step `protect`.
 *
 * @module
 */

import type { FoundName } from "../../host/name_question.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import {
  HOME_NAMES,
  KEPT_BOXES,
  PRESENT_NAMES,
  PROTECTED_NAMES,
} from "../../recipe/protected_names.ts";
import type { ProtectStep } from "../../recipe/steps/protect.ts";
import type { PlanBuilder } from "../builder.ts";
import { scanNames } from "../scan_names.ts";
import { protectLate } from "./protect_late.ts";
import { ShownDirectory } from "./shown_directory.ts";

/** Lowers `protect`. */
export function lowerProtect(step: ProtectStep, plan: PlanBuilder): void {
  plan.needs("mount", "they would become read-only on the host");
  if (!plan.host.isHere) return protectLate(step, plan);
  const source = normalize(step.source);
  const { path: directory, type } = plan.resolveTrusted(source);
  // A file that is named itself is meant to be changed.
  if (type !== "directory") return;
  const { names = PROTECTED_NAMES } = step;
  // Links below the directory are not followed: a program may have made them.
  const except = (step.except ?? []).map(normalize).filter((path) => isWithin(path, source))
    .map((path) => directory + path.slice(source.length));
  const home = homeOf(plan);
  if (names.includes(KEPT_BOXES)) refuseBoxes(plan, home, [directory, ...except]);
  // Where a name is missing, the script makes a file.
  plan.recordBeforehand({ kind: "write", path: directory });
  const { found, missing } = scanNames(plan, {
    directory,
    asked: source,
    names,
    absent: names.filter((name) => !HOME_NAMES.includes(name) && !PRESENT_NAMES.includes(name)),
    present: names.filter((name) => PRESENT_NAMES.includes(name)),
    start: plan.facts.resolve(plan.facts.workingDirectory()).path,
    home,
    uid: plan.state.caller.euid,
    except,
  });
  const shown = new ShownDirectory(plan, directory, plan.path(step.target).canonical);
  const everywhere = new OtherPlaces(plan, shown, except);
  for (const file of found) {
    const { path, isShared } = file;
    if (path === directory) {
      plan.refuse(
        `${path} may not be read or written to by its owner, and a program could change that; ` +
          `run "chmod u+rwx ${path}" before`,
      );
    }
    if (!shown.has(path)) continue;
    if (isShared) {
      plan.refuse(
        `${path} has another name, a hard link, by which it could be changed; copy it to a file ` +
          "of its own, or leave its name out of what is protected",
      );
    }
    shown.keep(file);
    everywhere.keep(file);
  }
  for (const name of missing) {
    if (!shown.has(name.path) || shown.holdsChanges(name.path)) continue;
    plan.placeholders.push({ ...name, stepIndex: plan.cursor.index });
    const file = { path: name.path, isLink: false };
    shown.keep(file);
    everywhere.keep(file);
  }
}

/**
 * Refuses to have boxes changed that `ramekin` executes outside, which nobody means who names their
 * directory: to keep boxes, the command writes there, and no program in a sandbox.
 */
function refuseBoxes(plan: PlanBuilder, home: string | undefined, paths: readonly string[]): void {
  if (home === undefined) return;
  const boxes = plan.facts.resolve(KEPT_BOXES.replace("~", home)).path;
  const names = paths.flatMap((path) => [path, ...plan.facts.otherNames.wholeOf(path)]);
  if (!names.some((name) => isWithin(name, boxes))) return;
  plan.refuse(
    `${boxes} has boxes that ramekin executes outside of the sandbox, so no program may write ` +
      "there; leave it out, or protect nothing (protect: false, --no-protect)",
  );
}

/**
 * The other places at which the program finds what is protected: by mounts of the host, and by those of
 * the recipe that show the same directory.
 */
class OtherPlaces {
  readonly #plan: PlanBuilder;
  readonly #except: readonly string[];
  /** What is shown of the host and can be changed. */
  readonly #changeable: readonly { readonly origin: string; readonly target: string }[];
  /** The directories of the host that are shown, by their paths in the container. */
  readonly #shown: Map<string, ShownDirectory>;

  constructor(plan: PlanBuilder, shown: ShownDirectory, except: readonly string[]) {
    this.#plan = plan;
    this.#shown = new Map([[shown.target, shown]]);
    this.#except = except;
    this.#changeable = plan.state.mounts.visible().flatMap(({ origin, target, readOnly }) =>
      origin === undefined || readOnly || !this.#isReached(target) ? [] : [{ origin, target }]
    );
  }

  /** Makes a file read-only there, but where a step names it, or what is in it, itself. */
  keep({ path, isLink }: Pick<FoundName, "path" | "isLink">): void {
    const others = this.#plan.facts.otherNames.of(path)
      .filter((other) => !this.#except.includes(other));
    const { mounts, unknownSource } = this.#plan.state;
    if (others.length > 0 && unknownSource !== undefined) {
      this.#refuse(path, others[0]!, unknownSource);
    }
    for (const { origin, target } of this.#changeable) {
      for (const other of [path, ...others]) {
        if (other === origin || !isWithin(other, origin)) continue;
        const shown = this.#at(origin, target);
        // Another mount of the recipe may be there.
        if (mounts.originOf(shown.targetOf(other)).origin !== other) continue;
        shown.keep({ path: other, isLink });
      }
    }
  }

  #isReached(target: string): boolean {
    const { nextRoot } = this.#plan.cursor;
    return nextRoot === undefined || isWithin(target, nextRoot);
  }

  #at(origin: string, target: string): ShownDirectory {
    let shown = this.#shown.get(target);
    if (shown === undefined) {
      this.#shown.set(target, shown = new ShownDirectory(this.#plan, origin, target));
    }
    return shown;
  }

  #refuse(path: string, other: string, unknown: string): never {
    return this.#plan.refuse(
      `${path} is at ${other} too, by a mount of the host, and which files of the host ${unknown} ` +
        "shows is not known from the steps before; name the directory of the host instead",
    );
  }
}

function homeOf(plan: PlanBuilder): string | undefined {
  const home = plan.facts.homeDirectory();
  return home?.startsWith("/") === true ? plan.facts.resolve(home).path : undefined;
}
