/** The tar reader, with archives written byte by byte, and read in pieces of every size. */

import { assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { ArchiveError } from "../../../images/layer/errors.ts";
import type { TarEntry } from "../../../images/layer/tar/entry.ts";
import { TarReader } from "../../../images/layer/tar/reader.ts";
import { readTarIndex } from "../../../images/layer/mod.ts";
import { test } from "../../support.ts";
import {
  archive,
  bytesOf,
  dir,
  type Entry,
  file,
  header,
  link,
  padded,
  paxHeader,
  record,
  reg,
  summed,
} from "./archives.ts";

/** What is read of a file. */
interface Read extends TarEntry {
  readonly text: string;
}

function readIn(bytes: Uint8Array, size: number): Read[] {
  const files: { entry: TarEntry; text: string }[] = [];
  const reader = new TarReader({
    entry: (entry) => void files.push({ entry, text: "" }),
    data: (piece) => files.at(-1)!.text += new TextDecoder("latin1").decode(piece),
    end: () => {},
  });
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.slice(at, at + size));
  reader.finish();
  return files.map(({ entry, text }) => ({ ...entry, text }));
}

/** Reads an archive, as pieces of many sizes have it, which are all the same. */
function read(bytes: Uint8Array): Read[] {
  const whole = readIn(bytes, bytes.length + 1);
  for (const size of [1, 7, 511, 512, 513, 1025]) assertEquals(readIn(bytes, size), whole);
  return whole;
}

function readOne(...entries: readonly Entry[]): Read {
  const [first] = read(archive(...entries));
  return first!;
}

const seconds = (seconds: number, nanoseconds = 0) => ({ seconds, nanoseconds });
/** A binary number of so many bytes. */
function binary(value: bigint, width: number): Uint8Array {
  const bits = BigInt.asUintN(width * 8, value);
  const hex = bits.toString(16).padStart(width * 2, "0");
  const bytes = Uint8Array.fromHex(hex);
  bytes[0]! |= 0x80;
  return bytes;
}

test("a header of POSIX, GNU and old tars", () => {
  const entry = readOne(reg("f", "text", { mode: 0o4755, uid: 1000, gid: 50, mtime: 77 }));
  assertEquals([entry.name, entry.kind, entry.text, entry.size], ["f", "file", "text", 4]);
  assertEquals([entry.mode, entry.uid, entry.gid], [0o4755, 1000, 50]);
  assertEquals(entry.mtime, seconds(77));
  assertEquals(readOne(reg("f", "x", { prefix: "a/b" })).name, "a/b/f");
  // GNU's header has times where POSIX has the prefix.
  assertEquals(readOne(reg("f", "x", { prefix: "123", magic: "ustar  \0" })).name, "f");
  assertEquals(readOne(reg("f", "x", { magic: "\0".repeat(8), type: "\0" })).kind, "file");
  assertEquals(readOne({ name: "d/", magic: "\0".repeat(8), type: "\0" }).kind, "directory");
  assertEquals(readOne(reg("f", "x", { type: "7" })).text, "x");
  // star ends a shorter prefix with times, and the block with its name.
  const star = { prefix: "a", at: { 476: "00000000001 ", 488: "00000000001 ", 508: "tar\0" } };
  assertEquals(readOne(reg("f", "x", star)).name, "a/f");
});

test("names of 100 and 155 bytes, which no NUL ends", () => {
  const [name, prefix] = ["n".repeat(100), "p".repeat(155)];
  assertEquals(readOne(reg(name, "x", { prefix })).name, `${prefix}/${name}`);
});

test("devices, named pipes and links", () => {
  const files = read(archive(
    { name: "c", type: "3", device: [1, 3] },
    { name: "b", type: "4", device: [8, 0o1234] },
    { name: "p", type: "6" },
    link("l", "/target"),
    { name: "h", type: "1", target: "l", size: 12345 },
    dir("d", { size: 99 }),
    reg("last"),
  ));
  assertEquals(files.map(({ kind }) => kind), [
    "character",
    "block",
    "fifo",
    "symlink",
    "hardlink",
    "directory",
    "file",
  ]);
  assertEquals([files[0]!.major, files[0]!.minor, files[1]!.minor], [1, 3, 0o1234]);
  assertEquals([files[3]!.target, files[4]!.target, files[6]!.text], ["/target", "l", "last"]);
});

