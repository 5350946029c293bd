/**
 * What distinguishes a process from all others, also from those that get its pid later.
 *
 * @module
 */

import { at_fdcwd } from "../calls/files.ts";
import { processDirectory } from "./proc_dir.ts";
import { readWholeText } from "../files/read_file.ts";

/** A process: its pid, and its start time, as pids are reused. */
export interface ProcessIdentity {
  /** Its pid, as this script sees it. */
  readonly pid: number;
  /** Its start time, in clock ticks after boot: field 22 of /proc/PID/stat (proc(5)). */
  readonly started: number;
}

/**
 * Returns the identity of the process that has this pid now, or of the process of a pidfd.
 *
 * @throws {SyscallError} `ENOENT` if there is no such process
 * @throws {UnsupportedError} if /proc is of another pid namespace
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
export function processIdentity(process: number | { readonly number: number }): ProcessIdentity {
  const pid = typeof process === "number" ? process : pidOf(process);
  return { pid, started: startOf(readWholeText(at_fdcwd, `${processDirectory(pid)}/stat`)) };
}

/** The start time of a process, from its /proc/PID/stat. */
export function startOf(stat: string): number {
  return Number(statField(stat, 22));
}

/** A field of /proc/PID/stat by its number in proc(5), from the third on. */
export function statField(stat: string, number: number): string {
  // The second is the name of the program in parentheses, which may contain parentheses and blanks.
  return stat.slice(stat.lastIndexOf(")") + 2).trimEnd().split(" ")[number - 3]!;
}

function pidOf(pidfd: { readonly number: number }): number {
  const info = readWholeText(at_fdcwd, `/proc/thread-self/fdinfo/${pidfd.number}`);
  const pid = Number(/^Pid:\s*(-?\d+)/m.exec(info)?.[1]);
  if (pid > 0) return pid;
  throw new TypeError(`descriptor ${pidfd.number} is not a pidfd, or its process has ended`);
}
