/**
 * Directories beneath a root, opened without a link on the way, whatever is done in it meanwhile.
 *
 * @module
 */

import {
  O_CLOEXEC,
  O_DIRECTORY,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../calls/constants/open.ts";
import type { CallBatch } from "../call_batch.ts";

/** The size of struct open_how (linux/openat2.h). */
const HOW_SIZE = 24;
const RESOLVE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

/** Adds the call that opens a directory by its path from the root, and returns its number. */
export function openBeneath(calls: CallBatch, root: number, path: string, flags: number): number {
  const how = calls.words(flags | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE);
  return calls.add("openat2", [root, calls.name(path), how, HOW_SIZE]);
}
