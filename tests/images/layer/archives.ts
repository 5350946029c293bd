/**
 * Archives byte by byte, also such as no tar writes; and layers of them.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import {
  type LayerSource,
  unpackLayers,
  type UnpackOptions,
  type UnpackSummary,
} from "../../../images/layer/mod.ts";

const BLOCK = 512;

/** A file of an archive; fields that are given as bytes stand there as they are. */
export interface Entry {
  readonly name: string | Uint8Array;
  readonly type?: string;
  readonly data?: string | Uint8Array;
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number | Uint8Array;
  readonly gid?: number | Uint8Array;
  readonly mtime?: number | Uint8Array;
  /** What the header says, if that is not the size of the data. */
  readonly size?: number | Uint8Array;
  readonly device?: readonly [major: number, minor: number];
  readonly prefix?: string;
  /** `ustar\0` by default; `ustar  \0` is GNU's, and none that of old tars. */
  readonly magic?: string;
  /** Records of an extended header in front of it. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** Bytes that stand at an offset of the header. */
  readonly at?: Readonly<Record<number, Uint8Array | string>>;
}

/** An archive of these files, with its end. */
export function archive(...entries: readonly Entry[]): Uint8Array {
  return Buffer.concat([...entries.map(file), new Uint8Array(2 * BLOCK)]);
}

/** A directory. */
export function dir(name: string, more: Partial<Entry> = {}): Entry {
  return { name: `${name}/`, type: "5", mode: 0o755, ...more };
}

/** A regular file, which by default holds its name. */
export function reg(
  name: string,
  data: string | Uint8Array = name,
  more: Partial<Entry> = {},
): Entry {
  return { name, data, ...more };
}

/** A symbolic link. */
export function link(name: string, target: string): Entry {
  return { name, type: "2", target, mode: 0o777 };
}

/** A hard link. */
export function hard(name: string, target: string): Entry {
  return { name, type: "1", target };
}

/** The bytes of one file: its headers and data, padded. */
export function file(entry: Entry): Uint8Array {
  const data = bytesOf(entry.data ?? "");
  const before = entry.pax === undefined ? [] : [paxHeader("x", entry.pax)];
  return Buffer.concat([...before, header(entry, data.length), padded(data)]);
}

/** An extended header: for the next file (`x`), or for all that follow (`g`). */
export function paxHeader(
  type: "x" | "g",
  records: Readonly<Record<string, string | Uint8Array>>,
): Uint8Array {
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => record(key, value)));
  return Buffer.concat([header({ name: "PaxHeaders/0", type }, body.length), padded(body)]);
}

/** A record of an extended header. */
export function record(key: string, value: string | Uint8Array): Uint8Array {
  const rest = Buffer.concat([bytesOf(` ${key}=`), bytesOf(value), bytesOf("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return Buffer.concat([bytesOf(String(length)), rest]);
}

/** A header. */
export function header(entry: Entry, size: number): Uint8Array {
  const { mode = 0o644, uid = 0, gid = 0, mtime = 1_000_000_000, device = [0, 0] } = entry;
  const block = new Uint8Array(BLOCK);
  const put = (at: number, value: string | Uint8Array) => block.set(bytesOf(value), at);
  const number = (at: number, width: number, value: number | Uint8Array) =>
    put(
      at,
      typeof value === "number" ? value.toString(8).padStart(width - 1, "0") + "\0" : value,
    );
  put(0, bytesOf(entry.name).subarray(0, 100));
  number(100, 8, mode);
  number(108, 8, uid);
  number(116, 8, gid);
  number(124, 12, entry.size ?? size);
  number(136, 12, mtime);
  put(156, entry.type ?? "0");
  put(157, bytesOf(entry.target ?? "").subarray(0, 100));
  put(257, entry.magic ?? "ustar\x0000");
  if (entry.type === "3" || entry.type === "4") {
    number(329, 8, device[0]);
    number(337, 8, device[1]);
  }
  put(345, entry.prefix ?? "");
  for (const [at, value] of Object.entries(entry.at ?? {})) put(Number(at), value);
  return summed(block);
}

/** The block with its checksum. */
export function summed(block: Uint8Array): Uint8Array {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(bytesOf(sum.toString(8).padStart(6, "0") + "\0 "), 148);
  return block;
}

/** The data with zeros up to the end of the last block. */
export function padded(data: Uint8Array): Uint8Array {
  return Buffer.concat([data, new Uint8Array((BLOCK - data.length % BLOCK) % BLOCK)]);
}

export function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}

/** The digest of bytes. */
export function digestOf(bytes: Uint8Array, algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** Writes blobs into a directory, and unpacks them into another one. */
export class Kitchen implements Disposable {
  readonly directory: string = Deno.makeTempDirSync();
  readonly root = `${this.directory}/root`;
  #count = 0;

  constructor() {
    Deno.mkdirSync(this.root);
  }

  /** The layer of an archive, compressed with gzip unless its blob is given. */
  layer(
    tar: Uint8Array,
    blob: Uint8Array = gzipSync(tar),
    said: Partial<LayerSource> = {},
  ): LayerSource {
    const path = `${this.directory}/blob-${this.#count++}`;
    Deno.writeFileSync(path, blob);
    return {
      path,
      digest: digestOf(blob),
      size: blob.length,
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      diffId: digestOf(tar),
      ...said,
    };
  }

  /** Unpacks archives, one a layer. */
  unpack(...archives: readonly Uint8Array[]): Promise<UnpackSummary> {
    return this.unpackLayers(archives.map((tar) => this.layer(tar)));
  }

  unpackLayers(layers: readonly LayerSource[], options?: UnpackOptions): Promise<UnpackSummary> {
    return unpackLayers(layers, this.root, options);
  }

  /** The files of the root: directories end with a slash, links show their targets. */
  tree(): string[] {
    return [...paths(this.root)].sort();
  }

  text(path: string): string {
    return Deno.readTextFileSync(`${this.root}/${path}`);
  }

  stat(path: string): Deno.FileInfo {
    return Deno.lstatSync(`${this.root}/${path}`);
  }

  [Symbol.dispose](): void {
    // Modes of directories may keep an ordinary user out.
    new Deno.Command("chmod", { args: ["-R", "u+rwX", this.directory], stderr: "null" })
      .outputSync();
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function* paths(root: string, path = ""): Generator<string> {
  for (const { name, isDirectory, isSymlink } of Deno.readDirSync(`${root}/${path}`)) {
    const here = `${path}${name}`;
    if (isSymlink) yield `${here} -> ${Deno.readLinkSync(`${root}/${here}`)}`;
    else if (isDirectory) {
      yield `${here}/`;
      yield* paths(root, `${here}/`);
    } else yield here;
  }
}