test("binary numbers, negative ones, and those that end with libarchive's space", () => {
  const uid = binary(3_000_000n, 8);
  const entry = readOne(
    reg("f", "", { uid, gid: binary(0xffff_fffen, 8), mtime: binary(-5n, 12) }),
  );
  assertEquals([entry.uid, entry.gid, entry.mtime], [3_000_000, 0xffff_fffe, seconds(-5)]);
  // A time of which the last byte is that of a space, and one that a space ends.
  assertEquals(readOne(reg("f", "", { mtime: binary(-224n, 12) })).mtime, seconds(-224));
  const libarchive = { at: { 100: "000644 \0" } };
  const negative = Buffer.concat([binary(-5n, 11), bytesOf(" ")]);
  assertEquals(readOne(reg("f", "", { mtime: negative, ...libarchive })).mtime, seconds(-5));
  const late = Buffer.concat([binary(99_999_999_999n, 11), bytesOf(" ")]);
  assertEquals(
    readOne(reg("f", "", { mtime: late, ...libarchive })).mtime,
    seconds(99_999_999_999),
  );
});

test("octal numbers with spaces around them, and without an end", () => {
  const mtime = bytesOf("   1234567  ");
  const entry = readOne(
    reg("f", "", { uid: bytesOf("12345670"), gid: bytesOf("   144 \0"), mtime }),
  );
  assertEquals([entry.uid, entry.gid, entry.mtime], [0o12345670, 0o144, seconds(0o1234567)]);
  assertEquals(readOne(reg("f", "", { uid: new Uint8Array(8) })).uid, 0);
});

test("PAX records stand for the fields of the header", () => {
  const pax = {
    path: "ä/long",
    uid: "3000000",
    gid: "4000000",
    mtime: "1234.5",
    size: "5",
    "SCHILY.xattr.user.a": new Uint8Array([0, 255, 10, 61]),
    comment: "",
  };
  const data = padded(bytesOf("12345"));
  const bytes = Buffer.concat([paxHeader("x", pax), header({ name: "f", size: 0 }, 0), data]);
  const [entry] = read(Buffer.concat([bytes, archive(reg("g"))]));
  assertEquals([entry!.name, entry!.uid, entry!.gid], ["ä/long", 3_000_000, 4_000_000]);
  assertEquals([entry!.mtime, entry!.text], [seconds(1234, 500_000_000), "12345"]);
  assertEquals(entry!.xattrs, [{ name: "user.a", value: new Uint8Array([0, 255, 10, 61]) }]);
  assertEquals(readOne({ ...link("l", "short"), pax: { linkpath: "long" } }).target, "long");
});

test("times with fractions, before 1970 and with more digits than there are nanoseconds", () => {
  const mtime = (mtime: string) => readOne(reg("f", "", { pax: { mtime } })).mtime;
  assertEquals(mtime("-1.5"), seconds(-2, 500_000_000));
  assertEquals(mtime("-0.000000001"), seconds(-1, 999_999_999));
  assertEquals(mtime("-3"), seconds(-3));
  assertEquals(mtime("1.1234567899"), seconds(1, 123_456_789));
  assertEquals(mtime("1."), seconds(1));
});

test("a global header holds for all that follow, until an entry says otherwise", () => {
  const g = paxHeader("g", { uid: "7", mtime: "9" });
  const own = file(reg("a", "", { pax: { uid: "8" } }));
  const emptied = file(reg("b", "", { uid: 5, pax: { uid: "" } }));
  const changed = paxHeader("g", { uid: "6" });
  const files = read(Buffer.concat([g, own, emptied, changed, archive(reg("c"))]));
  assertEquals(files.map(({ uid }) => uid), [8, 5, 6]);
  assertEquals(files.map(({ mtime }) => mtime.seconds), [9, 9, 9]);
});

