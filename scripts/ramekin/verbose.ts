/**
 * `--verbose`: what is done to run a program, on the standard error.
 *
 * @module
 */

import { type CommandStatus, describeEnd, type Recipe } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { paintFor, printError } from "./output.ts";
import { needsText, stepsText } from "./plan_text.ts";
import type { Flag } from "./usage.ts";

/** The flag. */
export const VERBOSE: Flag = {
  name: "verbose",
  summary: "tell the steps, what they need of this machine, how long each part takes, and the end",
};

/** Tells what is done for one program. */
export class Verbose {
  readonly #begin = performance.now();
  #planned = this.#begin;

  /** Tells the plan of a container that is made next. */
  constructor(box: Recipe) {
    const paint = paintFor(Deno.stderr);
    const [plan, needs] = [box.plan(), box.needs()];
    this.#planned = performance.now();
    printError(`${stepsText(box.steps, plan.entries, paint)}\n\n${needsText(needs, paint)}\n`);
    printError(`ramekin: planned in ${milliseconds(this.#planned - this.#begin)}`);
  }

  /** Tells that the program runs. */
  started(pid: number): void {
    const time = milliseconds(performance.now() - this.#planned);
    printError(`ramekin: started in ${time}, as the process ${pid}`);
  }

  /** Tells how it has ended. */
  ended(end: CommandStatus): void {
    const { userMs, systemMs } = end.usage;
    printError(
      `ramekin: it ${describeEnd(end)} after ${milliseconds(end.durationMs)}, with ` +
        `${milliseconds(userMs + systemMs)} of a processor`,
    );
  }
}

/** Returns what tells it, if the flag is given. */
export function verboseOf(given: Arguments, box: Recipe): Verbose | undefined {
  return given.has(VERBOSE.name) ? new Verbose(box) : undefined;
}

function milliseconds(time: number): string {
  return `${time.toFixed(time < 100 ? 1 : 0)} ms`;
}
