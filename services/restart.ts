/**
 * When a service that has ended is started again.
 *
 * @module
 */

import type { CommandStatus } from "../launch/status.ts";

/** When a service is started again, and how soon. */
export interface RestartOptions {
  /**
   * Whether it is started again after every end, after a failure (another code than 0, a signal, or
   * a program that could not be started), or never.
   *
   * @default {"never"}
   */
  readonly policy?: "always" | "on-failure" | "never";
  /**
   * The pause before the first restart, in milliseconds; it doubles each time, up to a minute. A
   * service that has run for ten seconds or more begins anew.
   *
   * @default {100}
   */
  readonly backoff?: number;
  /** The most restarts in a row. Without it, there is no end to them. */
  readonly max?: number;
}

const LONGEST = 60_000;
/** A service that has run so long has not failed at its start. */
const SETTLED = 10_000;

/** Counts the restarts of a service. */
export class Restarts {
  readonly #options: Required<RestartOptions>;
  /** Those since it has last run for a while. */
  #inARow = 0;
  #count = 0;

  constructor({ policy = "never", backoff = 100, max = Infinity }: RestartOptions) {
    this.#options = { policy, backoff, max };
  }

  /** How often it was started again. */
  get count(): number {
    return this.#count;
  }

  /**
   * Returns after how many milliseconds it is to be started again; `undefined` if it is not.
   *
   * @param status how it has ended; `undefined` if it could not be started
   */
  after(status: CommandStatus | undefined): number | undefined {
    const { policy, backoff, max } = this.#options;
    const failed = status?.success !== true;
    if (policy === "never" || (policy === "on-failure" && !failed)) return undefined;
    if (status !== undefined && status.durationMs >= SETTLED) this.#inARow = 0;
    if (this.#inARow >= max) return undefined;
    const delay = Math.min(backoff * 2 ** this.#inARow, LONGEST);
    this.#inARow++;
    this.#count++;
    return delay;
  }
}
