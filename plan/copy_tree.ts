/**
 * Copies of mounts, which are not attached yet.
 *
 * @module
 */

import type { ResultOf } from "../ffi/call.ts";
import {
  AT_EMPTY_PATH,
  open_tree,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "../ffi/calls/mounts.ts";
import { allOf, type LazyFixes } from "../ffi/fix.ts";
import type { PlanBuilder } from "./builder.ts";

/** Opens a copy of the mount at an open path. See open_tree(2). */
export function copyTree(
  plan: PlanBuilder,
  place: ResultOf,
  more: number,
  source: string,
  fixes?: LazyFixes,
): ResultOf {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | more;
  const { mountFixes } = plan.state;
  return plan.open(open_tree(place, "", flags), `<${source}>`, {
    fixes: () => ({ ...mountFixes, ...allOf(fixes) }),
  });
}
