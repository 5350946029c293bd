/** What layers are compressed by, which their bytes tell; and what is checked of each. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { LayerError, type LayerSource } from "../../../images/layer/mod.ts";
import { test } from "../../support.ts";
import { archive, digestOf, dir, Kitchen, reg } from "./archives.ts";

/** A megabyte that does not compress well, so that blobs come in pieces. */
const NOISE = noise(1 << 20);
const TAR = archive(dir("d"), reg("d/noise", NOISE), reg("small"));

function noise(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

function parts(bytes: Uint8Array, size: number): Uint8Array[] {
  const list = [];
  for (let at = 0; at < bytes.length; at += size) list.push(bytes.subarray(at, at + size));
  return list;
}

function skippable(size: number): Uint8Array {
  const frame = Buffer.alloc(8 + size, "x");
  frame.writeUInt32LE(0x184d2a53, 0);
  frame.writeUInt32LE(size, 4);
  return frame;
}

const checksummed = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const inMembers = Buffer.concat(parts(TAR, 100_000).map((part) => gzipSync(part)));
const inFrames = Buffer.concat(parts(TAR, 5000).map((part) => zstdCompressSync(part)));

const GOOD: Readonly<Record<string, Uint8Array>> = {
  "no compression": TAR,
  gzip: gzipSync(TAR),
  "gzip of many members": inMembers,
  "gzip with zeros behind it": Buffer.concat([gzipSync(TAR), new Uint8Array(100_000)]),
  "gzip of many members with a few zeros behind them": Buffer.concat([
    inMembers,
    new Uint8Array(3),
  ]),
  zstd: zstdCompressSync(TAR),
  "zstd with a checksum": zstdCompressSync(TAR, checksummed),
  "zstd of many frames": inFrames,
  "zstd of large frames": Buffer.concat([
    zstdCompressSync(TAR.subarray(0, 512)),
    zstdCompressSync(TAR.subarray(512), checksummed),
  ]),
  "zstd with frames to be skipped": Buffer.concat([
    skippable(0),
    zstdCompressSync(TAR.subarray(0, 1000)),
    skippable(300_000),
    zstdCompressSync(new Uint8Array()),
    zstdCompressSync(TAR.subarray(1000)),
    skippable(40),
  ]),
};

for (const [name, blob] of Object.entries(GOOD)) {
  test(`a layer of ${name}, whatever its media type says`, async () => {
    using kitchen = new Kitchen();
    const mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.xz";
    const summary = await kitchen.unpackLayers([kitchen.layer(TAR, blob, { mediaType })]);
    assertEquals(kitchen.tree(), ["d/", "d/noise", "small"]);
    assertEquals(Deno.readFileSync(`${kitchen.root}/d/noise`), NOISE);
    assertEquals([summary.bytes, summary.entries], [TAR.length, 3]);
  });
}

const zeros = new Uint8Array(10);
const small = archive(reg("f"));

const BAD: readonly (readonly [name: string, blob: Uint8Array, says: string])[] = [
  ["gzip that is cut", gzipSync(TAR).subarray(0, 500_000), "the gzip stream is cut"],
  ["gzip of which the end is cut", gzipSync(small).subarray(0, -5), "the gzip stream is cut"],
  ["gzip that is damaged", damaged(gzipSync(TAR)), "the gzip stream is damaged"],
  [
    "gzip with garbage behind",
    Buffer.concat([gzipSync(TAR), Buffer.from("garbage")]),
    "neither zeros nor",
  ],
  [
    "gzip with zeros and garbage",
    Buffer.concat([gzipSync(small), zeros, Buffer.from("x")]),
    "neither zeros nor",
  ],
  [
    "gzip with zeros and a member",
    Buffer.concat([gzipSync(TAR), zeros, gzipSync(TAR)]),
    "neither zeros nor",
  ],
  ["zstd that is cut", zstdCompressSync(TAR).subarray(0, 500_000), "the zstd stream is cut"],
  ["zstd of frames that are cut", inFrames.subarray(0, 500_000), "the zstd stream is cut"],
  ["zstd without its checksum", zstdCompressSync(small, checksummed).subarray(0, -1), "is cut"],
  ["a frame to be skipped that is cut", skippable(100).subarray(0, 50), "the zstd stream is cut"],
  [
    "zstd that is damaged",
    damaged(zstdCompressSync(TAR, checksummed)),
    "the zstd stream is damaged",
  ],
  ["zstd with a wrong checksum", wrongAtTheEnd(), "the zstd stream is damaged"],
  [
    "zstd with garbage behind",
    Buffer.concat([zstdCompressSync(TAR), Buffer.from("garbage!")]),
    "that are no frame",
  ],
  ["xz", Buffer.from("fd377a585a000004e6d6b446", "hex"), "it is compressed by xz"],
  ["bzip2", Buffer.from("BZh91AY&SY"), "it is compressed by bzip2"],
  ["lz4", Buffer.from("04224d18644070df", "hex"), "it is compressed by lz4"],
  ["text", Buffer.from("<html>".repeat(100)), "it is no tar archive"],
];

/** Zstd of few bytes that become more than a decoder's chunk, and then a checksum that is wrong. */
function wrongAtTheEnd(): Uint8Array {
  const tar = archive(reg("zeros", new Uint8Array(5 << 20)));
  const blob = Buffer.from(zstdCompressSync(tar, checksummed));
  blob[blob.length - 1]! ^= 0x55;
  return blob;
}

function damaged(blob: Uint8Array): Uint8Array {
  const bytes = Buffer.from(blob);
  bytes.fill(0x55, bytes.length / 2, bytes.length / 2 + 1000);
  return bytes;
}

for (const [name, blob, says] of BAD) {
  test(`a layer of ${name} is refused, and nothing is left`, async () => {
    using kitchen = new Kitchen();
    const layer = kitchen.layer(TAR, blob);
    const error = await assertRejects(() => kitchen.unpackLayers([layer]), LayerError, says);
    assertEquals([error.layer, error.code], [layer.digest, "invalid"]);
    assertEquals(kitchen.tree(), []);
  });
}

const WRONG = `sha256:${"0".repeat(64)}`;
const CHECKS: readonly (readonly [said: Partial<LayerSource>, says: string])[] = [
  [{ digest: WRONG }, `its digest is wrong: its bytes have ${digestOf(gzipSync(small))}`],
  [{ size: 7 }, `its size is wrong: 7 bytes are said, and it has ${gzipSync(small).length}`],
  [{ diffId: WRONG }, `its diff_id is wrong: the image's configuration says ${WRONG}`],
];

for (const [said, says] of CHECKS) {
  test(`what is said of a layer is checked: ${Object.keys(said)}`, async () => {
    using kitchen = new Kitchen();
    const layer = kitchen.layer(small, gzipSync(small), said);
    const error = await assertRejects(() => kitchen.unpackLayers([layer]), LayerError, says);
    assertEquals([error.layer, error.code], [layer.digest, "digest"]);
    assertEquals(kitchen.tree(), []);
  });
}

test("a damaged blob is told by its digest, and not by what is wrong with its archive", async () => {
  using kitchen = new Kitchen();
  const layer = kitchen.layer(TAR, damaged(gzipSync(TAR)), { digest: digestOf(gzipSync(TAR)) });
  await assertRejects(() => kitchen.unpackLayers([layer]), LayerError, "its digest is wrong");
});

test("digests of sha512, and of what is not known", async () => {
  using kitchen = new Kitchen();
  const blob = gzipSync(small);
  const said = { digest: digestOf(blob, "sha512"), diffId: digestOf(small, "sha512") };
  await kitchen.unpackLayers([kitchen.layer(small, blob, said)]);
  assertEquals(kitchen.tree(), ["f"]);
  using other = new Kitchen();
  for (const digest of ["md5:00", "sha256:00", "toString:"]) {
    const layer = other.layer(small, blob, { digest });
    await assertRejects(
      () => other.unpackLayers([layer]),
      LayerError,
      "is none that can be checked",
    );
  }
});

test("bounds: bytes of the archives, and files", async () => {
  using kitchen = new Kitchen();
  const bomb = archive(reg("zeros", new Uint8Array(1 << 24)));
  for (const blob of [gzipSync(bomb), zstdCompressSync(bomb)]) {
    const layer = kitchen.layer(bomb, blob);
    assert(blob.length < 20_000);
    const unpack = () => kitchen.unpackLayers([layer], { maxBytes: 1 << 22 });
    await assertRejects(unpack, LayerError, "more than maxBytes");
  }
  const deep = kitchen.layer(archive(reg("f", "", { pax: { path: "a/".repeat(1000) } })));
  const unpack = () => kitchen.unpackLayers([deep], { maxEntries: 500 });
  await assertRejects(unpack, LayerError, "more than 500 files");
  assertEquals(kitchen.tree(), []);
});

test("unpacking ends by a signal, and nothing is left", async () => {
  using kitchen = new Kitchen();
  const layer = kitchen.layer(TAR);
  const stop = new AbortController();
  const read: number[] = [];
  const unpack = () =>
    kitchen.unpackLayers([layer, layer], {
      signal: stop.signal,
      progress: (index, bytes) => {
        read.push(bytes);
        if (index === 1) stop.abort(new Error("enough"));
      },
    });
  await assertRejects(unpack, Error, "enough");
  assert(read.includes(layer.size), `${read}`);
  assertEquals(kitchen.tree(), []);
});

test("layers are unpacked into an empty directory", async () => {
  using kitchen = new Kitchen();
  Deno.writeTextFileSync(`${kitchen.root}/there`, "");
  await assertRejects(() => kitchen.unpack(small), LayerError, "is not empty");
  assertEquals(kitchen.tree(), ["there"]);
});
