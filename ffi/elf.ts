/**
 * What an ELF file needs to run: its interpreter and its libraries. See elf(5).
 *
 * @module
 */

/** Reads bytes of a file from an offset: `length` bytes, or fewer at its end. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** The needs of a program or a library. */
export interface Elf {
  /** Its machine type, `e_machine`: 62 for x86_64. */
  readonly machine: number;
  /** The path of its dynamic loader: PT_INTERP. Static programs and most libraries have none. */
  readonly interpreter: string | undefined;
  /** The name of a library: DT_SONAME. */
  readonly soname: string | undefined;
  /** The libraries that it needs, in order: DT_NEEDED. */
  readonly needed: readonly string[];
  /** The directories in which its libraries are searched: DT_RUNPATH, with `$ORIGIN` unexpanded. */
  readonly runpath: readonly string[];
  /** The older form, which also applies to the libraries of its libraries: DT_RPATH. */
  readonly rpath: readonly string[];
  /** Whether the system's directories are not searched: DF_1_NODEFLIB. */
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

/** More entries than any intact file has. */
const MOST_ENTRIES = 4096;

/** Parses the file; returns `undefined` if it is not an intact ELF file of 64 bits, little endian. */
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
  // Of several the loader takes the last.
  const paths = (tag: number) => texts(tag).at(-1)?.split(":").filter(Boolean) ?? [];
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

/** The offset in the file of the data that is loaded at an address. */
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
