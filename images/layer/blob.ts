/**
 * The bytes of a blob on disk, read once: hashed and counted on the way.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { LayerError } from "./errors.ts";

const PIECE = 256 * 1024;

/** The algorithms of digests, and how many hexadecimal digits they have. */
const ALGORITHMS: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

/**
 * Begins a hash of the algorithm that a digest names.
 *
 * @throws {LayerError} if it is not `sha256:` or `sha512:` with its digits
 */
export function hashFor(digest: string, name: string): Hash {
  const [algorithm = "", digits = ""] = digest.split(":");
  if (ALGORITHMS[algorithm] !== digits.length || !/^[0-9a-f]+$/.test(digits)) {
    throw new LayerError(
      `the ${name} ${JSON.stringify(digest)} is none that can be checked; ` +
        "expected sha256: or sha512: with their digits",
      { code: "unsupported" },
    );
  }
  return createHash(algorithm);
}

/** A blob that is read from its beginning to its end. */
export class BlobReader implements Disposable {
  readonly #hash: Hash | undefined;
  readonly #fd: number;
  /** Pieces that were looked at, and are not taken yet. */
  readonly #ahead: Uint8Array[] = [];
  #position = 0;
  #closed = false;

  /**
   * Opens it.
   *
   * @param digest what its digest has to be, by which the algorithm is known
   */
  constructor(path: string, digest?: string) {
    this.#hash = digest === undefined ? undefined : hashFor(digest, "digest");
    this.#fd = openSync(path, "r");
  }

  /** How many bytes were read of the disk. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes; `undefined` at the end. */
  next(): Uint8Array<ArrayBuffer> | undefined {
    return (this.#ahead.shift() as Uint8Array<ArrayBuffer> | undefined) ?? this.#read();
  }

  /** The first bytes, at least as many if there are, which {@linkcode next} gives again. */
  peek(size: number): Uint8Array {
    let bytes = this.next() ?? new Uint8Array();
    while (bytes.length < size) {
      const more = this.next();
      if (more === undefined) break;
      const both = new Uint8Array(bytes.length + more.length);
      both.set(bytes);
      both.set(more, bytes.length);
      bytes = both;
    }
    if (bytes.length > 0) this.#ahead.unshift(bytes);
    return bytes;
  }

  /** The hash of what was read, in hexadecimal digits; nothing is read afterwards. */
  get digest(): string {
    return this.#hash!.digest("hex");
  }

  /** Reads what is left. */
  readToEnd(): void {
    while (this.#read() !== undefined);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    if (!this.#closed) closeSync(this.#fd);
    this.#closed = true;
  }

  #read(): Uint8Array<ArrayBuffer> | undefined {
    const piece = new Uint8Array(PIECE);
    const count = readSync(this.#fd, piece);
    if (count === 0) return undefined;
    this.#position += count;
    const bytes = piece.subarray(0, count);
    this.#hash?.update(bytes);
    return bytes;
  }
}
