/**
 * The ids under which the files of roots are unpacked and run.
 *
 * @module
 */

import { mapRoot } from "../recipe/steps/id_maps.ts";
import { unshare } from "../recipe/steps/unshare.ts";
import type { Step } from "../recipe/steps.ts";

/** The steps of a user namespace in which the caller is root, and all unpacked files are mapped. */
export function unpackingIds(): readonly Step[] {
  return [unshare("user"), mapRoot()];
}
