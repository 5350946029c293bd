/**
 * Copies a file, a link, or a directory with all that is in it, from one place to another: from
 * this machine into a container, or out of it.
 *
 * Whatever is in the container may be hostile: links are copied as links and never followed, modes
 * lose their set-user-ID bits, and a file is copied as far as it went when it was opened.
 *
 * @module
 */

import { Output, ResultOf } from "../../ffi/call.ts";
import {
  fchmod,
  ftruncate,
  mkdirat,
  O_CREAT,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  readlinkat,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  symlinkat,
  unlinkat,
} from "../../ffi/calls/files.ts";
import { decodeName } from "../../ffi/file_name.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { fileError } from "./file_error.ts";
import { copyData } from "./contents.ts";
import { opening, parentOf, type Spot, Status } from "./place.ts";
import { entriesOf, openWithStatus, requireDepth, typed } from "./tree.ts";

/** What bounds a copy. */
export interface CopyBounds {
  /** The most bytes that are copied in all; more is an error. */
  readonly maxBytes?: number;
}

/** What was copied. */
export interface Copied {
  /** How many files, directories and links. */
  readonly entries: number;
  /** How many bytes of files. */
  readonly bytes: number;
}

const PATH_MAX = 4096;
/** The permissions that a copy keeps: none that gives a program the rights of its owner. */
const PERMISSIONS = 0o777;

/** One copy, of however many files. */
export class Copy {
  readonly #maxBytes: number;
  #entries = 0;
  #bytes = 0;

  constructor({ maxBytes = Infinity }: CopyBounds) {
    this.#maxBytes = maxBytes;
  }

  get copied(): Copied {
    return { entries: this.#entries, bytes: this.#bytes };
  }

  /**
   * Copies what is at one spot to another, which has no other name than that.
   *
   * @param type what the directory says that it is, if it is known
   */
  async run(from: Spot, to: Spot, type?: number, depth = 0): Promise<void> {
    requireDepth(from, depth);
    try {
      await this.#copy(from, to, type ?? typeOf(from), depth);
    } catch (error) {
      const [source, target] = [from, to].map(({ place, shown }) => place.named(shown));
      throw fileError(error, `cannot copy ${source} to ${target}`);
    }
    this.#entries++;
  }

  async #copy(from: Spot, to: Spot, type: number, depth: number): Promise<void> {
    if (type === S_IFREG) await this.#copyFile(from, to);
    else if (type === S_IFDIR) await this.#copyDirectory(from, to, depth);
    else if (type === S_IFLNK) copyLink(from, to);
    else throw notCopied(from);
  }

  async #copyFile(from: Spot, to: Spot): Promise<void> {
    using source = openWithStatus(from, O_RDONLY);
    const { mode, size } = source.status;
    if ((mode & S_IFMT) !== S_IFREG) throw notCopied(from);
    this.#bytes += size;
    if (this.#bytes > this.#maxBytes) {
      throw new RangeError(
        `${from.place.named(from.shown)} makes the copy larger than maxBytes, ${this.#maxBytes}`,
      );
    }
    using target = openWithStatus(to, O_WRONLY | O_CREAT, mode & PERMISSIONS);
    if ((target.status.mode & S_IFMT) !== S_IFREG) throw notCopied(to);
    syscall(ftruncate(target.fd, 0));
    await copyData(source.fd, target.fd, size);
  }

  async #copyDirectory(from: Spot, to: Spot, depth: number): Promise<void> {
    using source = openWithStatus(from, O_RDONLY | O_DIRECTORY);
    const { calls, parent, name } = parentOf(to);
    const mode = source.status.mode & PERMISSIONS;
    // Its owner may write in it until all is copied.
    const making = mkdirat(parent, name, mode | S_IRWXU);
    const made = to.place.make([...calls, { call: making, accept: ["EEXIST"] }]);
    using target = openWithStatus(to, O_RDONLY | O_DIRECTORY);
    for (const entries of entriesOf(source.fd)) {
      for (const { name, type } of typed(from.place, source.fd, entries)) {
        await this.run(within(from, source.fd, name), within(to, target.fd, name), type, depth + 1);
      }
    }
    const isNew = made.result.result(making) === 0n;
    if (isNew && (mode & S_IRWXU) !== S_IRWXU) to.place.make([{ call: fchmod(target.fd, mode) }]);
  }
}

/** All permissions of the owner. */
const S_IRWXU = 0o700;

function copyLink(from: Spot, to: Spot): void {
  const [source, target] = [parentOf(from), parentOf(to)];
  const text = new Output(PATH_MAX, "&target");
  const reading = readlinkat(source.parent, source.name, text);
  const { result } = from.place.make([...source.calls, { call: reading }]);
  const { buffer, byteOffset } = result.output(text);
  const link = decodeName(new Uint8Array(buffer, byteOffset, Number(result.result(reading))));
  const making = symlinkat(link, target.parent, target.name);
  to.place.make([
    ...target.calls,
    { call: unlinkat(target.parent, target.name, 0), accept: ["ENOENT"] },
    { call: making },
  ]);
}

/** The entry of an open directory. */
function within({ place, shown }: Spot, directory: number, path: string): Spot {
  return { place, directory, path, shown: `${shown}/${path}` };
}

/** The type of what a path leads to. */
function typeOf(spot: Spot): number {
  const found = opening(spot, O_PATH);
  const status = new Status(new ResultOf(found, "fd"));
  return status.of(spot.place.make([{ call: found }, { call: status.call }])).mode & S_IFMT;
}

function notCopied({ place, shown }: Spot): Error {
  const what = "files, directories and links are copied, and no devices, pipes and sockets";
  return new TypeError(`${place.named(shown)} is none of these: ${what}`);
}
