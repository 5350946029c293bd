/**
 * Runs a command again while it fails.
 *
 * @module
 */

import { CommandError } from "./command_error.ts";
import type { CommandInput, Pipeline } from "./pipeline.ts";
import type { Outcome } from "./run.ts";

/** Runs a command, again while it fails and is to be retried. */
export async function retried(
  { retry, input, programs }: Pipeline,
  run: () => Promise<Outcome>,
): Promise<Outcome> {
  if (retry === undefined) return await run();
  if (isReadOnce(input)) {
    throw new TypeError("its input can be read only once, and the command cannot be retried");
  }
  const mayFail = programs.every(({ mayFail }) => mayFail);
  const { times, delay = 0 } = retry;
  for (let failed = 1;; failed++) {
    try {
      const outcome = await run();
      if (outcome.result.success || !mayFail || failed > times) return outcome;
    } catch (error) {
      if (failed > times || !(error instanceof CommandError)) throw error;
    }
    const time = typeof delay === "number" ? delay : delay(failed);
    await waited(time, programs.flatMap(({ options: { signal } }) => signal ?? []));
  }
}

/** Whether a second attempt would not find the input as the first one has. */
function isReadOnce(input: CommandInput | undefined): boolean {
  const isText = input === undefined || typeof input === "string" || input instanceof Uint8Array;
  return !isText && !(input instanceof Blob) && !(input instanceof URL) && !("path" in input);
}

/** Waits, until a signal is aborted. */
async function waited(milliseconds: number, signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  any.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  any.addEventListener("abort", () => resolve());
  await promise;
  clearTimeout(timer);
  any.throwIfAborted();
}
