/**
 * Work that Ctrl-C ends, and that then clears away what it has begun.
 *
 * @module
 */

/** The exit status of what SIGINT has ended. */
const INTERRUPTED = 128 + 2;

/** Does the work, and returns its exit status; a signal ends it. */
export async function interruptible(
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const ender = new AbortController();
  const end = () => ender.abort(new Interruption());
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, end);
  try {
    return await work(ender.signal);
  } catch (error) {
    if (ender.signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, end);
  }
}

/** Why the work has ended. */
class Interruption extends Error {
  /** `"Interruption"`. */
  override readonly name = "Interruption";
}
