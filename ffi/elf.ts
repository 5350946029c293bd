/**
 * What an ELF file asks for before it can run: its interpreter and its libraries. See elf(5).
 *
 * @module
 */

/** Bytes of a file from an offset: as many as asked for, or fewer at its end. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** What a program or a library needs. */
export interface Elf {
  /** The kind of machine that it is made for: `e_machine`, 62 for x86_64. */
  readonly machine: number;
  /** Who loads it: PT_INTERP. Static programs, and most libraries, have none. */
  readonly interpreter: string | undefined;
  /** Its name, when it is a library: DT_SONAME. */
  readonly soname: string | undefined;
  /** The libraries that it needs, in their order: DT_NEEDED. */
  readonly needed: readonly string[];
  /** Where its own libraries are looked for: DT_RUNPATH, `$ORIGIN` and the like still in it. */
  readonly runpath: readonly string[];
  /** The older form, which counts for the libraries of its libraries too: DT_RPATH. */
  readonly rpath: readonly string[];
  /** Whether it is not to get libraries from the system's directories: DF_1_NODEFLIB. */
  readonly noDefaultDirectories: boolean;
}

const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3 } as const;
const DT = {
  NULL: 0,
  NEEDED: 1,
  STRTAB: 5,
  SONAME: 14,
  RPATH: 15,
  RUNPATH: 29,
  FLAGS_1: 0x6ffffffb,
} as const;
const DF_1_NODEFLIB = 0x800;

const HEADER_SIZE = 64;
const ENTRY_SIZE = 16;

/** More than any file has: a larger number is one of a damaged file. */
const MOST_ENTRIES = 4096;

/** Reads it; `undefined` where the file is no whole ELF file of 64 bits, little endian. */
export function readElf(readAt: ReadAt): Elf | undefined {
  const header = view(readAt(0, HEADER_SIZE));
  // 0x7f "ELF", and then: 64 bits, little endian.
  if (header.byteLength < HEADER_SIZE || header.getUint32(0) !== 0x7f454c46) return undefined;
  if (header.getUint16(4) !== 0x0201) return undefined;
  const segments = readSegments(readAt, header);
  if (segments === undefined) return undefined;
  const interpreter = segments.find(({ type }) => type === PT.INTERP);
  const dynamic = segments.find(({ type }) => type === PT.DYNAMIC);
  const entries = dynamic === undefined ? [] : readDynamic(readAt, dynamic);
  const of = (tag: number) => entries.filter((entry) => entry.tag === tag);
  const strings = offsetOf(segments, of(DT.STRTAB)[0]?.value);
  const texts = (tag: number) =>
    strings === undefined ? [] : of(tag).map(({ value }) => textAt(readAt, strings + value));
  const paths = (tag: number) => texts(tag).flatMap((text) => text.split(":")).filter(Boolean);
  return {
    machine: header.getUint16(18, true),
    interpreter: interpreter && textAt(readAt, interpreter.offset),
    soname: texts(DT.SONAME)[0],
    needed: texts(DT.NEEDED),
    runpath: paths(DT.RUNPATH),
    rpath: paths(DT.RPATH),
    noDefaultDirectories: of(DT.FLAGS_1).some(({ value }) => (value & DF_1_NODEFLIB) !== 0),
  };
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function readSegments(readAt: ReadAt, header: DataView): Segment[] | undefined {
  const [offset, size, count] = [
    Number(header.getBigUint64(32, true)),
    header.getUint16(54, true),
    header.getUint16(56, true),
  ];
  const table = view(readAt(offset, size * count));
  if (size < 56 || table.byteLength < size * count) return undefined;
  return Array.from({ length: count }, (_, index) => ({
    type: table.getUint32(index * size, true),
    offset: Number(table.getBigUint64(index * size + 8, true)),
    address: Number(table.getBigUint64(index * size + 16, true)),
    size: Number(table.getBigUint64(index * size + 32, true)),
  }));
}

function readDynamic(readAt: ReadAt, { offset, size }: Segment): { tag: number; value: number }[] {
  const table = view(readAt(offset, Math.min(size, MOST_ENTRIES * ENTRY_SIZE)));
  const entries: { tag: number; value: number }[] = [];
  for (let at = 0; at + ENTRY_SIZE <= table.byteLength; at += ENTRY_SIZE) {
    const tag = Number(table.getBigInt64(at, true));
    if (tag === DT.NULL) break;
    entries.push({ tag, value: Number(table.getBigUint64(at + 8, true)) });
  }
  return entries;
}

/** Where in the file lies what is loaded at an address. */
function offsetOf(segments: readonly Segment[], address: number | undefined): number | undefined {
  if (address === undefined) return undefined;
  const holder = segments.find((segment) =>
    segment.type === PT.LOAD && address >= segment.address &&
    address < segment.address + segment.size
  );
  return holder && holder.offset + address - holder.address;
}

/** A text that ends in NUL. */
function textAt(readAt: ReadAt, offset: number): string {
  const bytes = readAt(offset, 4096);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end === -1 ? bytes.length : end));
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
