/**
 * When a service is ready.
 *
 * @module
 */

import type { Container } from "../container/container.ts";
import { LONGEST_TIMER } from "../container/timer.ts";
import { shown } from "../recipe/shown.ts";

/**
 * Whether a service is ready: by its port, by a line that it writes, by any check, or with `"notify"`
 * when it says so itself, as sd_notify(3) does (`READY=1`).
 */
export type Readiness = PortReadiness | LineReadiness | ReadinessCheck | "notify";

/** A check, which is made again until it returns `true`; one that throws is as `false`. */
export type ReadinessCheck = (container: Container) => boolean | Promise<boolean>;

/** A port that accepts connections: {@linkcode port}. */
export interface PortReadiness {
  /** Its number. */
  readonly port: number;
}

/** A line that the program writes: {@linkcode line}. */
export interface LineReadiness {
  /** What the line matches. */
  readonly line: RegExp;
}

/**
 * A service is ready when something accepts connections to this port of TCP in its container, at
 * 127.0.0.1 or ::1: see `container.accepts()`.
 *
 * @throws {TypeError} for a port that there is not
 *
 * @example
 * ```ts
 * import { port } from "@ramekin/ramekin/services";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(port(5432), { port: 5432 });
 * ```
 */
export function port(number: number): PortReadiness {
  if (Number.isInteger(number) && number > 0 && number < 65536) return { port: number };
  throw new TypeError(`the port should be a number from 1 to 65535, not ${shown(number)}`);
}

/**
 * A service is ready when it has written a line that matches, to either output.
 *
 * @throws {TypeError} for what is no regular expression
 *
 * @example
 * ```ts
 * import { line } from "@ramekin/ramekin/services";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(line(/ready to accept/), { line: /ready to accept/ });
 * ```
 */
export function line(pattern: RegExp): LineReadiness {
  if (pattern instanceof RegExp) return { line: pattern };
  throw new TypeError(`the line should be a regular expression, not ${shown(pattern)}`);
}

/** The pauses between checks, in milliseconds. */
const [SHORTEST, LONGEST] = [5, 250];

/** Resolves with `true` once the check holds, and with `false` when it was aborted. */
export async function untilReady(
  readiness: PortReadiness | ReadinessCheck,
  container: Container,
  signal: AbortSignal,
): Promise<boolean> {
  for (let pause = SHORTEST; !signal.aborted; pause = Math.min(pause * 2, LONGEST)) {
    if (await holds(readiness, container)) return true;
    await sleep(pause, signal);
  }
  return false;
}

async function holds(
  readiness: PortReadiness | ReadinessCheck,
  container: Container,
): Promise<boolean> {
  try {
    return typeof readiness === "function"
      ? await readiness(container) === true
      : container.accepts(readiness.port);
  } catch {
    // It has ended, or is not so far.
    return false;
  }
}

/** Resolves after a time, or when it is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    let timer: ReturnType<typeof setTimeout>;
    const wait = (rest: number) => {
      const next = () => rest > LONGEST_TIMER ? wait(rest - LONGEST_TIMER) : done();
      timer = setTimeout(next, Math.min(rest, LONGEST_TIMER));
    };
    wait(milliseconds);
    signal.addEventListener("abort", done);
  });
}
