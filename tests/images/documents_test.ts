/** Manifests, indexes and configurations: what is pulled, what is refused, and how it is told. */

import { assertEquals } from "@std/assert";
import { pull, type PullOptions, storedImages } from "../../images/mod.ts";
import { DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST } from "../../images/media_types.ts";
import { chainIdOf } from "../../images/config.ts";
import { fitness, parsePlatform, platformText } from "../../images/platform.ts";
import { digestOf } from "../../images/digest.ts";
import { test } from "../support.ts";
import {
  HERE,
  json,
  type MadeImage,
  type MadeOptions,
  makeImage,
  makeIndex,
  writeLayout,
} from "./made_image.ts";
import { assertImageError, inDirectory } from "./support.ts";

/** Pulls from a layout of its own, and returns what is stored. */
async function pulled(
  directory: string,
  image: MadeImage,
  options: PullOptions = {},
): Promise<string> {
  const layout = await Deno.makeTempDir({ dir: directory });
  writeLayout(layout, { tag: image });
  const store = `${directory}/store`;
  await using stored = await pull(`oci:${layout}:tag`, { store, unpack: false, ...options });
  return stored.digest;
}

const OTHER = HERE === "amd64" ? "arm64" : "amd64";

inDirectory("an image without media types, and one of docker's, are pulled", async (directory) => {
  const bare = changed(makeImage(), ({ mediaType: _, ...manifest }) => manifest);
  assertEquals(await pulled(directory, bare), bare.manifest.digest);
  const made = makeImage({ layerType: "application/vnd.docker.image.rootfs.diff.tar.gzip" });
  const docker = changed(made, (manifest) => ({
    ...manifest,
    mediaType: DOCKER_MANIFEST,
    config: { ...manifest["config"] as object, mediaType: DOCKER_CONFIG },
  }), DOCKER_MANIFEST);
  assertEquals(await pulled(directory, docker), docker.manifest.digest);
});

inDirectory("of an index, the image for the platform is pulled", async (directory) => {
  const here = makeImage();
  const other = makeImage({ architecture: OTHER });
  const attestation = makeImage({ layers: [[]] });
  const index = makeIndex([attestation, other, here], (_, at) =>
    [
      {
        platform: { os: "unknown", architecture: "unknown" },
        annotations: { "vnd.docker.reference.type": "attestation-manifest" },
      },
      { platform: { os: "linux", architecture: OTHER } },
      { platform: { os: "linux", architecture: HERE } },
    ][at]!);
  assertEquals(await pulled(directory, index), here.manifest.digest);
  const store = `${directory}/store`;
  assertEquals(await pulled(directory, index, { platform: OTHER }), other.manifest.digest);
  const images = await storedImages({ store });
  assertEquals(images.map(({ platform }) => platform).sort(), ["linux/amd64", "linux/arm64"]);
  await assertImageError(
    () => pulled(directory, index, { platform: "linux/s390x" }),
    "platform",
    "no image for linux/s390x",
    `there are images for linux/${OTHER}, linux/${HERE}`,
  );
  const list = makeIndex([here], () => ({ platform: { os: "linux", architecture: HERE } }));
  const docker = changed(list, (it) => ({ ...it, mediaType: DOCKER_LIST }), DOCKER_LIST);
  assertEquals(await pulled(directory, docker), here.manifest.digest);
});

inDirectory(
  "an image for another platform is refused, unless it is asked for",
  async (directory) => {
    const other = makeImage({ architecture: OTHER });
    await assertImageError(
      () => pulled(directory, other),
      "platform",
      `is for linux/${OTHER}, and linux/${HERE} is wanted`,
      `--platform=linux/${OTHER}`,
    );
    assertEquals(await pulled(directory, other, { platform: OTHER }), other.manifest.digest);
    const windows = makeImage({ os: "windows" });
    await assertImageError(() => pulled(directory, windows), "platform", `is for windows/${HERE}`);
    const silent = makeImage({ architecture: "" });
    assertEquals(await pulled(directory, silent), silent.manifest.digest);
  },
);

