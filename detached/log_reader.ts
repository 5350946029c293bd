/**
 * Reads a log that is being written, and that goes on in a new file now and then.
 *
 * @module
 */

import { concat } from "../ffi/concat.ts";
import { ifThere } from "../ffi/missing.ts";
import { linux } from "../mod.ts";

const FLAGS = linux.O_RDONLY | linux.O_NOFOLLOW | linux.O_CLOEXEC;

/** A log, and how far it was read. */
export class LogReader implements Disposable {
  readonly #path: string;
  #file: linux.OwnedFd | undefined;

  /** Begins with the older part of the log, `PATH.1`. */
  constructor(path: string) {
    this.#path = path;
    this.#file = open(`${path}.1`) ?? open(path);
  }

  /** Passes on what was added since the last time. */
  read(take: (bytes: Uint8Array<ArrayBuffer>) => void): void {
    for (;;) {
      const next = this.#next();
      this.#readFile(take);
      if (next === undefined) return;
      // What was written between the look at the new file and the end of the old one was read, too.
      this.#file?.close();
      this.#file = next;
    }
  }

  /** Reads to the end, and returns the last lines; the log has whole ones. */
  last(count: number): Uint8Array<ArrayBuffer> {
    let last = new Uint8Array();
    this.read((part) => {
      const bytes = concat([last, part]);
      last = bytes.subarray(startOf(bytes, count));
    });
    return last;
  }

  /** The file that follows the one that is read, if there is one. */
  #next(): linux.OwnedFd | undefined {
    // In this order, as the newest becomes the older one.
    const [newest, older] = [open(this.#path), open(`${this.#path}.1`)];
    const [isNewest, isOlder] = [newest, older].map((file) => isSame(file, this.#file));
    const next = isNewest ? undefined : isOlder ? newest : older ?? newest;
    for (const file of [newest, older]) if (file !== next) file?.close();
    return next;
  }

  #readFile(take: (bytes: Uint8Array<ArrayBuffer>) => void): void {
    if (this.#file === undefined) return;
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = linux.read(this.#file, buffer);
      if (count === 0) return;
      take(buffer.slice(0, count));
    }
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#file?.close();
  }
}

const NEWLINE = 10;

/** Where the last lines begin. */
function startOf(bytes: Uint8Array, count: number): number {
  if (count === 0) return bytes.length;
  let at = bytes.length - 1;
  for (let lines = 0; at > 0; at--) {
    if (bytes[at - 1] === NEWLINE && ++lines === count) break;
  }
  return Math.max(at, 0);
}

function open(path: string): linux.OwnedFd | undefined {
  return ifThere(() => linux.open(path, FLAGS));
}

function isSame(one: linux.OwnedFd | undefined, other: linux.OwnedFd | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const [a, b] = [one, other].map((file) => linux.statx(file, "", linux.AT_EMPTY_PATH));
  return a!.ino === b!.ino && a!.dev === b!.dev;
}
