/**
 * The names of a script's containers, for who looks at them from outside. All that a process tells
 * of itself is the program's to change: its comm, its arguments, and by execve(2) its executable.
 * So the script keeps the names, in a memory file that no container has.
 *
 * @module
 */

import { call, Output } from "../ffi/call.ts";
import { memfd_create, MFD_CLOEXEC } from "../ffi/calls/files.ts";
import { place } from "../ffi/engine/engine.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { argumentOffset, assemble } from "../ffi/engine/program.ts";
import { SyscallError } from "../ffi/errors.ts";
import { withRegularFile } from "../ffi/files/regular_file.ts";
import { syscall } from "../ffi/syscalls.ts";
import { nameOf } from "../recipe/path.ts";

const FILE = "ramekin-names";

/** The bytes of a record: the pid, a blank, the name, and zeros. Its place is the pidfd's number. */
const RECORD = 128;

/** The file of this script. */
export const namesFile: () => number = perEngine(() => syscall(memfd_create(FILE, MFD_CLOEXEC)));

/** Writes the name of a container: its own, or the last part of the path of its program. */
export function writeName(pidfd: number, pid: number, name: string): void {
  const { record, setPosition, write } = writing();
  const { written } = encoder.encodeInto(`${pid} ${nameOf(name)}`, record);
  record.fill(0, written);
  setPosition(pidfd * RECORD);
  write();
}

const encoder = new TextEncoder();

/** A write to the file, laid out once. */
const writing = perEngine((loaded) => {
  const bytes = new Output(RECORD);
  const described = call("pwrite64", namesFile(), bytes, RECORD, 0);
  // Without a name the container runs as well.
  const record = { call: described, accept: ["ENOSPC", "ENOMEM", "EDQUOT"] } as const;
  const program = assemble([record], loaded.architecture);
  const memory = loaded.allocate(program.bytes.length);
  place(program, memory);
  const at = program.outputs.get(bytes)!;
  return {
    // The last byte stays 0.
    record: memory.bytes.subarray(at, at + RECORD - 1),
    setPosition: (position: number) => memory.view.setUint32(argumentOffset(0, 3), position, true),
    write: () => {
      const errno = loaded.runIn(memory);
      if (errno !== 0) throw new SyscallError({ syscall: "pwrite64", errno });
    },
  };
});

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
