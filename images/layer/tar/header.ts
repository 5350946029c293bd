/**
 * The header of a file in an archive: a block of 512 bytes. See tar(5).
 *
 * @module
 */

import { decodeName } from "../../../ffi/file_name.ts";
import { ArchiveError } from "../errors.ts";
import { numberOf } from "./numbers.ts";

/** Archives consist of blocks of this size. */
export const BLOCK = 512;

/** The fields of a header as they stand there. */
export interface Header {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** The letter of the type; NUL is an old regular file. */
  readonly type: string;
  readonly target: string;
  readonly major: number;
  readonly minor: number;
  /** Whether libarchive has written it: it ends the mode with a space and a NUL, others with a NUL. */
  readonly libarchive: boolean;
}

const [NAME, MODE, UID, GID, SIZE, MTIME, CHECKSUM, TYPE, TARGET, MAGIC, MAJOR, MINOR, PREFIX] = [
  [0, 100],
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
  [148, 8],
  [156, 1],
  [157, 100],
  [257, 8],
  [329, 8],
  [337, 8],
  [345, 155],
] as const;

type Field = readonly [start: number, length: number];

const SPACE = 0x20;

/** Whether the block is the header that its checksum says, which early tars summed up as signed. */
export function isHeader(block: Uint8Array): boolean {
  // The field of the checksum itself counts as spaces.
  let [sum, high] = [CHECKSUM[1] * SPACE, 0];
  for (let at = 0; at < BLOCK; at++) {
    if (at === CHECKSUM[0]) at += CHECKSUM[1];
    const byte = block[at]!;
    sum += byte;
    high += byte >> 7;
  }
  try {
    const stored = numberOf(fieldOf(block, CHECKSUM), "checksum");
    return stored === sum || stored === sum - 0x100 * high;
  } catch {
    return false;
  }
}

/** Whether all of the block is zeros. */
export function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/**
 * Reads a header.
 *
 * @throws {ArchiveError} if its checksum is wrong, or a field is no number
 */
export function readHeader(block: Uint8Array): Header {
  if (!isHeader(block)) {
    throw new ArchiveError("a header has a wrong checksum, as where it is no tar archive");
  }
  const magic = textOf(block, MAGIC);
  const posix = magic.startsWith("ustar") && block[MAGIC[0] + 5] === 0;
  const gnu = magic === "ustar  ";
  const libarchive = block[MODE[0] + 6] === SPACE && block[MODE[0] + 7] === 0;
  const number = (field: Field, name: string) => numberOf(fieldOf(block, field), name, libarchive);
  const prefix = posix ? textOf(block, prefixField(block)) : "";
  const name = textOf(block, NAME);
  const type = String.fromCharCode(block[TYPE[0]]!);
  const isDevice = type === "3" || type === "4";
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: number(MODE, "mode") & 0o7777,
    uid: number(UID, "uid"),
    gid: number(GID, "gid"),
    size: number(SIZE, "size"),
    mtime: number(MTIME, "time"),
    type,
    target: textOf(block, TARGET),
    major: isDevice && (posix || gnu) ? number(MAJOR, "major number") : 0,
    minor: isDevice && (posix || gnu) ? number(MINOR, "minor number") : 0,
    libarchive,
  };
}

/** star keeps two times behind a shorter prefix. */
function prefixField(block: Uint8Array): Field {
  const star = String.fromCharCode(...block.subarray(508, 512)) === "tar\0" && block[475] === 0;
  return star ? [PREFIX[0], 131] : PREFIX;
}

function fieldOf(block: Uint8Array, [start, length]: Field): Uint8Array {
  return block.subarray(start, start + length);
}

function textOf(block: Uint8Array, field: Field): string {
  return untilNul(fieldOf(block, field));
}

/** The name in these bytes, up to the first NUL. */
export function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeName(end < 0 ? bytes : bytes.subarray(0, end));
}
