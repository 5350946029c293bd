/**
 * Lowers the step `protect`.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import { O_DIRECTORY, O_NOFOLLOW } from "../../ffi/calls/files.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import { HOME_NAMES, PROTECTED_NAMES } from "../../recipe/protected_names.ts";
import type { ProtectStep } from "../../recipe/steps/protect.ts";
import type { PlanBuilder } from "../builder.ts";
import { mountOnItself, openBelow, parentsOf } from "../pins.ts";

/** Lowers `protect`. */
export function lowerProtect(step: ProtectStep, plan: PlanBuilder): void {
  plan.needs("mount", "they would become read-only on the host");
  const source = normalize(step.source);
  const { path: directory, type } = plan.resolveTrusted(source);
  // A file that is named itself is meant to be changed.
  if (type !== "directory") return;
  const { names = PROTECTED_NAMES, except = [] } = step;
  const { found, missing } = plan.facts.scanNames({
    directory,
    names,
    absent: names.filter((name) => !HOME_NAMES.includes(name)),
    start: plan.facts.resolve(plan.facts.workingDirectory()).path,
    home: homeOf(plan),
    uid: plan.state.caller.euid,
    // Links below the directory are not followed: a program may have made them.
    except: except.map(normalize).filter((path) => isWithin(path, source))
      .map((path) => directory + path.slice(source.length)),
  });
  // Where a name is missing, the script makes a file.
  plan.access.record({ kind: "write", path: directory });
  const shown = new Shown(plan, directory, plan.path(step.target).canonical);
  for (const { path, isLink, isShared } of found) {
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
    shown.keep(path, isLink);
  }
  for (const name of missing) {
    if (!shown.has(name.path)) continue;
    plan.placeholders.push({ ...name, stepIndex: plan.cursor.index });
    shown.keep(name.path);
  }
}

function homeOf(plan: PlanBuilder): string | undefined {
  const home = plan.host.homeDirectory();
  return home?.startsWith("/") === true ? plan.facts.resolve(home).path : undefined;
}

/** A directory of the host, as the container shows it. */
class Shown {
  readonly #plan: PlanBuilder;
  readonly #source: string;
  readonly #target: string;
  readonly #pinned = new Set<string>();
  readonly #kept = new Set<string>();

  constructor(plan: PlanBuilder, source: string, target: string) {
    this.#plan = plan;
    this.#source = source;
    this.#target = target;
  }

  /** Whether the file is shown, and not covered by a filesystem of the recipe's. */
  has(source: string): boolean {
    return !this.#plan.state.mounts.isContainerMount(`${this.#root}/${this.#nameOf(source)}`);
  }

  /** Makes a file read-only, and pins the directories on the way to it. */
  keep(source: string, isLink = false): void {
    const path = this.#nameOf(source);
    const parents = parentsOf(path);
    // A directory that is read-only keeps all that is in it.
    if (this.#kept.has(path) || parents.some((parent) => this.#kept.has(parent))) return;
    for (const parent of parents) {
      if (this.#pinned.has(parent)) continue;
      this.#pinned.add(parent);
      mountOnItself(this.#plan, this.#open(parent, O_DIRECTORY), parent);
    }
    this.#kept.add(path);
    const opened = this.#open(path, isLink ? O_NOFOLLOW : 0);
    mountOnItself(this.#plan, opened, path, { readOnly: true });
    const target = `${this.#root}/${path}`;
    this.#plan.mounted({ target, type: "bind", source, readOnly: true });
  }

  /** Returns the path from the directory. */
  #nameOf(source: string): string {
    return source.slice(this.#source === "/" ? 1 : this.#source.length + 1);
  }

  get #root(): string {
    return this.#target === "/" ? "" : this.#target;
  }

  #open(path: string, flags: number): ResultOf {
    const gone = `${path} was there when the recipe was planned, and is not any more; run it again`;
    return openBelow(this.#plan, this.#plan.directories.at(this.#target), path, {
      flags,
      fixes: { ENOENT: gone },
    });
  }
}
