/**
 * The watchdog of a service: a program that says by sd_notify(3) again and again that it is well. See
 * sd_watchdog_enabled(3).
 *
 * @module
 */

import { after } from "../container/timer.ts";
import { sleep } from "./ready.ts";

/** What a script that was busy gets to take messages that have come, in milliseconds. */
const SETTLE = 100;

/** Waits for the messages of a program. */
export class Watchdog {
  #limit: number;
  #last = performance.now();
  #isTriggered = false;
  #changed = Promise.withResolvers<void>();

  /** @param limit how long it may say nothing, in milliseconds */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a message of the program. */
  take({ WATCHDOG, WATCHDOG_USEC }: Readonly<Record<string, string>>): void {
    if (WATCHDOG === "1") this.#last = performance.now();
    if (WATCHDOG === "trigger") this.#isTriggered = true;
    const limit = /^[1-9]\d{0,17}$/.test(WATCHDOG_USEC ?? "") ? Number(WATCHDOG_USEC) / 1000 : 0;
    if (limit > 0) this.#limit = limit;
    if (limit === 0 && WATCHDOG !== "trigger") return;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Resolves with what is wrong when it has said nothing for too long; with nothing if it has ended. */
  async bites(ended: AbortSignal): Promise<string | undefined> {
    const wake = () => this.#wake();
    ended.addEventListener("abort", wake, { once: true });
    for (this.#last = performance.now(); !ended.aborted;) {
      if (this.#isTriggered) return "has said that it fails (WATCHDOG=trigger)";
      const [heard, limit] = [this.#last, this.#limit];
      const rest = heard + limit - performance.now();
      if (rest > 0) {
        // A program can change the limit as often as it likes: no timer of an old one is left.
        const stop = after(rest, wake);
        await this.#changed.promise;
        stop();
        continue;
      }
      await sleep(SETTLE, ended);
      if (ended.aborted) return undefined;
      if (this.#last === heard && this.#limit === limit) {
        return `has sent no WATCHDOG=1 for ${Math.round(limit)} ms`;
      }
    }
    return undefined;
  }
}
