/**
 * Executables that walk a table of their own: the engine, a few hundred bytes, and a program for it, in
 * a sealed memory file. They need nothing of the files of a container, and nothing of the script's
 * memory.
 *
 * @module
 */

import type { ProgramRecord, SyscallProgram } from "../ffi/engine/program.ts";
import { type Bindings, engine, place, sizeWith } from "../ffi/engine/engine.ts";
import type { Call } from "../ffi/call.ts";
import { write } from "../ffi/calls/files.ts";
import { sealedImage } from "./sealed_image.ts";
import { WAIT } from "./wait_bytes.ts";

/** Where the table lies in the file and in memory; as in wait_x86_64.S and wait_aarch64.S. */
const TABLE_OFFSET = 0x1000;
export const TABLE_ADDRESS = 0x411000;
/** Where the second program header has the size in the file, and behind it that in memory. */
const TABLE_SIZES = 64 + 56 + 32;

/** Makes a sealed memfd with an executable that runs the program. */
export function engineImage(
  name: string,
  program: SyscallProgram,
  bindings?: Bindings,
): number {
  const size = sizeWith(program, bindings);
  const image = new Uint8Array(TABLE_OFFSET + size);
  image.set(Uint8Array.fromBase64(WAIT[engine().architecture]));
  const { buffer } = image;
  place(program, {
    address: TABLE_ADDRESS,
    bytes: new Uint8Array(buffer, TABLE_OFFSET),
    view: new DataView(buffer, TABLE_OFFSET),
  }, bindings);
  const view = new DataView(buffer);
  view.setBigUint64(TABLE_SIZES, BigInt(size), true);
  view.setBigUint64(TABLE_SIZES + 8, BigInt(size), true);
  return sealedImage(name, image);
}

/** Returns the calls that write a text to the standard error. */
export function complaint(text: string): ProgramRecord[] {
  const bytes = new TextEncoder().encode(text);
  const said: Call = write(2, bytes, bytes.length);
  return [{ call: said, accept: ["EBADF", "EPIPE", "EAGAIN", "EIO", "ENOSPC"] }];
}
