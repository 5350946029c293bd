/** Names of files as strings, and back. */

import { assertEquals } from "@std/assert";
import { decodeName, encodeName } from "../../ffi/file_name.ts";
import { test } from "../support.ts";

function encoded(text: string, room = 64): number[] {
  const bytes = new Uint8Array(room);
  return [...bytes.subarray(0, encodeName(text, bytes).written)];
}

test("any bytes come back as they were", () => {
  for (let round = 0; round < 500; round++) {
    const bytes = crypto.getRandomValues(new Uint8Array(round % 40));
    assertEquals(encoded(decodeName(bytes)), [...bytes]);
  }
});

test("a long name of no letters is read as a short one, letter by letter", () => {
  // A stranger's archive has names of such a length; an error for each byte took 2 seconds.
  const bytes = new Uint8Array(1 << 16);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = [0xff, 0xe2, 0x82, 0x61, 0xac, 0xf0][at % 6]!;
  }
  bytes.set(new TextEncoder().encode("€"), 5000);
  const text = decodeName(bytes);
  assertEquals(text.length, bytes.length - 2);
  assertEquals(text.slice(4999, 5002).includes("€"), true);
  assertEquals(encoded(text, bytes.length), [...bytes]);
});

test("UTF-8 is what it is, with a byte order mark, and other bytes are surrogates", () => {
  const utf8 = (text: string) => new TextEncoder().encode(text);
  for (const text of ["", "soup", "sûpe", "\ufeffsoup", "\u{1f372}", "\ufffd"]) {
    assertEquals(decodeName(utf8(text)), text);
    assertEquals(encoded(text), [...utf8(text)]);
  }
  const cases: readonly [bytes: number[], text: string][] = [
    [[0x61, 0xe9], "a\udce9"],
    [[0xe9, 0x61, 0x62], "\udce9ab"],
    [[0xc3, 0xa9, 0xff, 0x62], "\u00e9\udcffb"],
    [[0xed, 0xa0, 0x80], "\udced\udca0\udc80"],
    [[0xc0, 0xaf], "\udcc0\udcaf"],
  ];
  for (const [bytes, text] of cases) {
    assertEquals(decodeName(new Uint8Array(bytes)), text);
    assertEquals(encoded(text), bytes);
  }
});

test("what has no room is not written, and not said to be", () => {
  const bytes = new Uint8Array(3);
  assertEquals(encodeName("\udce9\u00e9a", bytes), { read: 2, written: 3 });
  assertEquals(encodeName("a\udce9b\udce9", bytes), { read: 3, written: 3 });
});
