/**
 * What the entries of every layer have in common that is written: kinds, names, signs and data.
 *
 * @module
 */

import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
} from "../../ffi/calls/constants/files.ts";
import { readSome } from "../../ffi/engine/transfer.ts";
import { LayerError } from "./errors.ts";
import type { EntryKind } from "./tar/entry.ts";
import { type NewEntry, paddingOf } from "./tar/writer.ts";

/** How the name of a whiteout begins, and the name of the file that makes a directory opaque. */
export const [WHITEOUT, OPAQUE]: readonly [string, string] = [".wh.", ".wh..wh..opq"];

/** The kinds of files by their type in a mode; a socket has none. */
export const KINDS: Readonly<Record<number, EntryKind>> = {
  [S_IFREG]: "file",
  [S_IFLNK]: "symlink",
  [S_IFCHR]: "character",
  [S_IFBLK]: "block",
  [S_IFDIR]: "directory",
  [S_IFIFO]: "fifo",
};

/** A file that is a sign: a whiteout, or one that makes its directory opaque. */
export function signEntry(name: string, mtime: number): NewEntry {
  return { name, kind: "file", mode: 0o600, uid: 0, gid: 0, mtime };
}

/** The bytes of an open file behind its header, which has said the size. */
export function* dataOf(path: string, fd: number, size: number): Generator<Uint8Array> {
  for (let at = 0; at < size;) {
    const piece = readSome(fd) ?? new Uint8Array();
    if (piece.length === 0) {
      throw new LayerError(`${JSON.stringify(path)} became shorter while it was read`, {
        code: "invalid",
      });
    }
    // What was added meanwhile has no room behind the header.
    yield piece.subarray(0, size - at);
    at += piece.length;
  }
  yield paddingOf(size);
}

/**
 * Refuses a name that means something else in a layer.
 *
 * @throws {LayerError} if it begins as that of a whiteout
 */
export function refuseWhiteout(directory: string, name: string): void {
  if (!name.startsWith(WHITEOUT)) return;
  throw new LayerError(
    `${
      JSON.stringify(inside(directory, name))
    } would be taken for a whiteout; no layer can hold it`,
    { code: "unsupported", advice: ["rename or remove it"] },
  );
}

/** The path of a file in a directory; "." is the root. */
export function inside(directory: string, name: string): string {
  return directory === "." ? name : `${directory}/${name}`;
}

/** The files of a layer together, which may not have more bytes than were allowed. */
export class LayerSize {
  #bytes = 0;
  readonly #most: number;

  constructor(most: number = Infinity) {
    this.#most = most;
  }

  /**
   * Adds a file.
   *
   * @throws {LayerError} if it is one too many
   */
  add(path: string, size: number): void {
    this.#bytes += size;
    if (this.#bytes <= this.#most) return;
    throw new LayerError(`${JSON.stringify(path)} makes the layer larger than it may be`, {
      code: "too-large",
      advice: ["remove it, or allow more: maxBytes, or --max-size"],
    });
  }
}

/** The numbers of a device, as makedev() puts them together. */
export function deviceOf(device: number): readonly [major: number, minor: number] {
  return [device >>> 8 & 0xfff, device & 0xff | device >>> 12 & 0xfff00];
}
