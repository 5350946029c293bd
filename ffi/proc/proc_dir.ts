/**
 * Processes in /proc, by the numbers that this script knows them by. See proc(5).
 *
 * @module
 */

import { perEngine } from "../engine/per_engine.ts";
import type { ErrnoName } from "../errno.ts";
import { UnsupportedError } from "../errors.ts";
import { namesIn } from "../files/read_dir.ts";
import { readLinks } from "../files/read_links.ts";

/**
 * The directory of a process in /proc.
 *
 * @throws {UnsupportedError} where a number means another process there
 */
export function processDirectory(process: number | "thread-self"): string {
  if (process !== "thread-self") requireOwnProc();
  return `/proc/${process}`;
}

/**
 * Sees to it that /proc counts processes as this script does: one that was mounted outside of a pid
 * namespace still shows the processes there, and has this script under another number or not at all.
 *
 * @throws {UnsupportedError} where it does not
 */
export const requireOwnProc: () => void = perEngine(() => {
  const [self] = readLinks(["/proc/self"]);
  if (self === String(Deno.pid)) return;
  throw new UnsupportedError(
    "/proc shows the processes of another pid namespace than this script's, where their numbers " +
      "mean others; give the script a /proc of its own: proc() in the recipe that it runs in, or " +
      "mount -t proc proc /proc",
  );
});

/**
 * The errnos of a process's files in /proc when the process has ended, before they are opened or
 * after (ESRCH), or may not be looked into: it is another user's or has more privileges (EACCES), or
 * /proc is mounted with `hidepid` (EPERM). See proc(5).
 */
export const HIDDEN_PROCESS: readonly ErrnoName[] = ["ENOENT", "ESRCH", "EACCES", "EPERM"];

/** The numbers of all processes that can be seen in /proc. */
export function allPids(): number[] {
  return namesIn("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
}
