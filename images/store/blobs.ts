/**
 * The blobs of the store: files that are named by their digest. One is written under another name, which
 * is its lock too, and gets its own once it is whole and checked: what a killed process has left of it is
 * gone on with.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Hash } from "node:crypto";
import type { Descriptor } from "../descriptor.ts";
import { algorithmOf, encodedOf, hashFor, wrongDigest, wrongSize } from "../digest.ts";
import { FileLock, statIfThere } from "./file_lock.ts";
import { namingFile, syncDirectory, writeAll } from "./files.ts";

/** What a download gives instead of bytes where it begins again with the first one. */
export const RESTART: unique symbol = Symbol("restart");

/** Gives the bytes of a blob, from an offset on. */
export type Download = (offset: number) => AsyncIterable<Uint8Array | typeof RESTART>;

/** Options of {@linkcode BlobFiles.add}. */
export interface AddBlobOptions {
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how many bytes there are so far. */
  readonly progress?: ((bytes: number) => void) | undefined;
}

/** The blobs of a store. */
export class BlobFiles {
  readonly #directory: string;
  readonly #partial: string;

  /** @param partial the directory of blobs that are not whole yet */
  constructor(directory: string, partial: string) {
    this.#directory = directory;
    this.#partial = partial;
  }

  /** The path of a blob, whether it is there or not. */
  path(digest: string): string {
    return `${this.#directory}/${algorithmOf(digest)}/${encodedOf(digest)}`;
  }

  /**
   * Whether the blob is there.
   *
   * @throws {ImageError} where it has another size than the descriptor says
   */
  async has({ digest, size }: Pick<Descriptor, "digest" | "size">): Promise<boolean> {
    const state = await statIfThere(this.path(digest));
    if (state !== undefined && state.size !== size) {
      throw wrongSize(`the blob ${digest}`, size, state.size);
    }
    return state !== undefined;
  }

  /**
   * Adds a blob, unless it is there. Where somebody else is adding it, it waits for that.
   *
   * @returns whether it was downloaded
   * @throws {ImageError} where what comes has another size or digest
   */
  async add(
    blob: Descriptor,
    download: Download,
    { signal, progress }: AddBlobOptions = {},
  ): Promise<boolean> {
    if (await this.has(blob)) return false;
    const path = this.path(blob.digest);
    const partial = `${this.#partial}/${algorithmOf(blob.digest)}-${encodedOf(blob.digest)}`;
    using lock = await FileLock.acquirePassing(partial, { remove: false, signal });
    if (await this.has(blob)) {
      await Deno.remove(partial);
      return false;
    }
    await namingFile(path, () => fill(lock.file, blob, download, { signal, progress }));
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.chmod(partial, 0o644);
    await lock.file.sync();
    await Deno.rename(partial, path);
    await syncDirectory(path.slice(0, path.lastIndexOf("/")));
    return true;
  }
}

/** Fills the file with the blob, from where it ends. */
async function fill(
  file: Deno.FsFile,
  blob: Descriptor,
  download: Download,
  options: AddBlobOptions,
): Promise<void> {
  const before = await Filling.of(file, blob, options);
  const had = before.size;
  try {
    await before.run(download);
  } catch (error) {
    // What was there before may be damaged: the machine has crashed, or it was another's.
    if (had === 0 || !isMismatch(error)) throw error;
    await (await Filling.from(file, blob, options)).run(download);
  }
}

function isMismatch(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "digest";
}

/** A file that is being filled with a blob. */
class Filling {
  readonly #file: Deno.FsFile;
  readonly #blob: Descriptor;
  readonly #options: AddBlobOptions;
  #hash: Hash;
  /** How many bytes it has. */
  size = 0;

  private constructor(file: Deno.FsFile, blob: Descriptor, options: AddBlobOptions) {
    this.#file = file;
    this.#blob = blob;
    this.#options = options;
    this.#hash = hashFor(blob.digest);
  }

  /** Goes on with what is in the file. */
  static async of(file: Deno.FsFile, blob: Descriptor, options: AddBlobOptions): Promise<Filling> {
    const { size } = await file.stat();
    const filling = await Filling.from(file, blob, options, size > blob.size);
    if (size > blob.size) return filling;
    const buffer = new Uint8Array(1 << 18);
    for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
      filling.#count(buffer.subarray(0, count));
    }
    return filling;
  }

  /** Begins anew. */
  static async from(
    file: Deno.FsFile,
    blob: Descriptor,
    options: AddBlobOptions,
    truncate = true,
  ): Promise<Filling> {
    const filling = new Filling(file, blob, options);
    await file.seek(0, Deno.SeekMode.Start);
    if (truncate) await file.truncate(0);
    return filling;
  }

  async run(download: Download): Promise<void> {
    const { signal } = this.#options;
    if (this.size < this.#blob.size) {
      for await (const part of download(this.size)) {
        signal?.throwIfAborted();
        if (part === RESTART) await this.#restart();
        else await this.#write(part);
      }
    }
    await this.#check();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#count(bytes);
    if (this.size > this.#blob.size) await this.#refuse();
    await writeAll(this.#file, bytes);
  }

  #count(bytes: Uint8Array): void {
    this.#hash.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.size += bytes.length;
    this.#options.progress?.(this.size);
  }

  async #restart(): Promise<void> {
    await this.#file.seek(0, Deno.SeekMode.Start);
    await this.#file.truncate(0);
    this.#hash = hashFor(this.#blob.digest);
    this.size = 0;
    this.#options.progress?.(0);
  }

  async #check(): Promise<void> {
    const { digest, size } = this.#blob;
    if (this.size !== size) await this.#refuse();
    const found = `${algorithmOf(digest)}:${this.#hash.digest("hex")}`;
    if (found === digest) return;
    await this.#file.truncate(0);
    throw wrongDigest(`the blob ${digest}`, digest, found);
  }

  async #refuse(): Promise<never> {
    const { digest, size } = this.#blob;
    await this.#file.truncate(0);
    throw wrongSize(`the blob ${digest}`, size, this.size);
  }
}
