/**
 * Block devices by their files.
 *
 * @module
 */

import { at_fdcwd, S_IFBLK, S_IFMT } from "../ffi/calls/files.ts";
import { readStatx, statx, STATX_BASIC_STATS, statxOutput } from "../ffi/calls/statx.ts";
import { syscalls } from "../ffi/syscalls.ts";

/**
 * The numbers of a block device, by which the kernel knows it; `undefined` where the file is none.
 *
 * @throws {SyscallError} where there is no such file
 */
export function blockDeviceOf(path: string): string | undefined {
  const told = statxOutput();
  const asked = { call: statx(at_fdcwd, path, 0, STATX_BASIC_STATS, told) };
  const view = syscalls([asked]).output(told);
  if ((readStatx(view).mode & S_IFMT) !== S_IFBLK) return undefined;
  return `${view.getUint32(RDEV.major, true)}:${view.getUint32(RDEV.minor, true)}`;
}

/** Where struct statx has the numbers of a device (linux/stat.h). */
const RDEV = { major: 128, minor: 132 } as const;
