/**
 * A file of an archive while its data come: a small one is kept until it is whole, and made by one
 * batch; a large one is open meanwhile.
 *
 * @module
 */

import type { Disk, OpenFile } from "./disk.ts";
import type { Piece, Place, Report } from "./file_batch.ts";
import type { PlacedAttributes } from "./owners.ts";
import type { TarEntry } from "./tar/entry.ts";

/** Data up to this size, in so many parts, are kept until the file is whole. */
const [SMALL, FEW_PARTS] = [1 << 20, 64];

/** A file whose data are being read. */
export class FileReading {
  readonly #disk: Disk;
  readonly #do: (job: () => Promise<void>) => void;
  readonly #place: Place;
  readonly #isSmall: boolean;
  readonly #pieces: Piece[] = [];
  /** The copies among the pieces, which are the first of them. */
  readonly #copies: Uint8Array<ArrayBuffer>[] = [];
  #file: OpenFile | undefined;
  /** How many bytes were read; and in which part of a sparse file, and how many of that. */
  #read = 0;
  #segment = 0;
  #segmentRead = 0;

  /**
   * Begins a file.
   *
   * @param path its path, for reports
   * @param doIt has something done on the disk, behind what was to be done before
   */
  constructor(
    readonly entry: TarEntry,
    place: Place,
    readonly path: string,
    disk: Disk,
    doIt: (job: () => Promise<void>) => void,
  ) {
    this.#place = place;
    this.#disk = disk;
    this.#do = doIt;
    const { stored, segments } = entry;
    this.#isSmall = stored <= SMALL && (segments?.length ?? 0) <= FEW_PARTS;
    if (this.#isSmall) return;
    doIt(async () => {
      this.#file = await disk.openFile(place);
    });
  }

  /** Takes data. */
  push(bytes: Uint8Array): void {
    for (const piece of this.#piecesOf(bytes)) {
      if (this.#isSmall) this.#pieces.push(piece);
      else this.#do(() => this.#disk.writeFile(this.#file!, piece));
    }
    this.#read += bytes.length;
  }

  /** Copies the data that it keeps, as the memory in which they came is given back. */
  own(): void {
    for (let index = this.#copies.length; index < this.#pieces.length; index++) {
      const { offset, bytes } = this.#pieces[index]!;
      const copy = new Uint8Array(bytes);
      this.#copies.push(copy);
      this.#pieces[index] = { offset, bytes: copy };
    }
  }

  /** Ends it. */
  finish(attributes: PlacedAttributes, report: Report): void {
    const { size, segments, stored } = this.entry;
    if (this.#isSmall) {
      const content = { pieces: this.#pieces, size };
      this.#do(async () => {
        await this.#disk.makeFile(this.#place, attributes, content, report);
        for (const copy of this.#copies) this.#disk.release(copy);
      });
      return;
    }
    const last = segments?.findLast(({ length }) => length > 0);
    const written = last === undefined ? stored : last.offset + last.length;
    this.#do(() => this.#disk.closeFile(this.#file!, attributes, { written, size }, report));
  }

  /** Where the next bytes lie in the file: as they come, or in its segments one after the other. */
  *#piecesOf(bytes: Uint8Array): Generator<Piece> {
    const { segments } = this.entry;
    if (segments === undefined) {
      yield { offset: this.#read, bytes };
      return;
    }
    for (let at = 0; at < bytes.length;) {
      const { offset, length } = segments[this.#segment]!;
      const taken = Math.min(length - this.#segmentRead, bytes.length - at);
      const part = bytes.subarray(at, at + taken);
      if (taken > 0) yield { offset: offset + this.#segmentRead, bytes: part };
      this.#segmentRead += taken;
      at += taken;
      if (this.#segmentRead === length) {
        this.#segment++;
        this.#segmentRead = 0;
      }
    }
  }
}