test("attributes of libarchive's are read where no others are", () => {
  const pax = { "LIBARCHIVE.xattr.user.b%3dc": "AAEC", "SCHILY.xattr.user.a": "1" };
  assertEquals(readOne(reg("f", "", { pax })).xattrs, [
    { name: "user.a", value: bytesOf("1") },
    { name: "user.b=c", value: new Uint8Array([0, 1, 2]) },
  ]);
});

test("long names of GNU's, which a NUL ends or not", () => {
  const long = "long/".repeat(60) + "name";
  const before = (type: string, text: string) =>
    Buffer.concat([header({ name: "././@LongLink", type }, text.length), padded(bytesOf(text))]);
  const tar = (text: string) =>
    Buffer.concat([before("K", text), before("L", text), archive({ ...link("x", "y") })]);
  for (const text of [`${long}\0`, long]) {
    const [entry, ...more] = read(tar(text));
    assertEquals([entry!.name, entry!.target, more.length], [long, long, 0]);
  }
});

test("names that are no UTF-8 are kept, byte by byte", () => {
  const name = new Uint8Array([0x61, 0xff, 0xe4]);
  assertEquals(readOne(reg("x", "", { name })).name, "a\udcff\udce4");
  assertEquals(readOne(reg("x", "", { pax: { path: name } })).name, "a\udcff\udce4");
});

test("sparse files in all four forms", () => {
  const segments = [{ offset: 10, length: 3 }, { offset: 1000, length: 2 }];
  const data = "abcde";
  const map = { "GNU.sparse.size": "2000", "GNU.sparse.numblocks": "2" };
  const old = {
    386: sparseField(10),
    398: sparseField(3),
    410: sparseField(1000),
    422: sparseField(2),
    483: sparseField(2000),
  };
  const offsets = Buffer.concat([
    ...["10", "3", "1000", "2"].map((value, index) =>
      record(index % 2 === 0 ? "GNU.sparse.offset" : "GNU.sparse.numbytes", value)
    ),
    record("GNU.sparse.size", "2000"),
  ]);
  const zeroZero = Buffer.concat([
    header({ name: "x", type: "x" }, offsets.length),
    padded(offsets),
    archive(reg("f", data)),
  ]);
  const withMap = Buffer.concat([padded(bytesOf("2\n10\n3\n1000\n2\n")), bytesOf(data)]);
  const one = {
    "GNU.sparse.major": "1",
    "GNU.sparse.minor": "0",
    "GNU.sparse.name": "f",
    "GNU.sparse.realsize": "2000",
  };
  const forms = {
    "old GNU": archive(reg("f", data, { type: "S", magic: "ustar  \0", at: old })),
    "0.0": zeroZero,
    "0.1": archive(reg("x", data, { pax: { ...map, "GNU.sparse.map": "10,3,1000,2", path: "f" } })),
    "1.0": archive(reg("GNUSparseFile.1/f", withMap, { pax: one })),
  };
  for (const [form, bytes] of Object.entries(forms)) {
    const [entry, ...more] = read(bytes);
    assertEquals([entry!.name, entry!.size, entry!.text, more.length], ["f", 2000, data, 0], form);
    assertEquals(entry!.segments, segments, form);
  }
});

function sparseField(value: number): string {
  return `${value.toString(8).padStart(11, "0")}\0`;
}

test("a map of old GNU's goes on in further blocks", () => {
  const more = new Uint8Array(512);
  more.set(bytesOf(sparseField(100)), 0);
  more.set(bytesOf(sparseField(1)), 12);
  const first = header(
    reg("f", "", {
      type: "S",
      at: { 386: sparseField(5), 398: sparseField(1), 482: "\x01", 483: sparseField(200) },
    }),
    2,
  );
  const bytes = Buffer.concat([first, more, padded(bytesOf("ab")), archive(reg("g"))]);
  const files = read(bytes);
  assertEquals(files[0]!.segments, [{ offset: 5, length: 1 }, { offset: 100, length: 1 }]);
  assertEquals(files.map(({ text }) => text), ["ab", "g"]);
});

