/**
 * Tables of calls that are made once and run often, each time with another path.
 *
 * @module
 */

import type { Output } from "../ffi/call.ts";
import { engine, place } from "../ffi/engine/engine.ts";
import type { Memory } from "../ffi/engine/memory.ts";
import { assemble, type Label, type ProgramRecord, resultOffset } from "../ffi/engine/program.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { encodeName } from "../ffi/file_name.ts";

/** The most bytes of a path, with the NUL at the end. */
export const PATH_MAX = 4096;

/** A table of calls in memory of its own. */
export class KeptTable {
  readonly #memory: Memory;
  readonly #path: Uint8Array;
  /** The outputs of the calls, in the order in which they were given. */
  readonly outputs: readonly DataView[];

  /** Makes a table of calls that have their path in one of their outputs. */
  constructor(
    path: Output,
    outputs: readonly Output[],
    parts: readonly (ProgramRecord | Label)[],
  ) {
    const loaded = engine();
    const program = assemble(parts, loaded.architecture);
    this.#memory = loaded.allocate(program.bytes.length);
    place(program, this.#memory);
    const { bytes } = this.#memory;
    const at = program.outputs.get(path)!;
    this.#path = bytes.subarray(at, at + path.size);
    this.outputs = outputs.map((output) =>
      new DataView(bytes.buffer, bytes.byteOffset + program.outputs.get(output)!, output.size)
    );
  }

  /**
   * Runs the table with a path, and returns the first call's result or accepted error. Those of calls
   * that were not reached stay as they were.
   */
  run(text: string): number {
    const { read, written } = encodeName(text, this.#path.subarray(0, -1));
    if (read < text.length) return -ERRNO.ENAMETOOLONG;
    this.#path[written] = 0;
    const errno = engine().runIn(this.#memory);
    if (errno !== 0) {
      const call = `openat2(AT_FDCWD, ${JSON.stringify(text)}, ...)`;
      throw new SyscallError({ syscall: "openat2", errno, call });
    }
    return this.result(0);
  }

  /** The result of the call with this number, in the run that has reached it last. */
  result(index: number): number {
    return Number(this.#memory.view.getBigInt64(resultOffset(index), true));
  }
}
