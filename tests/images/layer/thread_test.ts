/** Layers that are decoded on a thread of their own: as on the script's, and no worse where it fails. */

import { assertEquals } from "@std/assert";
import { runScript } from "../../other_scripts.ts";
import { test } from "../../support.ts";

const LAYER = import.meta.resolve("../../../images/layer/");

// They run in scripts, as a Worker's descriptors stay open until the process ends.
const BEGIN = `
  import { Buffer } from "node:buffer";
  import { createHash, randomBytes } from "node:crypto";
  import { gzipSync, zstdCompressSync } from "node:zlib";
  import { DecoderHere } from ${JSON.stringify(`${LAYER}decoding.ts`)};
  import { decoderFor, ThreadDecoder } from ${JSON.stringify(`${LAYER}thread_decoder.ts`)};
  import { unpackLayers } from ${JSON.stringify(`${LAYER}mod.ts`)};

  const directory = Deno.makeTempDirSync();
  addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  const digestOf = (bytes) => "sha256:" + createHash("sha256").update(bytes).digest("hex");
  const path = directory + "/blob";

  /** What a decoder makes of the blob: at most so many pieces of it. */
  async function decode(decoder, blob, most = Infinity) {
    if (blob !== undefined) Deno.writeFileSync(path, blob);
    const found = { issue: "", archive: "", end: undefined };
    try {
      using decoding = decoder.decode(path, digestOf(""));
      const hash = createHash("sha256");
      let pieces = 0;
      try {
        for await (const piece of decoding) {
          hash.update(piece);
          if (++pieces === most) break;
        }
      } catch (error) {
        found.issue = error.constructor.name + ": " + error.message + " " + error.code;
      }
      found.end = await decoding.end();
      if (most === Infinity) found.archive = hash.digest("hex");
    } catch (error) {
      found.issue = error.constructor.name + ": " + error.message.replace(/^open .*: /, "") + " " +
        error.code;
    }
    return JSON.stringify(found);
  }
`;

test("a thread decodes what the script's own does, and says the same of it", async () => {
  const { stdout, stderr } = await runScript(
    `${BEGIN}
    const block = Buffer.alloc(3 << 20);
    const zeros = Buffer.alloc(12 << 20);
    const noise = randomBytes(300_000);
    const zstd = Buffer.concat([zstdCompressSync(zeros), zstdCompressSync(noise)]);
    const gzip = Buffer.concat([gzipSync(zeros), gzipSync(noise)]);
    const damaged = Buffer.from(zstd);
    damaged.fill(0xff, 30, 60);
    const blobs = [block, zstd, gzip, zstd.subarray(0, -9), gzip.subarray(0, -9), damaged, noise];
    using thread = new ThreadDecoder();
    using here = new DecoderHere();
    for (const [index, blob] of blobs.entries()) {
      for (const most of [Infinity, 2]) {
        const [one, other] = [await decode(here, blob, most), await decode(thread, blob, most)];
        if (one !== other) console.log(index, most, one, other);
      }
    }
    Deno.removeSync(path);
    console.log(await decode(here) === await decode(thread), await decode(thread));
    console.log(JSON.parse(await decode(thread, gzip)).end.size === gzip.length);`,
    ["-A"],
  );
  const missing = '{"issue":"Error: ENOENT: no such file or directory, open ENOENT","archive":""}';
  assertEquals(stderr, "");
  const [first, second] = stdout.trim().split("\n");
  assertEquals(first?.replace(/open '.*?'/, "open"), `true ${missing}`);
  assertEquals(second, "true");
});

test("a layer is decoded here where the thread cannot be started, or may not be", async () => {
  const { stdout } = await runScript(
    `${BEGIN}
    using broken = new ThreadDecoder(new URL("data:text/javascript,throw new Error('none')"));
    using here = new DecoderHere();
    const blobs = [gzipSync(Buffer.alloc(1 << 20)), randomBytes(1000), gzipSync("x")];
    for (const blob of blobs) console.log(await decode(broken, blob) === await decode(here, blob));
    const large = () => {
      using decoder = decoderFor(1 << 30);
      return decoder instanceof ThreadDecoder;
    };
    console.log(large(), decoderFor(1000) instanceof DecoderHere);
    Deno.permissions.revokeSync({ name: "read" });
    console.log(large());`,
    ["-A"],
  );
  assertEquals(stdout, "true\ntrue\ntrue\ntrue true\nfalse\n");
});

test("a large layer is unpacked by two threads, and checked as any other", async () => {
  const { stdout, stderr } = await runScript(
    `${BEGIN}
    import { archive, reg } from ${JSON.stringify(import.meta.resolve("./archives.ts"))};
    const data = randomBytes(17 << 20);
    const tar = archive(reg("large", data), reg("small", "x"));
    const root = directory + "/root";
    const unpack = async (change) => {
      Deno.writeFileSync(path, tar);
      const [digest, size] = [digestOf(tar), tar.length];
      const layer = { path, digest, size, mediaType: "", diffId: digest, ...change };
      Deno.mkdirSync(root);
      try {
        return (await unpackLayers([layer], root)).entries;
      } catch (error) {
        return error.message.replace(/sha256:[0-9a-f]+/g, "…");
      } finally {
        const whole = [...Deno.readDirSync(root)].length;
        console.log(whole);
        Deno.removeSync(root, { recursive: true });
      }
    };
    console.log(await unpack({}));
    console.log(await unpack({ diffId: digestOf("") }));
    console.log(await unpack({ digest: digestOf("") }));`,
    ["-A"],
  );
  assertEquals(stderr, "");
  assertEquals(stdout.trim().split("\n"), [
    ...["2", "2"],
    "0",
    "layer …: its diff_id is wrong: the image's configuration says …, and its archive has …",
    "0",
    "layer …: its digest is wrong: its bytes have …",
    "  it was damaged or changed on its way, or where it is kept; get it again",
  ]);
});
