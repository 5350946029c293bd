/**
 * A call made in the calling thread, with what to do about the errors that have a clear mend.
 *
 * @module
 */

import { type Call, describeCall } from "../call.ts";
import { engine, type RunResult } from "../engine/engine.ts";
import { type ErrnoName, errnoName } from "../errno.ts";
import { SyscallError } from "../errors.ts";
import { assemble } from "../engine/program.ts";

/** What to do about an error, by its name. */
export type Hints = Readonly<Partial<Record<ErrnoName, string>>>;

/** Makes the call, and answers its result. */
export function direct(call: Call, hints?: Hints): number {
  return Number(outcomeOf(call, hints).result(call));
}

/** Makes the call, and answers what it has left behind. */
export function outcomeOf(call: Call, hints: Hints = {}): RunResult {
  const loaded = engine();
  const outcome = loaded.run(assemble([{ call }], loaded.architecture));
  const { failed } = outcome;
  if (failed === undefined) return outcome;
  const code = errnoName(failed.errno);
  throw new SyscallError({
    syscall: call.name,
    errno: failed.errno,
    call: describeCall(call),
    hint: code && hints[code],
  });
}

/** The hint for a call that takes a capability; in a recipe everybody has it. */
export function takes(capability: string, kinds = '"user"'): string {
  return `this takes ${capability}; without it, do it in a recipe: ` +
    `recipe(unshare(${kinds}), mapRoot(), ...)`;
}
