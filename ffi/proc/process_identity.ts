/**
 * What tells a process from all others, also from those that get its number later.
 *
 * @module
 */

import { at_fdcwd } from "../calls/files.ts";
import { processDirectory } from "./proc_dir.ts";
import { readWholeText } from "../files/read_file.ts";
import type { OwnedFd } from "../linux/owned_fd.ts";

/** A process: its number, and when it was started, as numbers are used again. */
export interface ProcessIdentity {
  /** Its pid, as this script sees it. */
  readonly pid: number;
  /** When it was started, in clock ticks after boot: field 22 of /proc/PID/stat (proc(5)). */
  readonly started: number;
}

/**
 * The process that has this number now, or the one of a pidfd.
 *
 * @throws {SyscallError} `ENOENT` where there is none, or not any more
 * @throws {UnsupportedError} where /proc is of another pid namespace
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * using self = linux.pidfd_open(Deno.pid);
 * assertEquals(linux.processIdentity(self), linux.processIdentity(Deno.pid));
 * ```
 */
export function processIdentity(process: number | OwnedFd): ProcessIdentity {
  const pid = typeof process === "number" ? process : pidOf(process);
  return { pid, started: startOf(readWholeText(at_fdcwd, `${processDirectory(pid)}/stat`)) };
}

/** When a process was started, from its /proc/PID/stat. */
export function startOf(stat: string): number {
  return Number(statField(stat, 22));
}

/** A field of /proc/PID/stat, from the third on, by its number in proc(5). */
export function statField(stat: string, number: number): string {
  // The second is the name of the program in brackets, and may hold brackets and blanks itself.
  return stat.slice(stat.lastIndexOf(")") + 2).trimEnd().split(" ")[number - 3]!;
}

function pidOf(pidfd: OwnedFd): number {
  const told = readWholeText(at_fdcwd, `/proc/thread-self/fdinfo/${pidfd.number}`);
  const pid = Number(/^Pid:\s*(-?\d+)/m.exec(told)?.[1]);
  if (pid > 0) return pid;
  throw new TypeError(`descriptor ${pidfd.number} is no pidfd, or one of a process that has ended`);
}
