/** Layers as their bytes come: cut, split and in pieces at any place. */

import { assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { BlobReader } from "../../../images/layer/blob.ts";
import { decompress } from "../../../images/layer/decompress.ts";
import { ArchiveError } from "../../../images/layer/errors.ts";
import { test } from "../../support.ts";
import { archive, dir, type Entry, Kitchen, reg } from "./archives.ts";

/** Numbers that are the same in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor(state / 2 ** 31 * below);
  };
}

const random = numbers(7);

const NOISE = Uint8Array.from({ length: 70_001 }, () => random(40) * 6);

/** Bytes of which some repeat, and others each time. */
function bytesOf(size: number): Uint8Array {
  const from = random(NOISE.length);
  return Buffer.alloc(from + size, NOISE).subarray(from);
}

const CHECKSUM = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

const FORMATS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  "no compression": (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes, CHECKSUM),
};

/** Files of all sizes; and large ones with attributes, for which a batch has no room any more. */
function manyFiles(): readonly (Entry & { data: Uint8Array })[] {
  const sizes = [2 << 20, ...Array.from({ length: 200 }, () => random(30_000)), 0, 1_500_000];
  const attribute = (name: string) => [`SCHILY.xattr.user.${name}`, bytesOf(60_000)];
  const pax = Object.fromEntries(["a", "b", "c"].map(attribute));
  const full = Array.from({ length: 5 }, (_, round) => [
    ...Array.from({ length: 300 + random(500) }, (_, at) => reg(`d/${round}-${at}`, bytesOf(9))),
    reg(`d/large-${round}`, bytesOf(400_000), { pax }),
  ]);
  const files = [...sizes.map((size, at) => reg(`d/${at}`, bytesOf(size))), ...full.flat()];
  return files as (Entry & { data: Uint8Array })[];
}

// What the pieces hold is written while the next ones come, and their memory is given back.
for (const [format, compress] of Object.entries(FORMATS)) {
  test(`files of many sizes are whole: ${format}`, async () => {
    using kitchen = new Kitchen();
    const files = manyFiles();
    const tar = archive(dir("d"), ...files);
    await kitchen.unpackLayers([kitchen.layer(tar, compress(tar))]);
    for (const { name, data } of files) {
      const found = Deno.readFileSync(`${kitchen.root}/${name}`);
      assertEquals(Buffer.compare(found, data), 0, `${name} of ${data.length} bytes`);
    }
  });
}

/** What a blob decompresses to. */
async function decoded(path: string, blob: Uint8Array): Promise<Uint8Array> {
  Deno.writeFileSync(path, blob);
  using reader = new BlobReader(path);
  return Buffer.concat(await Array.fromAsync(decompress(reader)));
}

for (const [format, compress] of Object.entries(FORMATS).slice(1)) {
  test(`a stream of ${format} is one, wherever it is split, and none where it is cut`, async () => {
    const path = Deno.makeTempFileSync();
    try {
      const tar = archive(reg("f", bytesOf(300)));
      const places = [
        0,
        1,
        tar.length - 1,
        tar.length,
        ...Array.from({ length: 60 }, () => random(tar.length)),
      ];
      for (const [index, at] of places.entries()) {
        const halves = [tar.subarray(0, at), tar.subarray(at)].map(compress);
        const found = await decoded(path, Buffer.concat(halves));
        assertEquals(Buffer.compare(found, tar), 0, `split at ${at}`);
        // The first half is a whole stream, and a cut one is none.
        const whole = halves[0]!.length;
        const cut = whole + 1 + index * 7 % (halves[1]!.length - 1);
        const blob = Buffer.concat(halves).subarray(0, cut);
        await assertRejects(() => decoded(path, blob), ArchiveError, undefined, `cut at ${cut}`);
      }
    } finally {
      Deno.removeSync(path);
    }
  });
}
