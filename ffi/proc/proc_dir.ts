/**
 * The directories of processes in /proc. See proc(5).
 *
 * @module
 */

import { perEngine } from "../engine/per_engine.ts";
import type { ErrnoName } from "../errno.ts";
import { UnsupportedError } from "../errors.ts";
import { namesIn } from "../files/read_dir.ts";
import { readLinks } from "../files/read_links.ts";

/** ENOENT of a file in the directory of a process, and ESRCH of a call for it. */
export const NO_PROCESS = "there is no such process, or it has ended";

/** EACCES of a file in the directory of a process. */
export const OTHERS_PROCESS =
  "the process is another user's, or has privileges that this one lacks";

/**
 * Returns the directory of a process in /proc.
 *
 * @throws {UnsupportedError} if the pid means another process there
 */
export function processDirectory(process: number | "thread-self"): string {
  if (process !== "thread-self") requireOwnProc();
  return `/proc/${process}`;
}

/**
 * Checks that /proc belongs to this script's pid namespace. One that was mounted in another pid
 * namespace shows other pids, and this script under another pid or not at all.
 *
 * @throws {UnsupportedError} if it does not
 */
export const requireOwnProc: () => void = perEngine(() => {
  const [self] = readLinks(["/proc/self"]);
  if (self === String(Deno.pid)) return;
  throw new UnsupportedError(
    "/proc belongs to another pid namespace than this script's, and its pids mean other processes; " +
      "mount one for the script: proc() in the recipe that it runs in, or mount -t proc proc /proc",
  );
});

/**
 * The errnos of a process's files in /proc when the process has ended, before they are opened or
 * after (ESRCH), or may not be looked into: it is another user's or has more privileges (EACCES), or
 * /proc is mounted with `hidepid` (EPERM). See proc(5).
 */
export const HIDDEN_PROCESS: readonly ErrnoName[] = ["ENOENT", "ESRCH", "EACCES", "EPERM"];

/** The pids of all visible processes. */
export function allPids(): number[] {
  return namesIn("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
}
