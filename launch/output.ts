/**
 * The result of a program that has ended.
 *
 * @module
 */

import { concat } from "../ffi/concat.ts";
import { RamekinError } from "../ffi/errors.ts";
import type { CommandStatus } from "./status.ts";

/** The status and the output of a program, as `Deno.CommandOutput` has them. */
export interface CommandOutput extends CommandStatus {
  /** Its standard output; throws a `TypeError` if that is not piped. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** Its standard error; throws a `TypeError` if that is not piped. */
  readonly stderr: Uint8Array<ArrayBuffer>;
  /** Returns its standard output as UTF-8; throws a `TypeError` if that is not piped. */
  text(): string;
}

/**
 * A program has written more than `maxOutput` to a stream, and was killed.
 *
 * @example
 * ```ts
 * import { OutputLimitError, recipe } from "@ramekin/ramekin";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const command = recipe().command("yes", { maxOutput: 1000 });
 * const error = await assertRejects(() => command.output(), OutputLimitError);
 * assertEquals([error.stream, error.maxOutput], ["stdout", 1000]);
 * ```
 */
export class OutputLimitError extends RamekinError {
  /** `"OutputLimitError"`. */
  override readonly name = "OutputLimitError";
  /** The stream. */
  readonly stream: "stdout" | "stderr";
  /** The limit, in bytes. */
  readonly maxOutput: number;

  /** Creates an error about the stream. */
  constructor(stream: "stdout" | "stderr", maxOutput: number) {
    super(`the program has written more than ${maxOutput} bytes to its ${stream} (maxOutput)`);
    this.stream = stream;
    this.maxOutput = maxOutput;
  }
}

/** The output of a stream while it is collected. */
export class OutputCollector {
  readonly #stream: "stdout" | "stderr";
  readonly #maxOutput: number;
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  /** @param maxOutput how many bytes it takes */
  constructor(fd: number, maxOutput = Infinity) {
    this.#stream = fd === 1 ? "stdout" : "stderr";
    this.#maxOutput = maxOutput;
  }

  /** Whether the program has written more than it may. */
  get overflows(): boolean {
    return this.#size > this.#maxOutput;
  }

  /** Adds what the program has written; nothing is kept of too much. */
  add(bytes: Uint8Array<ArrayBuffer>): void {
    this.#size += bytes.length;
    if (this.overflows) this.#parts = [];
    else this.#parts.push(bytes);
  }

  /**
   * Returns all that was added.
   *
   * @throws {OutputLimitError} if that was too much
   */
  bytes(): Uint8Array<ArrayBuffer> {
    if (this.overflows) throw new OutputLimitError(this.#stream, this.#maxOutput);
    return this.#parts.length === 1 ? this.#parts[0]! : concat(this.#parts);
  }
}

/**
 * Returns a status with the collected output; a stream that was not piped throws when it is read.
 */
export function commandOutput(
  status: CommandStatus,
  stdout: Uint8Array<ArrayBuffer> | undefined,
  stderr: Uint8Array<ArrayBuffer> | undefined,
): CommandOutput {
  const collected = (name: string, bytes: Uint8Array<ArrayBuffer> | undefined) => {
    if (bytes === undefined) throw new TypeError(`Cannot get '${name}': '${name}' is not piped`);
    return bytes;
  };
  return {
    ...status,
    get stdout() {
      return collected("stdout", stdout);
    },
    get stderr() {
      return collected("stderr", stderr);
    },
    text: () => new TextDecoder().decode(collected("stdout", stdout)),
  };
}
