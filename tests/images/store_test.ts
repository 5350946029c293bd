/** The store: many at once, killed at any moment, collected, verified, and read by other tools. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  collectGarbage,
  type Image,
  pull,
  type PullOptions,
  removeImages,
  storedImage,
  storedImages,
  verifyStore,
} from "../../images/mod.ts";
import { writeWholeFile } from "../../images/archive/whole_file.ts";
import { writeAll } from "../../images/store/files.ts";
import { Store } from "../../images/store/store.ts";
import { type MadeFile, makeImage, writeLayout } from "./made_image.ts";
import { output, without } from "./programs.ts";
import { FixtureRegistry } from "./fixture_registry.ts";
import { assertImageError, inDirectory, QUICK } from "./support.ts";
import { root } from "../support.ts";

const SCRIPT = new URL("./pulling_script.ts", import.meta.url).pathname;

/** Starts a process that pulls and removes images, over and over. */
function startPulling(store: string, layout: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, store, layout],
    stdout: "piped",
  }).spawn();
}

inDirectory("who is killed at any moment leaves a store that is whole", async (directory) => {
  const [store, layout] = [`${directory}/store`, `${directory}/layout`];
  const files = Array.from({ length: 30 }, (_, at) => ({ name: `file${at}`, content: `${at}` }));
  const content = new Uint8Array(200_000).fill(7);
  writeLayout(layout, {
    one: makeImage({ layers: [files, [{ name: "more", content }]] }),
    two: makeImage({ layers: [files, [{ name: "other", content: "x" }]] }),
  });
  // Two at once, as one waits for what the other does when that is killed.
  for (let round = 0; round < 4; round++) {
    const children = [startPulling(store, layout), startPulling(store, layout)];
    try {
      for (const child of children) {
        const reader = child.stdout.getReader();
        const { done } = await reader.read();
        await reader.cancel();
        assert(!done, "it has failed");
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
    } finally {
      for (const child of children) await killed(child);
    }
    assertEquals(await verifyStore({ store }), []);
    for (const { digest } of await storedImages({ store })) {
      await using image = await storedImage(digest, { store });
      assertEquals(count(await image!.directory()), 31);
    }
  }
  // Nothing keeps what they have left.
  await using last = await pull(`oci:${layout}:one`, { store });
  assertEquals(count(await last.directory()), 31);
  await removeAll(store);
  await last[Symbol.asyncDispose]();
  await collectGarbage({ store });
  assertEquals(filesIn(store), [
    "index.json",
    "oci-layout",
    "ramekin/collect.lock",
    "ramekin/index.lock",
  ]);
});

/** Kills a process, which may have failed before. */
async function killed(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  await child.status;
}

async function removeAll(store: string): Promise<void> {
  const names = (await storedImages({ store })).map(({ name }) => name);
  if (names.length > 0) await removeImages(names, { store });
}

function count(directory: string): number {
  return [...Deno.readDirSync(directory)].length;
}

/** The files below a directory. */
function filesIn(directory: string): readonly string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${directory}/${name}`).map((path) => `${name}/${path}`) : [name]
  ).sort();
}

inDirectory("two that pull one layer download it once", async (directory) => {
  await using registry = new FixtureRegistry();
  const image = makeImage({ layers: [[{ name: "file", content: "x".repeat(100_000) }]] });
  const { digest } = image.layers[0]!;
  const references = ["one", "two", "three"].map((name) => registry.put(`${name}:1`, image));
  const options: PullOptions = { store: directory, unpack: false, ...QUICK };
  await Store.open(directory);
  const images = await Promise.all(references.map((reference) => pull(reference, options)));
  for (const image of images) await image[Symbol.asyncDispose]();
  const downloads = registry.requests.filter((it) => it.startsWith("GET") && it.endsWith(digest));
  assertEquals(downloads.length, 1);
  assertEquals((await storedImages({ store: directory })).length, 3);
});

inDirectory("an image that is removed stays while it is used", async (directory) => {
  const [store, layout] = [`${directory}/store`, `${directory}/layout`];
  writeLayout(layout, {
    one: makeImage({ layers: [[{ name: "base", content: "1" }], [{ name: "one", content: "1" }]] }),
    two: makeImage({ layers: [[{ name: "base", content: "1" }], [{ name: "two", content: "2" }]] }),
  });
  const one = await pull(`oci:${layout}:one`, { store });
  await (await pull(`oci:${layout}:two`, { store }))[Symbol.asyncDispose]();
  const used = await removeImages([one.name], { store });
  assertEquals([used.blobs, used.roots], [0, 0]);
  assertEquals(Deno.readTextFileSync(`${await one.directory()}/one`), "1");
  await one[Symbol.asyncDispose]();
  const unused = await collectGarbage({ store });
  // What the other image has too stays: the manifest, the configuration and a layer are removed.
  assertEquals([unused.blobs, unused.roots], [3, 1]);
  assertEquals(await verifyStore({ store }), []);
  await assertImageError(
    () => removeImages([one.name], { store }),
    "not-found",
    "there is no image",
    "there are oci:",
  );
});

inDirectory("an image is found by its name and its digest", async (directory) => {
  await using registry = new FixtureRegistry();
  const image = makeImage();
  const reference = registry.put("team/tool:1", image);
  await (await pull(reference, { store: directory, unpack: false }))[Symbol.asyncDispose]();
  const { digest } = image.manifest;
  for (const name of [reference, digest, digest.slice(7, 19)]) {
    await using found = await storedImage(name, { store: directory });
    assertEquals(found?.digest, digest, name);
  }
  assertEquals(await storedImage(`${registry.host}/team/tool:2`, { store: directory }), undefined);
});

inDirectory("what is damaged is found, removed, and pulled again", async (directory) => {
  const [store, layout] = [`${directory}/store`, `${directory}/layout`];
  const image = makeImage();
  writeLayout(layout, { tag: image });
  const again = async () => {
    await (await pull(`oci:${layout}:tag`, { store, unpack: false }))[Symbol.asyncDispose]();
  };
  await again();
  const { digest } = image.layers[0]!;
  const path = `${store}/blobs/${digest.replace(":", "/")}`;
  const bytes = Deno.readFileSync(path);
  bytes[5]! ^= 1;
  Deno.writeFileSync(path, bytes);
  const [issue] = await verifyStore({ store, remove: true });
  assertEquals([issue?.digest, issue?.image], [digest, `oci:${layout}:tag`]);
  assertStringIncludes(issue!.issue, "is damaged");
  assertStringIncludes((await verifyStore({ store }))[0]!.issue, "is missing");
  await again();
  assertEquals(await verifyStore({ store }), []);
});

inDirectory("what is no store is left alone", async (directory) => {
  Deno.writeTextFileSync(`${directory}/letter`, "");
  await assertImageError(() => Store.open(directory), "store", "has other files in it");
  await assertImageError(() => Store.open(`${directory}/letter`), "store", "is not a directory");
  assertEquals(filesIn(directory), ["letter"]);
});

inDirectory("a store that others can change is not used", async (directory) => {
  const store = `${directory}/store`;
  Deno.mkdirSync(`${store}/ramekin`, { recursive: true });
  Deno.chmodSync(store, 0o777);
  await assertImageError(() => Store.open(store), "store", "can be written to by others", "chmod");
  Deno.chmodSync(store, 0o755);
  if (root) {
    Deno.chownSync(store, 65534, 65534);
    await assertImageError(() => Store.open(store), "store", "belongs to the user 65534");
    Deno.chownSync(store, 0, 0);
  }
  await Store.open(store);
});

/** Pulls an image into a store. */
async function stored(directory: string): Promise<Image> {
  const layout = `${directory}/layout`;
  writeLayout(layout, { tag: makeImage({ config: { User: "cook" } }) });
  return await pull(`oci:${layout}:tag`, {
    store: `${directory}/store`,
    name: "tool:1",
    unpack: false,
  });
}

inDirectory("skopeo reads the store", async (directory) => {
  await using image = await stored(directory);
  const text = await output("skopeo", "inspect", "--raw", `oci:${directory}/store:${image.name}`);
  assertEquals(JSON.parse(text).layers.length, 1);
  await output("skopeo", "copy", `oci:${directory}/store:${image.name}`, `dir:${directory}/copy`);
  await using copy = await pull(`dir:${directory}/copy`, {
    store: `${directory}/other`,
    unpack: false,
  });
  assertEquals(copy.digest, image.digest);
}, without("skopeo"));

inDirectory("umoci reads the store", async (directory) => {
  await using image = await stored(directory);
  assertEquals(await output("umoci", "ls", "--layout", `${directory}/store`), `${image.name}\n`);
  await output("umoci", "stat", "--image", `${directory}/store:${image.name}`);
}, without("umoci"));

inDirectory("archives of skopeo's are pulled", async (directory) => {
  await using image = await stored(directory);
  const from = `oci:${directory}/store:${image.name}`;
  const store = `${directory}/other`;
  for (const transport of ["oci-archive", "docker-archive"]) {
    const reference = `${transport}:${directory}/${transport}.tar:tool:2`;
    await output("skopeo", "copy", from, reference);
    await using found = await pull(reference, { store });
    assertEquals(
      found.layers.map(({ diffId }) => diffId),
      image.layers.map(({ diffId }) => diffId),
    );
    assertEquals(found.config.user, "cook");
    await using _only = await pull(`${transport}:${directory}/${transport}.tar`, { store });
    await assertImageError(
      () => pull(`${transport}:${directory}/${transport}.tar:nonesuch`, { store }),
      "not-found",
      "nonesuch",
    );
  }
  await assertImageError(
    () => pull(`oci-archive:${directory}/docker-archive.tar`, { store }),
    "not-found",
    "docker-archive:",
  );
}, without("skopeo"));

inDirectory(
  "a pull for which a store has no room is refused, with what to remove",
  async (directory) => {
    await using registry = new FixtureRegistry();
    const noise = () => crypto.getRandomValues(new Uint8Array(50_000));
    const layer = (): readonly MadeFile[] => [{ name: "file", content: noise() }];
    const [one, two, three, four] = [layer(), layer(), layer(), layer()];
    const references = [[one, two], [one, three], [one, three, four]].map((layers, at) =>
      registry.put(`tool:${at}`, makeImage({ layers }))
    );
    const options = { store: directory, unpack: false, ...QUICK };
    const get = async (reference: string, more: PullOptions = {}) => {
      await (await pull(reference, { ...options, ...more }))[Symbol.asyncDispose]();
    };
    // The first layer is there for the second image.
    await get(references[0]!, { maxStoreBytes: 120_000 });
    await get(references[1]!, { maxStoreBytes: 170_000 });
    const before = registry.requests.length;
    await assertImageError(
      () => get(references[2]!, { maxStoreBytes: 170_000 }),
      "too-large",
      "bytes more, and",
      "of the 170000 that it may have",
      `ramekin rmi ${registry.host}/tool:0 removes 5`,
      `ramekin rmi ${registry.host}/tool:1 removes 5`,
    );
    assertEquals(registry.requests.slice(before).filter((it) => it.includes("/blobs/")).length, 1);
    // What no image has is named too, and what is unpacked counts.
    await removeImages([references[0]!], { store: directory });
    await get(references[1]!, { maxStoreBytes: 170_000, unpack: true });
    Deno.writeFileSync(`${directory}/blobs/sha256/${"0".repeat(64)}`, noise());
    await assertImageError(
      () => get(references[2]!, { maxStoreBytes: 250_000 }),
      "too-large",
      "ramekin images --prune removes 50000 bytes",
      `ramekin rmi ${registry.host}/tool:1 removes 2`,
    );
    await collectGarbage({ store: directory });
    await get(references[2]!, { maxStoreBytes: 350_000 });
  },
);

inDirectory("the error of a full disk names the file", async (directory) => {
  using full = await Deno.open("/dev/full", { write: true });
  const path = `${directory}/soup.tar`;
  const writing = writeWholeFile(path, () => writeAll(full, Uint8Array.of(1)));
  const { message } = await assertRejects(() => writing, Error);
  assertEquals(message, `No space left on device (os error 28): write '${path}'`);
  assertEquals([...Deno.readDirSync(directory)], []);
});
