/**
 * The names of a script's containers, for who looks at them from outside. All that a process tells
 * of itself is the program's to change: its comm, its arguments, and by execve(2) its executable.
 * So the script keeps the names, in a memory file that no container has.
 *
 * @module
 */

import { memfd_create, MFD_CLOEXEC, pwrite64 } from "../ffi/calls/files.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { withRegularFile } from "../ffi/files/regular_file.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { nameOf } from "../recipe/path.ts";

const FILE = "ramekin-names";

/** The bytes of a record: the pid, a blank, the name, and zeros. Its place is the pidfd's number. */
const RECORD = 128;

/** The file of this script. */
export const namesFile: () => number = perEngine(() => syscall(memfd_create(FILE, MFD_CLOEXEC)));

/** Writes the name of a container: its own, or the last part of the path of its program. */
export function writeName(pidfd: number, pid: number, name: string): void {
  const record = new Uint8Array(RECORD);
  new TextEncoder().encodeInto(`${pid} ${nameOf(name)}`, record.subarray(0, -1));
  const call = pwrite64(namesFile(), record, RECORD, pidfd * RECORD);
  // Without a name the container runs as well.
  syscalls([{ call, accept: ["ENOSPC", "ENOMEM", "EDQUOT"] }]);
}

/** Whether a link of /proc/PID/fd leads to such a file. */
export function isNamesFile(link: string | undefined): boolean {
  return link?.startsWith(`/memfd:${FILE} `) === true;
}

/**
 * Reads the name of a container from such a file; `undefined` if there is none.
 *
 * @param pids the pids of the container's process, one in each pid namespace: the script's too
 */
export function readName(
  file: string,
  pidfd: number,
  pids: readonly string[],
): string | undefined {
  const record = withRegularFile(file, (found) => found.readAt(pidfd * RECORD, RECORD));
  const [, pid, name] = /^(\d+) ([^\0]+)/.exec(new TextDecoder().decode(record)) ?? [];
  return pid !== undefined && pids.includes(pid) ? name : undefined;
}
