import { assertEquals } from "@std/assert";
import { type Elf, readElf } from "../../ffi/elf.ts";
import { noteIn } from "../../ffi/elf_note.ts";
import { missing, testWith } from "./support.ts";

const MACHINE = Deno.build.arch === "x86_64" ? 62 : 183;

/** Reads ELF from bytes in memory. */
function elfOf(bytes: Uint8Array): Elf | undefined {
  return readElf((offset, length) => bytes.subarray(offset, offset + length));
}

Deno.test("a program names its loader and its libraries", () => {
  const elf = elfOf(Deno.readFileSync("/bin/ls"))!;
  assertEquals(elf.machine, MACHINE);
  assertEquals(Deno.statSync(elf.interpreter!).isFile, true);
  assertEquals(elf.soname, undefined);
  assertEquals(elf.needed.includes("libc.so.6"), true);
});

testWith(missing("objcopy"), "an ELF file is read as readelf(1) reads it", async () => {
  for (
    const path of [
      "/bin/ls",
      "/bin/sh",
      "/usr/bin/objcopy",
      elfOf(Deno.readFileSync("/bin/ls"))!.interpreter!,
    ]
  ) {
    const { stdout } = await new Deno.Command("readelf", { args: ["-dlW", path] }).output();
    const text = new TextDecoder().decode(stdout);
    const all = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]!);
    const elf = elfOf(Deno.readFileSync(path))!;
    assertEquals(elf.needed, all(/\(NEEDED\).*\[(.*)\]/g), path);
    assertEquals(elf.soname, all(/\(SONAME\).*\[(.*)\]/g)[0], path);
    assertEquals(elf.interpreter, all(/interpreter: (.*)\]/g)[0], path);
  }
});

Deno.test("a file that is not a 64-bit little-endian ELF file is refused", () => {
  const program = Deno.readFileSync("/bin/ls");
  assertEquals(elfOf(new Uint8Array()), undefined);
  assertEquals(elfOf(new TextEncoder().encode("#!/bin/sh\n".repeat(20))), undefined);
  assertEquals(elfOf(program.with(4, 1)), undefined);
  assertEquals(elfOf(program.with(5, 2)), undefined);
});

Deno.test("a damaged file causes neither an endless loop nor an error", () => {
  const program = Deno.readFileSync("/bin/ls");
  for (let length = 0; length < 2000; length += 7) elfOf(program.subarray(0, length));
  let seed = 1;
  for (let round = 0; round < 500; round++) {
    const damaged = program.slice();
    for (let byte = 0; byte < 20; byte++) {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      damaged[6 + seed % 1000] = seed >> 16;
    }
    elfOf(damaged);
  }
});

Deno.test("of notes without number none is read but those of a box", () => {
  const file = new Uint8Array(256 * 1024);
  const view = new DataView(file.buffer);
  const count = 4000;
  view.setUint32(0, 0x7f454c46);
  view.setBigUint64(32, 64n, true);
  view.setUint16(56, count, true);
  const at = 64 + count * 56;
  for (let index = 0; index < count; index++) {
    view.setUint32(64 + index * 56, 4, true);
    view.setBigUint64(64 + index * 56 + 8, BigInt(at), true);
  }
  // An owner as long as the file.
  view.setUint32(at, file.length, true);
  const { decode } = TextDecoder.prototype;
  let read = 0;
  TextDecoder.prototype.decode = function (bytes) {
    read += bytes?.byteLength ?? 0;
    return decode.call(this, bytes);
  };
  try {
    assertEquals(noteIn(file), undefined);
  } finally {
    TextDecoder.prototype.decode = decode;
  }
  assertEquals(read, 0);
});
