/**
 * The files of a tar archive, each read at its place in the archive.
 *
 * @module
 */

import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type IndexedEntry, readTarIndex } from "../layer/mod.ts";
import { ImageError } from "../errors.ts";
import type { Session } from "../store/session.ts";
import { type FileSet, partsOf, unreadable } from "./file_set.ts";

/** The most links that are followed from one name to the next. */
const LINKS = 8;

/**
 * Opens an archive; one that is compressed as a whole is decompressed first.
 *
 * @param maxBytes the most that it may become then
 * @throws {ImageError} where there is none, or it becomes more
 */
export async function openArchive(
  path: string,
  session: Session,
  maxBytes: number,
): Promise<FileSet> {
  try {
    const plain = await isGzip(path) ? await decompressed(path, session, maxBytes) : path;
    return new ArchiveFiles(path, plain, readTarIndex(plain));
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function isGzip(path: string): Promise<boolean> {
  if (!(await Deno.stat(path)).isFile) {
    throw new ImageError(`${path} is no archive, but a directory`, {
      code: "not-found",
      advice: [`an image layout is oci:${path}`],
    });
  }
  using file = await Deno.open(path);
  const magic = new Uint8Array(2);
  return await file.read(magic) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
}

async function decompressed(path: string, session: Session, maxBytes: number): Promise<string> {
  const plain = session.temporary();
  await pipeline(
    createReadStream(path),
    createGunzip({ chunkSize: 1 << 18 }),
    (pieces: AsyncIterable<Uint8Array>) => bounded(path, pieces, maxBytes),
    createWriteStream(plain),
  );
  return plain;
}

async function* bounded(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > maxBytes) {
      throw new ImageError(`${path} becomes more than ${maxBytes} bytes, and these are the most`, {
        code: "too-large",
        advice: ["allow more, if you want it: maxBytes, or --max-size"],
      });
    }
    yield piece;
  }
}

/** The files of an archive. */
class ArchiveFiles implements FileSet {
  readonly path: string;
  readonly #plain: string;
  readonly #entries: ReadonlyMap<string, IndexedEntry>;

  constructor(path: string, plain: string, entries: readonly IndexedEntry[]) {
    this.path = path;
    this.#plain = plain;
    this.#entries = new Map(entries.map((entry) => [normal(entry.name), entry]));
  }

  size(name: string): Promise<number | undefined> {
    return Promise.resolve(this.#find(name)?.size);
  }

  async *parts(name: string, offset = 0): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const entry = this.#find(name);
    if (entry === undefined) {
      throw new ImageError(`${this.path} has no file ${name}`, { code: "not-found" });
    }
    yield* partsOf(this.#plain, entry.offset + offset, entry.size - offset);
  }

  /** The file of a name; skopeo and docker have links from one name to another. */
  #find(name: string): IndexedEntry | undefined {
    let path = normal(name);
    for (let count = 0; count < LINKS; count++) {
      const entry = this.#entries.get(path);
      if (entry?.kind === "file") return entry;
      if (entry?.kind === "symlink") path = normal(`${path}/../${entry.target}`);
      else if (entry?.kind === "hardlink") path = normal(entry.target!);
      else return undefined;
    }
    return undefined;
  }
}

/** A name without `.`, `..` and empty parts, which cannot lead out of the archive. */
function normal(name: string): string {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
