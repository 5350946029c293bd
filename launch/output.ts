/**
 * What a program has left when it has ended.
 *
 * @module
 */

import type { CommandStatus } from "./status.ts";

/** How a program has ended, and what it has written: see `Deno.CommandOutput`. */
export interface CommandOutput extends CommandStatus {
  /** What it has written to its standard output; throws a `TypeError` where that is not piped. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** What it has written to its standard error; throws a `TypeError` where that is not piped. */
  readonly stderr: Uint8Array<ArrayBuffer>;
}

/** A status with what was collected; a stream that was not piped has nothing to give. */
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