/** What is refused, with its kind of error and a part of the message. */
const REFUSED: readonly (readonly [MadeOptions, "invalid" | "unsupported" | "digest", string])[] = [
  [{ manifest: { schemaVersion: 1 } }, "unsupported", "Docker's schema 1"],
  [{ manifest: { schemaVersion: 3 } }, "invalid", `no "schemaVersion" of 2`],
  [{ manifest: { mediaType: "text/html" } }, "unsupported", `the media type "text/html"`],
  [{ manifest: { manifests: [] } }, "invalid", "is a manifest, and has manifests"],
  [{ manifest: { layers: "none" } }, "invalid", `has no list "layers"`],
  [{ manifest: { layers: [] } }, "invalid", "0 layers, and its configuration 1 diff_ids"],
  [
    { manifest: { layers: [{ mediaType: "x", digest: "sha256:../..", size: 1 }] } },
    "invalid",
    'layer 1 has a "digest" that does not have 64 digits',
  ],
  [
    { layerType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted" },
    "unsupported",
    "layer 1 is encrypted",
  ],
  [
    { layerType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" },
    "unsupported",
    "layer 1 is a foreign layer",
  ],
  [{ layerType: "text/plain" }, "unsupported", `layer 1 has the media type "text/plain"`],
  [{ config: { Env: "PATH=/bin" } }, "invalid", `"Env" that is no list of texts`],
  [{ config: { User: "a\0b" } }, "invalid", `a zero byte in "User"`],
  // Its parts would be looked up for days.
  [{ config: { WorkingDir: "/a".repeat(1 << 20) } }, "invalid", `a "WorkingDir" of 2097152 char`],
  [
    { config: { Volumes: { ["/a".repeat(1 << 20)]: {} } } },
    "invalid",
    `a "Volumes" of 2097152 char`,
  ],
  [
    {
      config: {
        Volumes: Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`/${at}`, {}])),
      },
    },
    "invalid",
    `more than 256 "Volumes"`,
  ],
];

inDirectory("what is not valid, or of another kind, is refused by name", async (directory) => {
  for (const [options, code, says] of REFUSED) {
    await assertImageError(() => pulled(directory, makeImage(options)), code, says);
  }
  const chart = changed(makeImage(), (manifest) => ({
    ...manifest,
    config: {
      ...manifest["config"] as object,
      mediaType: "application/vnd.cncf.helm.config.v1+json",
    },
  }));
  await assertImageError(() => pulled(directory, chart), "unsupported", "artifact", "helm");
});

inDirectory("a wrong size or digest is told by the name of what has it", async (directory) => {
  const image = makeImage();
  const [layer] = image.layers;
  const longer = changed(image, (manifest) => ({
    ...manifest,
    layers: [{ ...layer!, size: layer!.size + 1 }],
  }));
  await assertImageError(() => pulled(directory, longer), "digest", layer!.digest, "another size");
  const damaged = { ...image, blobs: new Map(image.blobs) };
  const bytes = image.blobs.get(layer!.digest)!.slice();
  bytes[bytes.length - 1]! ^= 1;
  damaged.blobs.set(layer!.digest, bytes);
  await assertImageError(
    () => pulled(directory, damaged),
    "digest",
    `the blob ${layer!.digest} is not what its digest says`,
  );
  assertEquals(await storedImages({ store: `${directory}/store` }), []);
});

/** The image with another manifest. */
function changed(
  image: MadeImage,
  change: (manifest: Record<string, unknown>) => Record<string, unknown>,
  mediaType: string = image.manifest.mediaType,
): MadeImage {
  const before = JSON.parse(new TextDecoder().decode(image.blobs.get(image.manifest.digest)));
  const bytes = json(change(before));
  const digest = digestOf(bytes);
  return {
    ...image,
    manifest: { mediaType, digest, size: bytes.length },
    blobs: new Map(image.blobs).set(digest, bytes),
  };
}

test("a platform is parsed by its names, and older variants fit newer processors", () => {
  const texts = ["x86_64", "linux/amd64", "aarch64", "arm64/v8", "armhf", "linux/arm/v6"];
  const platforms = texts.map((text) => platformText(parsePlatform(text)));
  assertEquals(platforms, [
    "linux/amd64",
    "linux/amd64",
    "linux/arm64",
    "arm64/v8",
    "linux/arm",
    "linux/arm/v6",
  ]);
  const arm = parsePlatform("linux/arm/v7");
  const fits = ["v5", "v6", "v7", "v8"].map((variant) =>
    fitness({ os: "linux", architecture: "arm", variant }, arm) > 0
  );
  assertEquals(fits, [true, true, true, false]);
  const bare = { os: "linux", architecture: "arm64" };
  assertEquals(fitness(bare, parsePlatform("arm64")), 100);
});

test("a chain of layers has the identity of the specification", () => {
  const [one, two] = [digestOf("1"), digestOf("2")];
  assertEquals(chainIdOf([one]), one);
  assertEquals(chainIdOf([one, two]), digestOf(`${one} ${two}`));
});