test("an archive may end without saying so, and junk may follow its end", () => {
  const bytes = archive(reg("f"), reg("g"));
  const names = (bytes: Uint8Array) => read(bytes).map(({ name }) => name);
  assertEquals(names(bytes.subarray(0, -1024)), ["f", "g"]);
  assertEquals(names(bytes.subarray(0, -512)), ["f", "g"]);
  assertEquals(names(Buffer.concat([bytes, bytesOf("junk of any length")])), ["f", "g"]);
  // An archive behind the end belongs to none.
  assertEquals(names(Buffer.concat([bytes, archive(reg("h"))])), ["f", "g"]);
  // The padding of the last file, and blocks of zeros in part.
  assertEquals(names(bytes.subarray(0, 512 + 512 + 512 + 1)), ["f", "g"]);
  assertEquals(names(bytes.subarray(0, -1000)), ["f", "g"]);
  assertEquals(names(new Uint8Array()), []);
  assertEquals(names(new Uint8Array(10240)), []);
});

test("the label of a volume, and the directories of a backup", () => {
  const files = read(
    archive({ name: "label", type: "V" }, dir("d", { type: "D", data: "Yf\0" }), reg("f")),
  );
  assertEquals(files.map(({ name }) => name), ["d/", "f"]);
  assertEquals(files[1]!.text, "f");
});

const BROKEN: readonly (readonly [name: string, bytes: Uint8Array, says: string])[] = [
  ["a checksum", bytesOf("x".repeat(512)), "wrong checksum"],
  ["a cut header", file(reg("f")).subarray(0, 300), "it ends within a header"],
  ["a cut file", file(reg("f", "x".repeat(1000))).subarray(0, 1100), "it ends within a file"],
  [
    "an extended header and no file",
    paxHeader("x", { path: "f" }),
    "ends behind an extended header",
  ],
  [
    "a block of zeros within",
    Buffer.concat([file(reg("f")), new Uint8Array(512), file(reg("g"))]),
    "one block of zeros",
  ],
  [
    "a size that is negative",
    header(reg("f", "", { size: binary(-1n, 12) }), 0),
    "size is negative",
  ],
  [
    "a size that is too large",
    header(reg("f", "", { size: binary(1n << 70n, 12) }), 0),
    "no number",
  ],
  [
    "a letter in a number",
    header(reg("f", "", { uid: bytesOf("000x000\0") }), 0),
    "the uid is no number",
  ],
  ["an unknown type", archive(reg("f", "", { type: "Q" })), '"f" has the unknown type "Q"'],
  ["a file that goes on in another volume", archive(reg("f", "", { type: "M" })), "unknown type"],
  [
    "a long header",
    header({ name: "x", type: "x" }, 1 << 21),
    "2097152 bytes, more than 1048576",
  ],
  ["a PAX number", archive(reg("f", "", { pax: { uid: "-1" } })), "uid of an extended header"],
  ["a PAX time", archive(reg("f", "", { pax: { mtime: "soon" } })), "mtime of an extended header"],
  ["a NUL in a PAX path", archive(reg("f", "", { pax: { path: "a\0b" } })), "has a NUL"],
  ["base64", archive(reg("f", "", { pax: { "LIBARCHIVE.xattr.user.a": "!" } })), "no base64"],
  ...["9 a=b\n", "7 a=b\n", "x a=b\n", "6 a-b\n", "99999999999999999999 a=b\n", "5 =b\n"]
    .map((text) =>
      [`the record ${JSON.stringify(text)}`, withRecord(text), "a broken record"] as const
    ),
  ["a sparse map that overlaps", sparse("0,3,2,2"), "overlap"],
  ["a sparse map that is too short", sparse("0,3"), "3 bytes, and the archive holds 5"],
  ["a sparse map behind the end", sparse("0,3,1999,2"), "behind the end"],
  ["a sparse map that is odd", sparse("0,3,7"), "an offset has no length"],
  ["a sparse map of letters", sparse("a,b"), "no numbers"],
  [
    "a sparse map without an end",
    archive(reg("f", "7\n1\n", { pax: { "GNU.sparse.major": "1" } })),
    "it has no end",
  ],
  [
    "a sparse map of very many parts",
    archive(reg("f", padded(bytesOf("99999999\n")), { pax: { "GNU.sparse.major": "1" } })),
    "more than 1048576 parts",
  ],
];

