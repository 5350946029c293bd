/**
 * Bytes in and out of descriptors that do not block.
 *
 * @module
 */

import { call } from "../call.ts";
import { engine, place } from "./engine.ts";
import { ERRNO } from "../errno.ts";
import { SyscallError } from "../errors.ts";
import type { Memory } from "./memory.ts";
import { perEngine } from "./per_engine.ts";
import { argumentOffset, assemble, resultOffset } from "./program.ts";

const BUFFER_SIZE = 256 * 1024;

/**
 * What can be read now, at most 256 KiB: empty at the end, `undefined` while there is nothing.
 *
 * @throws {SyscallError} where reading fails
 */
export function readSome(fd: number): Uint8Array<ArrayBuffer> | undefined {
  const { buffer } = transfers();
  const count = transfer("read", fd, BUFFER_SIZE);
  return count === undefined ? undefined : buffer.bytes.slice(0, count);
}

/**
 * Writes as much as can be written now, and answers how many bytes that were.
 *
 * @throws {SyscallError} where writing fails
 */
export function writeSome(fd: number, bytes: Uint8Array): number {
  const { buffer } = transfers();
  const part = bytes.subarray(0, BUFFER_SIZE);
  buffer.bytes.set(part);
  return transfer("write", fd, part.length) ?? 0;
}

/** A table of one call for each direction, kept in memory with the buffer. */
interface Transfers {
  readonly buffer: Memory;
  readonly read: Memory;
  readonly write: Memory;
}

const transfers = perEngine((loaded): Transfers => {
  const buffer = loaded.allocate(BUFFER_SIZE);
  const table = (direction: "read" | "write") => {
    const described = call(direction, 0, buffer.address, 0);
    const program = assemble([{ call: described }], loaded.architecture);
    const memory = loaded.allocate(program.bytes.length);
    place(program, memory);
    return memory;
  };
  return { buffer, read: table("read"), write: table("write") };
});

function transfer(direction: "read" | "write", fd: number, size: number): number | undefined {
  const table = transfers()[direction];
  for (;;) {
    table.view.setUint32(argumentOffset(0, 0), fd, true);
    table.view.setUint32(argumentOffset(0, 2), size, true);
    const errno = engine().runIn(table);
    if (errno === 0) return table.view.getUint32(resultOffset(0), true);
    if (errno === ERRNO.EAGAIN) return undefined;
    // The other side of a terminal is gone: that is its end (pty(7), Linux).
    if (errno === ERRNO.EIO && direction === "read") return 0;
    if (errno !== ERRNO.EINTR) throw new SyscallError({ syscall: direction, errno });
  }
}
