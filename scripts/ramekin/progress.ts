/**
 * What goes on while something takes longer than a second: one line at a terminal, which is gone when
 * it is done.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";

/** After which time it is told, and how often, in milliseconds. */
const PERIOD = 1000;

/** Tells on the standard error what goes on, if that is a terminal. */
export class Progress implements Disposable {
  readonly #begin = performance.now();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #what: string;
  #told = this.#begin;
  #isShown = false;

  /** @param what what is done, as `copying /srv` */
  constructor(what: string) {
    this.#what = what;
    if (!Deno.stderr.isTerminal()) return;
    this.#timer = setInterval(() => this.#tell(), PERIOD);
    Deno.unrefTimer(this.#timer);
  }

  /** Goes on to the next part. It is told here too, as work that waits for nothing stops timers. */
  next(what: string): void {
    this.#what = what;
    if (this.#timer !== undefined && performance.now() - this.#told >= PERIOD) this.#tell();
  }

  #tell(): void {
    this.#told = performance.now();
    this.#isShown = true;
    const seconds = Math.floor((this.#told - this.#begin) / 1000);
    const { columns } = Deno.consoleSize();
    const text = escapeControls(`ramekin: ${this.#what}, ${seconds} s`);
    write(`\r\x1b[K${text.slice(0, columns - 1)}`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#isShown) write("\r\x1b[K");
  }
}

/** Does the work, and tells what goes on. */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  using _progress = new Progress(what);
  return await work();
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
