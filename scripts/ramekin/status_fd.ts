/**
 * `--status-fd`: how a program has ended, as JSON on a descriptor, for scripts that run ramekin.
 *
 * @module
 */

import { type CommandStatus, describeEnd, linux, SyscallError } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { readText } from "./files.ts";
import { type Flag, UsageError } from "./usage.ts";

/** Writes the end of a program; of one that has not been started, its exit status and why. */
export type Report = (
  end: CommandStatus | { readonly code: number; readonly reason: string },
) => void;

/** The flag. */
export const STATUS_FD: Flag = {
  name: "status-fd",
  value: "NUMBER",
  check: descriptorOf,
  summary: "write how the program has ended to this descriptor, as a line of JSON",
};

/** Reads its value. */
function descriptorOf(word: string): number {
  const fd = /^\d{1,9}$/.test(word) ? Number(word) : undefined;
  if (fd === undefined || !isOpen(fd)) {
    throw new UsageError(
      `--status-fd=${word} is no open descriptor; a shell opens one by ${fd ?? 3}>FILE`,
    );
  }
  return fd;
}

/** Returns what writes to the descriptor of the flag, if it is given. The program does not get it. */
export function reportOf(given: Arguments): Report | undefined {
  const word = given.value(STATUS_FD.name);
  if (word === undefined) return undefined;
  const fd = Number(word);
  return (end) => {
    const reason = "reason" in end ? end.reason : describeEnd(end);
    const { code, signal, timedOut, outOfMemory, durationMs, usage } = end as Partial<
      CommandStatus
    >;
    const line = { code, signal, reason, timedOut, outOfMemory, durationMs, usage };
    let bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    while (bytes.length > 0) bytes = bytes.subarray(linux.write(fd, bytes));
  };
}

function isOpen(fd: number): boolean {
  try {
    linux.statx(fd, "", linux.AT_EMPTY_PATH);
    // One that Deno has opened for itself is no caller's: those have come over an execve(2).
    const flags = /^flags:\s*([0-7]+)$/m.exec(readText(`/proc/self/fdinfo/${fd}`))?.[1] ?? "0";
    return (parseInt(flags, 8) & linux.O_CLOEXEC) === 0;
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EBADF") return false;
    throw error;
  }
}
