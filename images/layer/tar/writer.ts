/**
 * Writes the headers of an archive: ustar, with an extended header of PAX for what that has no room
 * for. The same files are the same bytes.
 *
 * @module
 */

import { encodeName } from "../../../ffi/file_name.ts";
import type { Xattr } from "../../../ffi/files/overlay_notes.ts";
import type { EntryKind } from "./entry.ts";
import { BLOCK } from "./header.ts";

/** A file that is written. */
export interface NewEntry {
  readonly name: string;
  readonly kind: EntryKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds. */
  readonly mtime: number;
  readonly size?: number;
  readonly target?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: readonly Xattr[];
}

const TYPES: Readonly<Record<EntryKind, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

const [NAME, PREFIX] = [100, 155];
const encoder = new TextEncoder();

/** The end of an archive. */
export const END_OF_ARCHIVE: Uint8Array = new Uint8Array(2 * BLOCK);

/** The blocks in front of the data of a file. */
export function headerOf(entry: NewEntry): Uint8Array[] {
  const name = bytesOf(entry.name), target = bytesOf(entry.target ?? "");
  const split = splitName(name);
  const records: Uint8Array[] = [];
  const keep = (key: string, value: string | Uint8Array) => records.push(record(key, value));
  const { uid, gid, size = 0, mtime } = entry;
  if (split === undefined || !isAscii(name)) keep("path", name);
  if (target.length > NAME || !isAscii(target)) keep("linkpath", target);
  const number = (key: string, value: number, digits: number) => {
    if (value >= 0 && value < 8 ** digits) return value;
    keep(key, String(value));
    return 0;
  };
  const fields = {
    uid: number("uid", uid, 7),
    gid: number("gid", gid, 7),
    size: number("size", size, 11),
    mtime: number("mtime", mtime, 11),
  };
  for (const { name, value } of entry.xattrs ?? []) keep(`SCHILY.xattr.${name}`, value);
  const [prefix, rest] = split ?? [new Uint8Array(), name.subarray(0, NAME)];
  const own = block({ ...entry, ...fields, type: TYPES[entry.kind], prefix, rest, link: target });
  if (records.length === 0) return [own];
  const body = joined(records);
  const plain = { mode: 0o644, uid: 0, gid: 0, mtime: 0, prefix: new Uint8Array() };
  const extended = block({
    ...plain,
    size: body.length,
    type: "x",
    rest: encoder.encode("PaxHeader"),
    link: new Uint8Array(),
  });
  return [extended, body, paddingOf(body.length), own];
}

/** What fills the last block of data up. */
export function paddingOf(size: number): Uint8Array {
  return new Uint8Array((BLOCK - size % BLOCK) % BLOCK);
}

/** The fields of a header, all of which fit. */
interface Fields {
  readonly prefix: Uint8Array;
  readonly rest: Uint8Array;
  readonly link: Uint8Array;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly major?: number;
  readonly minor?: number;
}

function block(fields: Fields): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  const octal = (at: number, digits: number, value: number) => {
    encoder.encodeInto(value.toString(8).padStart(digits, "0"), bytes.subarray(at, at + digits));
  };
  bytes.set(fields.rest);
  octal(100, 7, fields.mode);
  octal(108, 7, fields.uid);
  octal(116, 7, fields.gid);
  octal(124, 11, fields.size);
  octal(136, 11, fields.mtime);
  encoder.encodeInto(fields.type, bytes.subarray(156));
  bytes.set(fields.link.subarray(0, NAME), 157);
  encoder.encodeInto("ustar\x0000", bytes.subarray(257));
  octal(329, 7, fields.major ?? 0);
  octal(337, 7, fields.minor ?? 0);
  bytes.set(fields.prefix, 345);
  bytes.fill(0x20, 148, 156);
  octal(148, 6, bytes.reduce((sum, byte) => sum + byte, 0));
  bytes[154] = 0;
  return bytes;
}

/** The name as prefix and rest; `undefined` where it does not fit. */
function splitName(name: Uint8Array): readonly [Uint8Array, Uint8Array] | undefined {
  if (name.length <= NAME) return [new Uint8Array(), name];
  // The last slash may end the name of a directory, and stays with the rest.
  for (let at = name.length - 2; at >= 0 && name.length - at - 1 <= NAME; at--) {
    if (name[at] === 0x2f && at <= PREFIX) return [name.subarray(0, at), name.subarray(at + 1)];
  }
  return undefined;
}

function record(key: string, value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  const rest = joined([encoder.encode(` ${key}=`), bytes, encoder.encode("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return joined([encoder.encode(String(length)), rest]);
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80);
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  return bytes.subarray(0, encodeName(text, bytes).written);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
