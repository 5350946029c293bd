/**
 * Requests that are made again: which, how often, and when.
 *
 * @module
 */

import type { RegistryOptions } from "./options.ts";

/** The statuses of a registry that may answer otherwise in a moment. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The longest wait, in milliseconds, whatever the registry asks for. */
const LONGEST = 60_000;

/** Whether a status is one to try again. */
export function isPassing(status: number): boolean {
  return PASSING.has(status);
}

/** The tries of one request. */
export class Tries {
  readonly #most: number;
  readonly #delay: number;
  readonly #signal: AbortSignal | undefined;
  #made = 0;

  constructor({ retries = 5, retryDelay = 500 }: RegistryOptions, signal?: AbortSignal) {
    this.#most = retries;
    this.#delay = retryDelay;
    this.#signal = signal;
  }

  /** Counts from zero again: there was progress. */
  reset(): void {
    this.#made = 0;
  }

  /** Waits for the next try, and returns whether there is one. */
  async next(response?: Response): Promise<boolean> {
    this.#signal?.throwIfAborted();
    if (this.#made >= this.#most) return false;
    // Not all of those that were sent away at once come back at once.
    const own = this.#delay * 2 ** this.#made * (0.75 + Math.random() / 2);
    this.#made++;
    await sleep(Math.min(Math.max(own, askedFor(response)), LONGEST), this.#signal);
    return true;
  }
}

/** How long a registry wants to be left alone: `Retry-After`, in seconds or as a date. */
function askedFor(response: Response | undefined): number {
  const value = response?.headers.get("retry-after");
  if (value === null || value === undefined) return 0;
  const time = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(time) ? 0 : Math.max(time, 0);
}

/** Waits, unless it is ended. */
function sleep(time: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, time);
    signal?.addEventListener("abort", end, { once: true });
  });
}
