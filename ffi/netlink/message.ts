/**
 * Messages of netlink(7): a header, a payload, and attributes that may contain attributes. The other
 * files define the messages about links, addresses, routes and tables.
 *
 * @module
 */

import type { OutputField, ResultOf } from "../call.ts";

/** 32 bits that an earlier call of the program returns: the index of an interface, a descriptor. */
export type Later = ResultOf | OutputField;

/** A piece of a payload. */
export type Piece = Uint8Array | Later | Attribute;

/** A typed part of a payload: struct nlattr (linux/netlink.h). */
export class Attribute {
  constructor(readonly type: number, readonly payload: readonly Piece[]) {}
}

/** A message to the kernel. */
export interface Message {
  /** Its type. */
  readonly type: number;
  /** `NLM_F_CREATE` ... */
  readonly flags: number;
  readonly payload: readonly Piece[];
  /** Its description, for plans and errors: the name of its type, then its subject. */
  readonly words: readonly string[];
}

/** The message is a request, as all of ours are. */
const NLM_F_REQUEST = 1;
/** The kernel acknowledges also success. */
export const NLM_F_ACK = 4;
/** The request fails if the object exists. */
export const NLM_F_EXCL = 0x200;
/** The object is created if it does not exist. */
export const NLM_F_CREATE = 0x400;
/** The object is added at the end of the list. */
export const NLM_F_APPEND = 0x800;
/** The response is a list of all objects. */
export const NLM_F_DUMP = 0x300;
/** An acknowledgment does not contain a copy of the request. */
export const NLM_F_CAPPED = 0x100;
/** An acknowledgment has attributes. */
export const NLM_F_ACK_TLVS = 0x200;

/** The type of an acknowledgment: an errno, or 0. */
export const NLMSG_ERROR = 2;
/** The type of the message that ends a list. */
export const NLMSG_DONE = 3;

/** The size of a message's header: struct nlmsghdr. */
const HEADER_SIZE = 16;

const ATTRIBUTE_HEADER_SIZE = 4;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
/** The offsets in struct nlmsgerr of the errno and of the copy of the request. */
export const ERROR_OFFSET: number = HEADER_SIZE;
const REQUEST_OFFSET = HEADER_SIZE + 4;
const NLMSGERR_ATTR_MSG = 1;

/** A message as bytes, with holes for values that are known later. */
export interface Encoded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The offsets where 32 bits are missing, in ascending order. */
  readonly holes: readonly { readonly offset: number; readonly value: Later }[];
}

/** An attribute whose payload is attributes. */
export function nested(type: number, ...attributes: readonly Attribute[]): Attribute {
  return new Attribute(type | NLA_F_NESTED, attributes);
}

/** An attribute of a text that ends in NUL. */
export function text(type: number, value: string): Attribute {
  return new Attribute(type, [encoder.encode(`${value}\0`)]);
}

/** An attribute of 32 bits. */
export function word(type: number, value: number | Later): Attribute {
  return new Attribute(type, [uint32(value)]);
}

/** An attribute of bytes. */
export function raw(type: number, ...bytes: readonly number[]): Attribute {
  return new Attribute(type, [Uint8Array.from(bytes)]);
}

/** 32 bits in the byte order of the machine. */
export function uint32(value: number | Later): Piece {
  if (typeof value !== "number") return value;
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Encodes messages one after the other; `sequence` is the number of the first. */
export function encode(messages: readonly Message[], sequence = 1): Encoded {
  const writer = new MessageWriter();
  messages.forEach((message, index) => writer.message(message, sequence + index));
  return writer;
}

/** A message from the kernel. */
export interface Received {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Decodes the messages in the bytes. */
export function decode(bytes: Uint8Array): Received[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: Received[] = [];
  for (let at = 0; at + HEADER_SIZE <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_SIZE || at + length > bytes.length) break;
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      payload: bytes.subarray(at + HEADER_SIZE, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** Decodes the attributes in the bytes: their payloads, by their types. */
export function decodeAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const attributes = new Map<number, Uint8Array>();
  for (let at = 0; at + ATTRIBUTE_HEADER_SIZE <= bytes.length;) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_SIZE || at + length > bytes.length) break;
    const type = view.getUint16(at + 2, true) & NLA_TYPE_MASK;
    attributes.set(type, bytes.subarray(at + ATTRIBUTE_HEADER_SIZE, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** The errno of an acknowledgment (`NLMSG_ERROR`), and the kernel's message for it. */
export function readResponse(
  answer: DataView,
): { readonly errno: number; readonly words: string | undefined } {
  const errno = -answer.getInt32(ERROR_OFFSET, true);
  const flags = answer.getUint16(6, true);
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, words: undefined };
  const length = Math.min(answer.getUint32(0, true), answer.byteLength);
  const copied = (flags & NLM_F_CAPPED) === 0 && errno !== 0
    ? answer.getUint32(REQUEST_OFFSET, true)
    : HEADER_SIZE;
  const at = REQUEST_OFFSET + aligned(copied);
  if (at > length) return { errno, words: undefined };
  const attributes = new Uint8Array(answer.buffer, answer.byteOffset + at, length - at);
  const words = decodeAttributes(attributes).get(NLMSGERR_ATTR_MSG);
  return { errno, words: words && decodeText(words) };
}

/** A text that ends in NUL. */
export function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** A 32-bit number in the byte order of the machine. */
export function decodeUint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
}

/** Messages while they are encoded. */
class MessageWriter implements Encoded {
  readonly holes: { readonly offset: number; readonly value: Later }[] = [];
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#end);
  }

  message({ type, flags, payload }: Message, sequence: number): void {
    const start = this.#reserve(HEADER_SIZE);
    this.#pieces(payload);
    this.#view.setUint32(start, this.#end - start, true);
    this.#view.setUint16(start + 4, type, true);
    this.#view.setUint16(start + 6, flags | NLM_F_REQUEST, true);
    this.#view.setUint32(start + 8, sequence, true);
    this.#reserve(0);
  }

  #pieces(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      if (piece instanceof Attribute) this.#attribute(piece);
      else if (piece instanceof Uint8Array) this.#append(piece);
      else {
        this.holes.push({ offset: this.#end, value: piece });
        this.#append(new Uint8Array(4));
      }
    }
  }

  #attribute({ type, payload }: Attribute): void {
    const start = this.#reserve(ATTRIBUTE_HEADER_SIZE);
    this.#pieces(payload);
    this.#view.setUint16(start, this.#end - start, true);
    this.#view.setUint16(start + 2, type, true);
  }

  #append(bytes: Uint8Array): void {
    const at = this.#end;
    this.#grow(at + bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Reserves space for a header, aligned as every header is. */
  #reserve(size: number): number {
    const at = aligned(this.#end);
    this.#grow(at + size);
    return at;
  }

  #grow(end: number): void {
    this.#end = end;
    if (end <= this.#bytes.length) return;
    const grown = new Uint8Array(end * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

const encoder = new TextEncoder();

function aligned(size: number): number {
  return (size + 3) & ~3;
}
