/**
 * Block devices, by their paths.
 *
 * @module
 */

import { at_fdcwd, S_IFBLK, S_IFMT } from "../ffi/calls/files.ts";
import { readStatx, statx, STATX_BASIC_STATS, statxOutput } from "../ffi/calls/statx.ts";
import { syscalls } from "../ffi/syscalls.ts";

/**
 * Returns the numbers of a block device, such as `"8:0"`; `undefined` if the file is not one.
 *
 * @throws {SyscallError} if there is no such file
 */
export function blockDeviceOf(path: string): string | undefined {
  const output = statxOutput();
  const call = statx(at_fdcwd, path, 0, STATX_BASIC_STATS, output);
  const view = syscalls([{ call }]).output(output);
  if ((readStatx(view).mode & S_IFMT) !== S_IFBLK) return undefined;
  return `${view.getUint32(RDEV.major, true)}:${view.getUint32(RDEV.minor, true)}`;
}

/** The offsets of stx_rdev_major and stx_rdev_minor in struct statx (linux/stat.h). */
const RDEV = { major: 128, minor: 132 } as const;
