/**
 * The encoder of netlink messages against a decoder that is slow and plain, on random messages, and
 * the decoder against what an encoder has made.
 */

import { assert, assertEquals } from "@std/assert";
import { call, Output, OutputField, ResultOf } from "../../ffi/call.ts";
import {
  Attribute,
  decode,
  decodeAttributes,
  encode,
  type Message,
  nested,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  type Piece,
  readResponse,
  text,
  word,
} from "../../ffi/netlink/message.ts";
import { rounds } from "../rounds.ts";

type Random = (below: number) => number;

/** A small generator with a seed, so that a failure can be seen again. */
function generator(seed: number): Random {
  let state = seed;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5 | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

const LATER = [
  new ResultOf(call("getpid"), "pid"),
  new OutputField(new Output(8), 4, "field"),
];

function randomBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: random(20) }, () => random(256));
}

function randomAttribute(random: Random, depth: number): Attribute {
  const type = random(60);
  if (depth > 0 && random(3) === 0) {
    const inner = Array.from({ length: random(4) }, () => randomAttribute(random, depth - 1));
    return nested(type, ...inner);
  }
  if (random(4) === 0) return word(type, LATER[random(2)]!);
  return new Attribute(type, [randomBytes(random)]);
}

function randomMessage(random: Random): Message {
  const header = Uint8Array.from({ length: 4 * random(5) }, () => random(256));
  const attributes = Array.from({ length: random(6) }, () => randomAttribute(random, 3));
  return {
    type: random(0x10000),
    flags: random(0x10000) & ~1,
    payload: [header, ...attributes],
    words: ["RANDOM"],
  };
}

/** What is left to read, byte after byte. */
class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  number(size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value += this.bytes[this.at++]! * 256 ** i;
    return value;
  }

  take(size: number): Uint8Array {
    const taken = this.bytes.slice(this.at, this.at + size);
    this.at += size;
    return taken;
  }

  padding(): void {
    while (this.at % 4 !== 0 && this.at < this.bytes.length) assertEquals(this.number(1), 0);
  }
}

/** Reads what should be these pieces, and says where it is not. */
function expectPieces(reader: Reader, pieces: readonly Piece[]): void {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) assertEquals(reader.take(piece.length), piece);
    else if (!(piece instanceof Attribute)) assertEquals(reader.number(4), 0);
    else {
      reader.padding();
      const start = reader.at;
      const length = reader.number(2);
      assertEquals(reader.number(2), piece.type);
      expectPieces(reader, piece.payload);
      assertEquals(reader.at - start, length);
    }
  }
}

Deno.test("a slow and obvious decoder reads what was encoded", () => {
  const random = generator(1);
  for (let round = 0; round < rounds(2000); round++) {
    const messages = Array.from({ length: 1 + random(3) }, () => randomMessage(random));
    const { bytes } = encode(messages, 7);
    const reader = new Reader(bytes);
    messages.forEach((message, index) => {
      const start = reader.at;
      const length = reader.number(4);
      assertEquals(reader.number(2), message.type);
      assertEquals(reader.number(2), message.flags | 1);
      assertEquals(reader.number(4), 7 + index);
      assertEquals(reader.number(4), 0);
      expectPieces(reader, message.payload);
      assertEquals(reader.at - start, length);
      reader.padding();
    });
    assertEquals(reader.at, bytes.length);
  }
});

Deno.test("a value that is known later leaves a hole in the message", () => {
  const random = generator(2);
  for (let round = 0; round < rounds(500); round++) {
    const message = randomMessage(random);
    const expected: Piece[] = [];
    const collect = (pieces: readonly Piece[]) => {
      for (const piece of pieces) {
        if (piece instanceof Attribute) collect(piece.payload);
        else if (!(piece instanceof Uint8Array)) expected.push(piece);
      }
    };
    collect(message.payload);
    const { bytes, holes } = encode([message]);
    assertEquals(holes.map(({ value }) => value), expected as typeof LATER);
    let last = 0;
    for (const { offset } of holes) {
      assert(offset >= last + 4 && offset % 4 === 0);
      assertEquals([...bytes.subarray(offset, offset + 4)], [0, 0, 0, 0]);
      last = offset;
    }
  }
});

Deno.test("messages and attributes are decoded as they were encoded", () => {
  const random = generator(3);
  for (let round = 0; round < rounds(500); round++) {
    const messages = Array.from({ length: 1 + random(3) }, () => {
      const types = new Set(Array.from({ length: random(6) }, () => random(60)));
      const payload = [...types].map((type) => new Attribute(type, [randomBytes(random)]));
      return { type: random(0x10000), flags: 0, payload, words: ["RANDOM"] };
    });
    const read = decode(encode(messages, 3).bytes);
    assertEquals(read.map(({ type }) => type), messages.map(({ type }) => type));
    assertEquals(read.map(({ sequence }) => sequence), messages.map((_, index) => 3 + index));
    read.forEach(({ payload }, index) => {
      const expected = messages[index]!.payload.map(({ type, payload }) => [type, payload[0]]);
      assertEquals([...decodeAttributes(payload)], expected as [number, Uint8Array<ArrayBuffer>][]);
    });
  }
});

Deno.test("bytes that are not messages are not read beyond their end", () => {
  const random = generator(4);
  for (let round = 0; round < rounds(2000); round++) {
    const bytes = randomBytes(random);
    const total = decode(bytes).reduce((sum, { payload }) => sum + payload.length, 0);
    assert(total <= bytes.length);
    for (const value of decodeAttributes(bytes).values()) assert(value.length <= bytes.length);
  }
  const cut = encode([{ type: 1, flags: 0, payload: [text(1, "eth0")], words: [] }]).bytes;
  assertEquals(decode(cut.subarray(0, cut.length - 4)), []);
});

Deno.test("the kernel's message is found after the errno, with and without a copy of the request", () => {
  const words = text(1, "Unknown device type.");
  const answer = (flags: number, copy: Uint8Array) => {
    const error = Uint8Array.from(new Uint8Array(new Int32Array([-95]).buffer));
    const { bytes } = encode([{
      type: 2,
      flags: NLM_F_ACK_TLVS | flags,
      payload: [error, copy, words],
      words: [],
    }]);
    return new DataView(bytes.buffer);
  };
  const expected = { errno: 95, words: "Unknown device type." };
  const header = new Uint8Array(16);
  header[0] = 40;
  assertEquals(readResponse(answer(NLM_F_CAPPED, header)), expected);
  const whole = new Uint8Array(40);
  whole[0] = 40;
  assertEquals(readResponse(answer(0, whole)), expected);
  assertEquals(readResponse(new DataView(new ArrayBuffer(36))), { errno: -0, words: undefined });
});
