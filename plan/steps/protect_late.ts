/**
 * Lowers `protect` for a machine that is not known yet. Nothing can be looked for there, so the names
 * are protected directly in the directory, and what that does not hold is refused, or said by the
 * page of boxes.
 *
 * @module
 */

import { isWithin, normalize } from "../../recipe/path.ts";
import { KEPT_BOXES, PROTECTED_NAMES } from "../../recipe/protected_names.ts";
import type { ProtectStep } from "../../recipe/steps/protect.ts";
import type { PlanBuilder } from "../builder.ts";
import { touches } from "../mount_table.ts";
import { holdNames } from "./late_names.ts";
import { holdMissingNames } from "./late_placeholders.ts";
import { nameTree } from "./name_tree.ts";

/** Lowers `protect` for a box. */
export function protectLate(step: ProtectStep, plan: PlanBuilder): void {
  const source = normalize(step.source);
  const { names = PROTECTED_NAMES } = step;
  if (source === "/" || source === "/home") {
    plan.refuse(
      `whose home directories are in ${source} is known only where the box runs; name the ` +
        "directories that the program may write to",
    );
  }
  if (names.includes(KEPT_BOXES) && BOXES.test(source)) {
    plan.refuse(
      `${source} has boxes that ramekin executes outside of the sandbox, so no program may write ` +
        "there; leave it out, or protect nothing (protect: false, --no-protect)",
    );
  }
  refuseOthers(step, source, plan);
  const tree = nameTree(source, names, (step.except ?? []).map(normalize));
  plan.access.record({ kind: "write", path: source });
  holdMissingNames(plan, source, tree);
  holdNames(plan, { source, target: step.target, isChangeable: true }, tree);
}

/** Refuses a directory that the program could change by another path, or what is in or around it. */
function refuseOthers({ target }: ProtectStep, source: string, plan: PlanBuilder): void {
  const { nextRoot } = plan.cursor;
  for (const mount of plan.state.mounts.visible()) {
    const { origin, readOnly } = mount;
    if (origin === undefined || readOnly || !touches(origin, source)) continue;
    if (nextRoot !== undefined && !isWithin(mount.target, nextRoot)) continue;
    const isSame = isWithin(origin, source)
      ? mount.target === below(normalize(target), origin.slice(source.length))
      : below(mount.target, source.slice(origin === "/" ? 0 : origin.length)) === normalize(target);
    if (isSame) continue;
    plan.refuse(
      `${origin} is shown at ${mount.target} too, where a box protects nothing; show it once`,
    );
  }
}

function below(directory: string, rest: string): string {
  return directory === "/" && rest !== "" ? rest : directory + rest;
}

/** The directory of the boxes that are kept, in any home directory. */
const BOXES = /\/\.cache\/ramekin(\/|$)/;
