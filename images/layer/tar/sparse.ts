/**
 * The maps of sparse files: which parts of a file an archive holds. GNU tar has four forms of them;
 * bsdtar writes the last one unasked.
 *
 * @module
 */

import { decodeName } from "../../../ffi/file_name.ts";
import { ArchiveError } from "../errors.ts";
import type { Segment } from "./entry.ts";
import { numberOf } from "./numbers.ts";
import { paxNumber, type PaxRecord } from "./pax.ts";

/** The most segments of a map; more are an attack on memory. */
export const MOST_SEGMENTS = 1 << 20;

const FIELD = 12;

/** The segments in an old GNU header, or in one of the blocks behind it. */
export function oldSegments(block: Uint8Array, start: number, count: number): Segment[] {
  const segments: Segment[] = [];
  for (let index = 0; index < count; index++) {
    const at = start + index * 2 * FIELD;
    // An entry that is not used ends the list.
    if (block[at + FIELD] === 0) break;
    segments.push({
      offset: numberOf(block.subarray(at, at + FIELD), "offset in a sparse file"),
      length: numberOf(block.subarray(at + FIELD, at + 2 * FIELD), "length in a sparse file"),
    });
  }
  return segments;
}

/** The segments in the records of an extended header: formats 0.0 and 0.1. */
export function paxSegments(records: readonly PaxRecord[]): Segment[] | undefined {
  const map = records.findLast(({ key }) => key === "GNU.sparse.map");
  if (map !== undefined) {
    const text = decodeName(map.value);
    return text === "" ? [] : pairs(text.split(",").map(decimal));
  }
  const numbers = records.filter(({ key }) =>
    key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes"
  );
  if (numbers.length === 0) return undefined;
  return pairs(numbers.map(({ key, value }, index) => {
    const wanted = index % 2 === 0 ? "GNU.sparse.offset" : "GNU.sparse.numbytes";
    if (key !== wanted) throw broken("its offsets and lengths do not alternate");
    return paxNumber(value, key);
  }));
}

/** Reads the map in front of a file's data: format 1.0. It takes whole blocks until the map ends. */
export class SparseMapReader {
  #wanted = -1;
  #numbers: number[] = [];
  #digits = "";

  /** Takes a block, and returns the map once it is whole. */
  push(block: Uint8Array): Segment[] | undefined {
    for (const byte of block) {
      if (byte !== 0x0a) {
        this.#digits += String.fromCharCode(byte);
        if (this.#digits.length > 20) throw broken("its numbers are no numbers");
        continue;
      }
      const number = decimal(this.#digits);
      this.#digits = "";
      if (this.#wanted < 0) {
        if (number > MOST_SEGMENTS) throw broken(`it has more than ${MOST_SEGMENTS} parts`);
        this.#wanted = number * 2;
      } else {
        this.#numbers.push(number);
      }
      if (this.#numbers.length === this.#wanted) return pairs(this.#numbers);
    }
    return undefined;
  }
}

/**
 * Checks a map: its parts are in order, lie within the file, and are as long as what is stored.
 *
 * @throws {ArchiveError} if it is not so
 */
export function checkSegments(segments: readonly Segment[], size: number, stored: number): void {
  let [end, sum] = [0, 0];
  for (const { offset, length } of segments) {
    if (offset < end) throw broken("its parts overlap, or are out of order");
    end = offset + length;
    sum += length;
    if (end > size) throw broken("a part lies behind the end of the file");
  }
  if (sum !== stored) {
    throw broken(`its parts have ${sum} bytes, and the archive holds ${stored} of them`);
  }
}

function pairs(numbers: readonly number[]): Segment[] {
  if (numbers.length % 2 !== 0) throw broken("an offset has no length");
  if (numbers.length / 2 > MOST_SEGMENTS) throw broken(`it has more than ${MOST_SEGMENTS} parts`);
  const segments: Segment[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    segments.push({ offset: numbers[at]!, length: numbers[at + 1]! });
  }
  return segments;
}

function decimal(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw broken("its numbers are no numbers");
  }
  return number;
}

function broken(why: string): ArchiveError {
  return new ArchiveError(`the map of a sparse file is broken: ${why}`);
}
