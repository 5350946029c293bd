/**
 * Lowers the step `protect`.
 *
 * @module
 */

import { isWithin, normalize } from "../../recipe/path.ts";
import { HOME_NAMES, PROTECTED_NAMES } from "../../recipe/protected_names.ts";
import type { ProtectStep } from "../../recipe/steps/protect.ts";
import type { PlanBuilder } from "../builder.ts";
import { scanNames } from "../scan_names.ts";
import { ShownDirectory } from "./shown_directory.ts";

/** Lowers `protect`. */
export function lowerProtect(step: ProtectStep, plan: PlanBuilder): void {
  plan.needs("mount", "they would become read-only on the host");
  const source = normalize(step.source);
  const { path: directory, type } = plan.resolveTrusted(source);
  // A file that is named itself is meant to be changed.
  if (type !== "directory" && plan.host.isHere) return;
  if (!plan.host.isHere) plan.refuse(NAMES_OF_TARGET);
  const { names = PROTECTED_NAMES, except = [] } = step;
  // Where a name is missing, the script makes a file.
  plan.recordBeforehand({ kind: "write", path: directory });
  const { found, missing } = scanNames(plan, {
    directory,
    asked: source,
    names,
    absent: names.filter((name) => !HOME_NAMES.includes(name)),
    start: plan.facts.resolve(plan.facts.workingDirectory()).path,
    home: homeOf(plan),
    uid: plan.state.caller.euid,
    // Links below the directory are not followed: a program may have made them.
    except: except.map(normalize).filter((path) => isWithin(path, source))
      .map((path) => directory + path.slice(source.length)),
  });
  const shown = new ShownDirectory(plan, directory, plan.path(step.target).canonical);
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
  }
  for (const name of missing) {
    if (!shown.has(name.path)) continue;
    plan.placeholders.push({ ...name, stepIndex: plan.cursor.index });
    shown.keep({ path: name.path, isLink: false });
  }
}

const NAMES_OF_TARGET =
  "which files have these names is known only where the box runs; leave it out " +
  "(sandbox({ protect: false }), ramekin build --sandbox --no-protect), or bind those that you know " +
  "with { readOnly: true }";

function homeOf(plan: PlanBuilder): string | undefined {
  const home = plan.host.homeDirectory();
  return home?.startsWith("/") === true ? plan.facts.resolve(home).path : undefined;
}
