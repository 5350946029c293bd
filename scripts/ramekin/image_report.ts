/**
 * What is told of a pull or a push: at a terminal one line that changes, elsewhere a line for each layer.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import type { ProgressEvent, ProgressReporter } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { printError } from "./output.ts";

/** Tells what happens, to the standard error. */
export interface ImageReport extends Disposable {
  /** Is told what happens. */
  readonly report: ProgressReporter;
}

/** The report that the flags ask for. */
export function imageReport(given: Arguments, image: string): ImageReport {
  if (given.has("quiet")) return { report: () => {}, [Symbol.dispose]: () => {} };
  return Deno.stderr.isTerminal() ? new TerminalReport(image) : new LineReport(image);
}

/** A line for each thing that is done. */
class LineReport implements ImageReport {
  readonly #image: string;

  constructor(image: string) {
    this.#image = image;
  }

  readonly report = (event: ProgressEvent): void => {
    if (event.kind === "layers") {
      const { layers, platform } = event;
      const size = layers.reduce((sum, { size }) => sum + size, 0);
      const what = escapeControls(`${this.#image} for ${platform}`);
      printError(`${what}: ${layersText(layers.length)}, ${sizeText(size)}`);
    }
    if (event.kind === "downloaded") {
      const { digest, size, isNew } = event;
      printError(`${shortDigest(digest)}  ${sizeText(size)}${isNew ? "" : ", there already"}`);
    }
    if (event.kind === "uploaded") {
      const { digest, size, how } = event;
      const words = {
        sent: "sent",
        mounted: "there in another repository",
        there: "there already",
      };
      printError(`${shortDigest(digest)}  ${sizeText(size)}, ${words[how]}`);
    }
  };

  [Symbol.dispose](): void {}
}

/** How often the line changes, in milliseconds. */
const PERIOD = 100;

/** One line that changes. */
class TerminalReport implements ImageReport {
  readonly #image: string;
  readonly #begin = performance.now();
  readonly #state = new ReportState();
  #shown = 0;
  #isShown = false;

  constructor(image: string) {
    this.#image = image;
  }

  readonly report = (event: ProgressEvent): void => {
    this.#state.add(event);
    const now = performance.now();
    if (now - this.#shown < PERIOD) return;
    this.#shown = now;
    this.#isShown = true;
    const text = this.#state.text(this.#image, (now - this.#begin) / 1000);
    const { columns } = Deno.consoleSize();
    this.#write(`\r\x1b[K${escapeControls(text).slice(0, columns - 1)}`);
  };

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }

  [Symbol.dispose](): void {
    if (this.#isShown) this.#write("\r\x1b[K");
  }
}

/** How far the work is. */
export class ReportState {
  #phase: "looking for" | "downloading" | "unpacking" | "sending" = "looking for";
  #total = 0;
  #layers = 0;
  readonly #bytes = new Map<string, number>();
  readonly #sizes = new Map<string, number>();
  /** What was there at the first moment, and did not have to come. */
  readonly #before = new Map<string, number>();

  /** Takes note of what has happened. */
  add(event: ProgressEvent): void {
    switch (event.kind) {
      case "layers":
        this.#layers = event.layers.length;
        this.#total = event.layers.reduce((sum, { size }) => sum + size, 0);
        break;
      case "download":
        return this.#set("downloading", event);
      case "unpack":
        return this.#set("unpacking", event);
      case "upload":
        return this.#set("sending", event);
      case "downloaded":
      case "uploaded":
        this.#bytes.set(event.digest, event.size);
        if (event.kind === "downloaded" && !event.isNew) {
          this.#before.set(event.digest, event.size);
        }
    }
  }

  #set(
    phase: "downloading" | "unpacking" | "sending",
    { digest, bytes, size }: { digest: string; bytes: number; size: number },
  ): void {
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#bytes.clear();
      this.#before.clear();
    }
    if (!this.#bytes.has(digest)) this.#before.set(digest, bytes);
    this.#bytes.set(digest, bytes);
    this.#sizes.set(digest, size);
    if (phase === "sending") this.#total = sum(this.#sizes);
  }

  /** The line: `debian:12: downloading 3 layers, 45.2 MB of 70.9 MB, 12.3 MB/s, 2 s left`. */
  text(image: string, seconds: number): string {
    if (this.#total === 0) return `${image}: ${this.#phase} it`;
    const done = Math.min(sum(this.#bytes), this.#total);
    const speed = Math.max(0, done - sum(this.#before)) / Math.max(seconds, 0.1);
    const left = speed === 0 ? "" : `, ${Math.ceil((this.#total - done) / speed)} s left`;
    const what = this.#layers === 0 ? "" : ` ${layersText(this.#layers)},`;
    return `${image}: ${this.#phase}${what} ${sizeText(done)} of ${sizeText(this.#total)}, ` +
      `${sizeText(speed)}/s${left}`;
  }
}

function sum(numbers: ReadonlyMap<string, number>): number {
  return [...numbers.values()].reduce((sum, number) => sum + number, 0);
}

/** A number of layers in words. */
export function layersText(count: number): string {
  return count === 1 ? "1 layer" : `${count} layers`;
}

/** A number of bytes in the largest unit: `70.9 MB`. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, at] = [bytes, 0];
  for (; value >= 999.95 && at < units.length - 1; at++) value /= 1000;
  return `${at === 0 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}

/** The beginning of a digest, by which people tell them apart. */
export function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, 12);
}
