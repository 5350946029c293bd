/** Images that leave the store: to registries, and as archives. */

import { gzipSync } from "node:zlib";
import { assertEquals } from "@std/assert";
import { type Image, load, pull, push, save, storedImages } from "../../images/mod.ts";
import { FixtureRegistry } from "./fixture_registry.ts";
import { makeImage, writeLayout } from "./made_image.ts";
import { assertImageError, inDirectory, QUICK } from "./support.ts";
import { root } from "../support.ts";
import { output, without } from "./programs.ts";

const USER = { username: "cook", password: "salt" };

/** Pulls an image with a layer that is sent in several parts. */
async function largeImage(directory: string): Promise<Image> {
  const content = new Uint8Array(200_000);
  for (let at = 0; at < content.length; at += 50_000) {
    crypto.getRandomValues(content.subarray(at, at + 50_000));
  }
  const layers = [[{ name: "large", content }], [{ name: "small", content: "x" }]];
  writeLayout(`${directory}/layout`, { tag: makeImage({ layers }) });
  const options = { store: `${directory}/store`, unpack: false } as const;
  return await pull(`oci:${directory}/layout:tag`, { ...options, name: "tool:1" });
}

inDirectory(
  "an image is pushed in parts, and what is there is not sent again",
  async (directory) => {
    await using registry = new FixtureRegistry();
    registry.auth = "bearer";
    await using image = await largeImage(directory);
    const options = { ...QUICK, credentials: USER, chunkSize: 80_000 };
    const reference = await push(image, `${registry.host}/team/tool:2`, options);
    assertEquals(reference, `${registry.host}/team/tool@${image.digest}`);
    const parts = registry.requests.filter((it) => it.startsWith("PATCH")).length;
    assertEquals(parts, 2);
    const other = `${directory}/other`;
    await using back = await pull(reference, { store: other, unpack: false, ...options });
    assertEquals(back.digest, image.digest);

    registry.requests.length = 0;
    await push(image, `${registry.host}/team/tool:3`, options);
    const sent = registry.requests.filter((it) => !it.startsWith("HEAD") && !it.startsWith("GET"));
    assertEquals(sent, ["PUT /v2/team/tool/manifests/3"]);
  },
);

inDirectory(
  "a part that arrived although its answer did not is not sent twice",
  async (directory) => {
    await using registry = new FixtureRegistry();
    await using image = await largeImage(directory);
    let patches = 0;
    registry.after = (request) =>
      request.method === "PATCH" && patches++ === 0
        ? new Response(null, { status: 502 })
        : undefined;
    await push(image, `${registry.host}/tool:1`, { ...QUICK, chunkSize: 80_000 });
    assertEquals(patches, 3);
    for (const { digest, size } of image.layers) {
      assertEquals(
        registry.blobs.get(digest)?.length,
        size,
      );
    }
  },
);

inDirectory("a registry that never has the parts it was sent gets no more", async (directory) => {
  await using registry = new FixtureRegistry();
  await using image = await largeImage(directory);
  let patches = 0;
  const push1 = () => push(image, `${registry.host}/tool:1`, { ...QUICK, chunkSize: 80_000 });
  for (const [range, most] of [["0-0", 11], ["0-99999999", 1]] as const) {
    registry.answer = ({ method }) =>
      method !== "PATCH" ? undefined : (patches++,
        new Response(null, {
          status: 416,
          headers: { range },
        }));
    await assertImageError(push1, "network", "does not take the blob");
    assertEquals(patches, most, range);
    patches = 0;
  }
});

inDirectory("a blob that another repository has is mounted from there", async (directory) => {
  await using registry = new FixtureRegistry();
  const image = makeImage();
  const reference = registry.put("team/tool:1", image);
  await using stored = await pull(reference, { store: directory, unpack: false, ...QUICK });
  // It does not say what it has to one who asks in the other repository.
  registry.answer = (request, url) =>
    request.method === "HEAD" && url.pathname.includes("/other/")
      ? new Response(null, { status: 404 })
      : undefined;
  registry.requests.length = 0;
  await push(stored, `${registry.host}/other/tool:1`, QUICK);
  const posts = registry.requests.filter((it) => it.startsWith("POST"));
  assertEquals(posts.length, 2);
  assertEquals(posts.every((it) => it.includes("mount=") && it.endsWith("from=team%2Ftool")), true);
  assertEquals(registry.requests.filter((it) => it.startsWith("PUT")), [
    "PUT /v2/other/tool/manifests/1",
  ]);
  await assertImageError(() => push(stored, "oci:/tmp/x", QUICK), "reference", "in no registry");
});

inDirectory("an archive is loaded again, and has the same bytes each time", async (directory) => {
  const layout = `${directory}/layout`;
  const store = `${directory}/store`;
  writeLayout(layout, { tag: makeImage({ config: { User: "cook" } }) });
  await using image = await pull(`oci:${layout}:tag`, { store, name: "tool:1", unpack: false });
  const files = [`${directory}/one.tar`, `${directory}/two.tar`];
  for (const path of files) {
    using file = await Deno.create(path);
    await save([image], file);
  }
  assertEquals(Deno.readFileSync(files[0]!), Deno.readFileSync(files[1]!));
  const other = `${directory}/other`;
  for (const image of await load(files[0]!, { store: other, unpack: false })) {
    await image[Symbol.asyncDispose]();
  }
  const [loaded] = await storedImages({ store: other });
  assertEquals([loaded?.shortName, loaded?.digest], ["tool:1", image.digest]);
  await using named = await pull(`docker-archive:${files[0]}:tool:1`, {
    store: other,
    unpack: false,
  });
  assertEquals(named.config.user, "cook");
  assertEquals(named.layers, image.layers);
});

inDirectory("skopeo reads an archive in both of its ways", async (directory) => {
  const layout = `${directory}/layout`;
  writeLayout(layout, { tag: makeImage() });
  const store = `${directory}/store`;
  await using image = await pull(`oci:${layout}:tag`, { store, name: "tool:1", unpack: false });
  {
    using file = await Deno.create(`${directory}/image.tar`);
    await save([image], file);
  }
  // As another user than root, skopeo fails to give what it unpacks of the former to root.
  for (const transport of [...(root ? ["oci-archive"] : []), "docker-archive"]) {
    const from = `${transport}:${directory}/image.tar`;
    const copied = `dir:${directory}/${transport}`;
    await output("skopeo", "copy", from, copied);
    await using back = await pull(copied, { store, unpack: false });
    assertEquals(back.layers.map(({ diffId }) => diffId), image.layers.map(({ diffId }) => diffId));
  }
}, without("skopeo"));

inDirectory("an archive does not become more than it may be", async (directory) => {
  const [file, store] = [`${directory}/archive.tar.gz`, `${directory}/store`];
  Deno.writeFileSync(file, gzipSync(new Uint8Array(1 << 20)));
  const options = { store, maxBytes: 1 << 19 };
  const opened = [
    () => load(file, options),
    ...["oci-archive", "docker-archive"].map((kind) => () => pull(`${kind}:${file}`, options)),
  ];
  for (const open of opened) await assertImageError(open, "too-large", "524288", "--max-size");
  // The part that was decompressed is gone.
  assertEquals([...Deno.readDirSync(`${store}/ramekin/work`)], []);
});
