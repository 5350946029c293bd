/**
 * Writes the file of a box: a static executable with a segment that can be read and executed, one of
 * zeros that can be written, a note, and sections for objdump(1) and strip(1). See elf(5).
 *
 * @module
 */

import { noteBytes } from "../ffi/elf_note.ts";
import type { Architecture } from "../ffi/syscall_numbers.ts";
import { PARAMETERS_SIZE } from "./parameters.ts";

/** Where the first segment lies. */
export const BASE = 0x400000;

/** The largest pages of the kernels of an architecture. */
const PAGE: Readonly<Record<Architecture, number>> = { x86_64: 0x1000, aarch64: 0x10000 };
const LARGEST_PAGE = 0x10000;
const MACHINE: Readonly<Record<Architecture, number>> = { x86_64: 62, aarch64: 183 };

const [HEADER_SIZE, SEGMENT_SIZE, SECTION_SIZE] = [64, 56, 64];
const ET_EXEC = 2;
const [PT_LOAD, PT_NOTE, PT_GNU_STACK] = [1, 4, 0x6474e551];
const [PF_X, PF_W, PF_R] = [1, 2, 4];
const [SHT_PROGBITS, SHT_STRTAB, SHT_NOTE, SHT_NOBITS] = [1, 3, 7, 8];
const [SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR] = [1, 2, 4];

/** The content of an executable. */
export interface Executable {
  readonly architecture: Architecture;
  /** The text of the note. */
  readonly note: string;
  readonly data: Uint8Array;
  /** What lies right before the code. */
  readonly parameters: Uint8Array;
  readonly code: Uint8Array;
  /** The memory of zeros. */
  readonly memory: { readonly address: number; readonly size: number };
}

const SEGMENTS = 4;
const NOTE_AT = HEADER_SIZE + SEGMENTS * SEGMENT_SIZE;

/** Returns the address of the data behind a note. */
export function dataAddress(note: string): number {
  return BASE + align(NOTE_AT + noteBytes(note).length, 4);
}

/** Returns the address of the code behind data of this size and the parameters. */
export function codeAddress(note: string, size: number): number {
  return align(dataAddress(note) + size + PARAMETERS_SIZE, 16);
}

/** Returns an address for the memory, behind data of this size at most. */
export function memoryAddress(note: string, code: Uint8Array, size: number): number {
  // Pages of any size begin there.
  return align(codeAddress(note, size) + code.length, LARGEST_PAGE);
}

/** Returns the bytes of an executable. */
export function writeElf(executable: Executable): Uint8Array<ArrayBuffer> {
  const { architecture, parameters, code, data, memory } = executable;
  const note = noteBytes(executable.note);
  const [dataAt, codeAt] = [
    dataAddress(executable.note) - BASE,
    codeAddress(executable.note, data.length) - BASE,
  ];
  const at = { note: NOTE_AT, data: dataAt, code: codeAt, end: codeAt + code.length };
  const sections: readonly Section[] = [
    { name: "", type: 0, flags: 0, address: 0, offset: 0, size: 0, alignment: 0 },
    ofFile(".note.ramekin", SHT_NOTE, SHF_ALLOC, at.note, note.length, 4),
    // With the parameters: strip(1) clears what is in no section.
    ofFile(".rodata", SHT_PROGBITS, SHF_ALLOC, at.data, at.code - at.data, 4),
    ofFile(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, at.code, code.length, 16),
    {
      name: ".bss",
      type: SHT_NOBITS,
      flags: SHF_ALLOC | SHF_WRITE,
      address: memory.address,
      offset: at.end,
      size: memory.size,
      alignment: 16,
    },
  ];
  const names = new TextEncoder().encode(
    [...sections.map(({ name }) => name), ".shstrtab", ""].join("\0"),
  );
  const sectionsAt = align(at.end + names.length, 8);
  const all = [...sections, {
    name: ".shstrtab",
    type: SHT_STRTAB,
    flags: 0,
    address: 0,
    offset: at.end,
    size: names.length,
    alignment: 1,
  }];
  const file = new Uint8Array(sectionsAt + all.length * SECTION_SIZE);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // 64 bits, little-endian
  view.setUint16(16, ET_EXEC, true);
  view.setUint16(18, MACHINE[architecture], true);
  view.setUint32(20, 1, true);
  put64(view, 24, BASE + at.code);
  put64(view, 32, HEADER_SIZE);
  put64(view, 40, sectionsAt);
  [HEADER_SIZE, SEGMENT_SIZE, SEGMENTS, SECTION_SIZE, all.length, all.length - 1]
    .forEach((value, index) => view.setUint16(52 + 2 * index, value, true));
  const page = PAGE[architecture];
  const segments: readonly (readonly number[])[] = [
    // type, flags, offset, address, size in the file, size in memory, alignment
    [PT_LOAD, PF_R | PF_X, 0, BASE, at.end, at.end, page],
    [PT_LOAD, PF_R | PF_W, 0, memory.address, 0, memory.size, page],
    [PT_NOTE, PF_R, at.note, BASE + at.note, note.length, note.length, 4],
    [PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 16],
  ];
  segments.forEach(([type, flags, offset, address, size, whole, alignment], index) => {
    const start = HEADER_SIZE + index * SEGMENT_SIZE;
    view.setUint32(start, type!, true);
    view.setUint32(start + 4, flags!, true);
    [offset!, address!, address!, size!, whole!, alignment!]
      .forEach((value, field) => put64(view, start + 8 + 8 * field, value));
  });
  file.set(note, at.note);
  file.set(parameters, at.code - parameters.length);
  file.set(code, at.code);
  file.set(data, at.data);
  file.set(names, at.end);
  let name = 0;
  all.forEach((section, index) => {
    const start = sectionsAt + index * SECTION_SIZE;
    view.setUint32(start, name, true);
    view.setUint32(start + 4, section.type, true);
    [section.flags, section.address, section.offset, section.size]
      .forEach((value, field) => put64(view, start + 8 + 8 * field, value));
    put64(view, start + 48, section.alignment);
    name += section.name.length + 1;
  });
  return file;
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly alignment: number;
}

function ofFile(
  name: string,
  type: number,
  flags: number,
  offset: number,
  size: number,
  alignment: number,
): Section {
  return { name, type, flags, address: BASE + offset, offset, size, alignment };
}

function put64(view: DataView, at: number, value: number): void {
  view.setBigUint64(at, BigInt(value), true);
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
