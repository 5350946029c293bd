/**
 * Directories on which an automounter mounts what belongs there when it is needed. See autofs(5).
 *
 * @module
 */

import { at_fdcwd, close, O_CLOEXEC, O_DIRECTORY, O_PATH, openat } from "../ffi/calls/files.ts";
import { SyscallError } from "../ffi/errors.ts";
import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import { syscall } from "../ffi/syscalls.ts";
import { isWithin } from "../recipe/path.ts";

/**
 * Lets the automounter mount what belongs on the directory, and on those in it. What it mounts later
 * does not appear in a mount namespace of a container (`ELOOP`).
 */
export function mountAutomounts(directory: string, mounts: readonly MountEntry[]): void {
  for (const { type, target } of mounts) {
    if (type !== "autofs") continue;
    if (isWithin(target, directory)) enter(target);
    else if (isWithin(directory, target)) enter(directory);
  }
}

/** Passes a directory on the way: what a path ends at is not mounted (path_resolution(7)). */
function enter(directory: string): void {
  try {
    const way = `${directory}/.`;
    syscall(close(syscall(openat(at_fdcwd, way, O_PATH | O_DIRECTORY | O_CLOEXEC, 0))));
  } catch (error) {
    // It stays as it is where nothing can be mounted.
    if (!(error instanceof SyscallError)) throw error;
  }
}
