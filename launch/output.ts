/**
 * The result of a program that has ended.
 *
 * @module
 */

import type { CommandStatus } from "./status.ts";

/** The status and the output of a program, as `Deno.CommandOutput` has them. */
export interface CommandOutput extends CommandStatus {
  /** Its standard output; throws a `TypeError` if that is not piped. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** Its standard error; throws a `TypeError` if that is not piped. */
  readonly stderr: Uint8Array<ArrayBuffer>;
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
  };
}
