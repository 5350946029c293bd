/**
 * Files by their names: those of a directory, or of an archive.
 *
 * @module
 */

import { ImageError } from "../errors.ts";
import { ArchiveError } from "../layer/mod.ts";

/** How much is read at once. */
const PART = 1 << 18;

/** Files by their names. */
export interface FileSet {
  /** Where they are, for errors. */
  readonly path: string;
  /** The size of a file; `undefined` if there is none. */
  size(name: string): Promise<number | undefined>;
  /** The bytes of a file from an offset on. */
  parts(name: string, offset?: number): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** The files of a directory. */
export class DirectoryFiles implements FileSet {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Opens a directory.
   *
   * @throws {ImageError} where there is none
   */
  static async open(path: string): Promise<DirectoryFiles> {
    try {
      if ((await Deno.stat(path)).isDirectory) return new DirectoryFiles(path);
    } catch (error) {
      throw unreadable(path, error);
    }
    throw new ImageError(`${path} is no directory`, {
      code: "not-found",
      advice: [`an archive is oci-archive:${path} or docker-archive:${path}`],
    });
  }

  async size(name: string): Promise<number | undefined> {
    try {
      const state = await Deno.stat(`${this.path}/${name}`);
      // To open a pipe or a device would have effects.
      return state.isFile ? state.size : undefined;
    } catch (error) {
      const isMissing = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotADirectory;
      if (isMissing) return undefined;
      throw unreadable(this.path, error);
    }
  }

  async *parts(name: string, offset = 0): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (await this.size(name) === undefined) throw missing(this.path, name);
    yield* partsOf(`${this.path}/${name}`, offset, Infinity);
  }
}

/** The parts of a file, from an offset on. */
export async function* partsOf(
  path: string,
  offset: number,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = await open(path);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let left = size; left > 0;) {
    const part = new Uint8Array(Math.min(PART, left));
    const count = await file.read(part);
    if (count === null) return;
    yield part.subarray(0, count);
    left -= count;
  }
}

async function open(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Reads a whole file of the set, which must not be large. */
export async function readFileOf(files: FileSet, name: string, limit: number): Promise<Uint8Array> {
  const size = await files.size(name);
  if (size === undefined) throw missing(files.path, name);
  if (size > limit) {
    throw new ImageError(`${name} in ${files.path} has ${size} bytes, and ${limit} are the most`, {
      code: "invalid",
    });
  }
  const parts = await Array.fromAsync(files.parts(name));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function missing(path: string, name: string): ImageError {
  return new ImageError(`${path} has no file ${name}`, { code: "not-found" });
}

/** The error of files that cannot be read. */
export function unreadable(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotFound) {
    return new ImageError(`there is no ${path}`, { code: "not-found", cause: error });
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new ImageError(`${path} cannot be read: this user may not`, {
      code: "denied",
      cause: error,
    });
  }
  if (error instanceof ArchiveError) {
    return new ImageError(`${path} is no archive that can be read: ${error.message}`, {
      code: "invalid",
      cause: error,
    });
  }
  return error;
}
