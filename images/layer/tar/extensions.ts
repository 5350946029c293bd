/**
 * What extended headers and long names change of a header.
 *
 * @module
 */

import { decodeName } from "../../../ffi/file_name.ts";
import { ArchiveError } from "../errors.ts";
import type { Xattr } from "../../../ffi/files/overlay_notes.ts";
import type { EntryKind, Segment, TarEntry, Time } from "./entry.ts";
import type { Header } from "./header.ts";
import { paxNumber, type PaxRecord, paxTime } from "./pax.ts";
import { checkSegments, paxSegments } from "./sparse.ts";

/** What came before a header: the records of PAX headers, and GNU's long names. */
export interface Extensions {
  readonly records: readonly PaxRecord[];
  readonly name?: string;
  readonly target?: string;
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  // A directory of an incremental backup, with the list of its names.
  D: "directory",
};

/**
 * The kind of a type; `"skip"` is the label of a volume.
 *
 * @throws {ArchiveError} for a type that no tar of images has
 */
export function typeOf(type: string, name: string): EntryKind | "skip" {
  if (type === "V") return "skip";
  // Before there were directories in archives, a slash said so.
  if (type === "\0" && name.endsWith("/")) return "directory";
  const kind = KINDS[type];
  if (kind === undefined) {
    throw new ArchiveError(`${JSON.stringify(name)} has the unknown type ${JSON.stringify(type)}`);
  }
  return kind;
}

/** All that is known of a file. */
export interface EntryParts {
  readonly header: Header;
  readonly kind: EntryKind;
  readonly globals: Extensions;
  readonly extensions: Extensions;
  readonly sparse: {
    readonly stored: number;
    readonly size?: number;
    readonly segments?: readonly Segment[];
  };
}

const SCHILY_XATTR = "SCHILY.xattr.";
const LIBARCHIVE_XATTR = "LIBARCHIVE.xattr.";
const ACLS = /^SCHILY\.acl\./;

/**
 * Puts a file together.
 *
 * @throws {ArchiveError} if a record is broken
 */
export function entryOf({ header, kind, globals, extensions, sparse }: EntryParts): TarEntry {
  const records = [...globals.records, ...extensions.records];
  const own = new Map(extensions.records.map(({ key, value }) => [key, value]));
  const all = new Map(globals.records.map(({ key, value }) => [key, value]));
  // An empty value takes back what a global header says.
  for (const [key, value] of own) all.set(key, value);
  const value = (key: string) => {
    const found = all.get(key);
    return found === undefined || found.length === 0 ? undefined : found;
  };
  const text = (key: string) => textOf(value(key), key);
  const number = (key: string) => {
    const found = value(key);
    return found === undefined ? undefined : paxNumber(found, key);
  };
  const mtime = value("mtime");
  const segments = sparse.segments ??
    (kind === "file" ? paxSegments(extensions.records) : undefined);
  const size = sparse.size ?? number("GNU.sparse.realsize") ?? number("GNU.sparse.size");
  if (segments !== undefined) checkSegments(segments, size ?? sparse.stored, sparse.stored);
  return {
    name: text("GNU.sparse.name") ?? extensions.name ?? text("path") ?? header.name,
    kind,
    target: extensions.target ?? text("linkpath") ?? header.target,
    uid: number("uid") ?? header.uid,
    gid: number("gid") ?? header.gid,
    mode: header.mode,
    mtime: mtime === undefined
      ? wholeSeconds(header.mtime)
      : paxTime(mtime, "mtime", header.libarchive),
    size: segments === undefined ? sparse.stored : size ?? sparse.stored,
    stored: sparse.stored,
    segments,
    xattrs: xattrsOf(records),
    major: header.major,
    minor: header.minor,
    unread: [...all.keys()].filter((key) => ACLS.test(key) && all.get(key)!.length > 0),
  };
}

function wholeSeconds(seconds: number): Time {
  return { seconds, nanoseconds: 0 };
}

function textOf(value: Uint8Array | undefined, key: string): string | undefined {
  if (value === undefined) return undefined;
  if (value.includes(0)) throw new ArchiveError(`${key} of an extended header has a NUL in it`);
  return decodeName(value);
}

/** Attributes as star and GNU tar write them, or else as libarchive does, which writes both. */
function xattrsOf(records: readonly PaxRecord[]): Xattr[] {
  let found: Map<string, Uint8Array> | undefined;
  for (const { key, value } of records) {
    if (key.startsWith(SCHILY_XATTR)) {
      (found ??= new Map()).set(key.slice(SCHILY_XATTR.length), value);
    }
  }
  for (const { key, value } of records) {
    if (!key.startsWith(LIBARCHIVE_XATTR)) continue;
    const name = unescaped(key.slice(LIBARCHIVE_XATTR.length));
    found ??= new Map();
    if (!found.has(name)) found.set(name, fromBase64(value, key));
  }
  return found === undefined ? [] : [...found].map(([name, value]) => ({ name, value }));
}

function unescaped(name: string): string {
  return name.replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

function fromBase64(value: Uint8Array, key: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(decodeName(value));
  } catch {
    throw new ArchiveError(`${key} of an extended header is no base64`);
  }
}
