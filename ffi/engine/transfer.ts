/**
 * Nonblocking reads and writes in tables that are assembled once: a transfer changes two arguments
 * and runs the table again.
 *
 * @module
 */

import { call } from "../call.ts";
import { ERRNO } from "../errno.ts";
import { SyscallError } from "../errors.ts";
import { engine, place } from "./engine.ts";
import type { Memory } from "./memory.ts";
import { perEngine } from "./per_engine.ts";
import { argumentOffset, assemble, resultOffset } from "./program.ts";

/** How many bytes one call reads or writes at most. */
export const MOST_READ: number = 256 * 1024;

/**
 * Reads what is there, at most 256 KiB. Returns no bytes at the end, and `undefined` while there is
 * nothing to read.
 *
 * @throws {SyscallError} if reading fails
 */
export function readSome(fd: number): Uint8Array<ArrayBuffer> | undefined {
  const { buffer } = tables();
  const count = transfer("read", fd, MOST_READ);
  return count === undefined ? undefined : buffer.bytes.slice(0, count);
}

/**
 * Writes as much as is taken now, and returns how many bytes that were.
 *
 * @throws {SyscallError} if writing fails
 */
export function writeSome(fd: number, bytes: Uint8Array): number {
  const { buffer } = tables();
  const part = bytes.subarray(0, MOST_READ);
  buffer.bytes.set(part);
  return transfer("write", fd, part.length) ?? 0;
}

type Direction = "read" | "write";

/** A table of one call for each direction, and the buffer that both use. */
interface TransferTables extends Readonly<Record<Direction, Memory>> {
  readonly buffer: Memory;
}

const tables = perEngine((loaded): TransferTables => {
  const buffer = loaded.allocate(MOST_READ);
  const table = (direction: Direction) => {
    const described = call(direction, 0, buffer.address, 0);
    const program = assemble([{ call: described }], loaded.architecture);
    const memory = loaded.allocate(program.bytes.length);
    place(program, memory);
    return memory;
  };
  return { buffer, read: table("read"), write: table("write") };
});

/** How many bytes were transferred; `undefined` where the call would block. */
function transfer(direction: Direction, fd: number, size: number): number | undefined {
  const table = tables()[direction];
  for (;;) {
    table.view.setUint32(argumentOffset(0, 0), fd, true);
    table.view.setUint32(argumentOffset(0, 2), size, true);
    const errno = engine().runIn(table);
    if (errno === 0) return table.view.getUint32(resultOffset(0), true);
    if (errno === ERRNO.EAGAIN) return undefined;
    // A terminal whose other side is closed fails with EIO: that is its end (pty(7)).
    if (errno === ERRNO.EIO && direction === "read") return 0;
    if (errno !== ERRNO.EINTR) throw new SyscallError({ syscall: direction, errno });
  }
}