function withRecord(text: string): Uint8Array {
  const body = bytesOf(text);
  const before = header({ name: "x", type: "x" }, body.length);
  return Buffer.concat([before, padded(body), archive(reg("f"))]);
}

function sparse(map: string): Uint8Array {
  return archive(reg("f", "abcde", { pax: { "GNU.sparse.map": map, "GNU.sparse.size": "2000" } }));
}

for (const [name, bytes, says] of BROKEN) {
  test(`a broken archive: ${name} (${says})`, () => {
    assertThrows(() => readIn(bytes, bytes.length), ArchiveError, says);
    assertThrows(() => readIn(bytes, 100), ArchiveError, says);
  });
}

test("the headers of an archive on disk, with the places of the data", () => {
  const path = Deno.makeTempFileSync();
  try {
    const bytes = archive(
      reg("a", "one"),
      reg("b", "x".repeat(100_000)),
      dir("d"),
      reg("c", "three", { pax: { path: "long/c" } }),
    );
    Deno.writeFileSync(path, bytes);
    const index = readTarIndex(path);
    assertEquals(index.map(({ name, size }) => [name, size]), [
      ["a", 3],
      ["b", 100_000],
      ["d/", 0],
      ["long/c", 5],
    ]);
    const { offset, size } = index[3]!;
    assertEquals(new TextDecoder().decode(bytes.subarray(offset, offset + size)), "three");
    Deno.truncateSync(path, 2000);
    assertThrows(() => readTarIndex(path), ArchiveError, "it ends within a file");
  } finally {
    Deno.removeSync(path);
  }
});

test("extended headers without end are refused, and as many as writers have are not", () => {
  const whole = file(reg("a", "", { pax: { path: "b" } }));
  const header = whole.subarray(0, 1024);
  const after = (count: number) =>
    Buffer.concat([...new Array(count).fill(header), whole, new Uint8Array(1024)]);
  assertEquals(readIn(after(15), 512).map(({ name }) => name), ["b"]);
  assertThrows(() => readIn(after(16), 512), ArchiveError, "more than 16 extended headers");
});

test("an archive whose names fill the memory is not read", () => {
  const path = Deno.makeTempFileSync();
  try {
    const one = file(reg("a", "", { pax: { path: "x".repeat(2 ** 20 - 100) } }));
    {
      using written = Deno.openSync(path, { write: true });
      for (let count = 0; count < 65; count++) written.writeSync(one);
    }
    assertThrows(() => readTarIndex(path), ArchiveError, "letters of names");
  } finally {
    Deno.removeSync(path);
  }
});

test("archives changed at random are read or refused", () => {
  const good = archive(
    reg("f", "abcde", { pax: { "GNU.sparse.map": "0,5", uid: "5", "SCHILY.xattr.user.a": "x" } }),
    link("l", "f"),
    reg("g", "x".repeat(600), { mtime: binary(-5n, 12) }),
    dir("d"),
  );
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor(seed / 2 ** 31 * below);
  };
  let refused = 0;
  for (let round = 0; round < 1000; round++) {
    const bytes = good.slice(0, random(10) === 0 ? random(good.length) : good.length);
    for (let change = random(4); change >= 0 && bytes.length > 0; change--) {
      bytes[random(bytes.length)] = random(256);
    }
    // A right checksum lets the change through to the fields.
    for (let at = 0; at + 512 <= bytes.length; at += 512) {
      if (good[at + 257] === 0x75) summed(bytes.subarray(at, at + 512));
    }
    try {
      readIn(bytes, 1 + random(2000));
    } catch (error) {
      refused++;
      if (!(error instanceof ArchiveError)) throw error;
    }
  }
  assertEquals(refused > 100 && refused < 1000, true, `${refused} were refused`);
});
