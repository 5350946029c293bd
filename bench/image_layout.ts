/**
 * Image layouts of one layer, for the bench of images.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { thisPlatform } from "../images/platform.ts";

/** A layer's blob. */
export interface LayerFile {
  readonly path: string;
  readonly mediaType: string;
  readonly diffId: string;
}

/** The media types of layers. */
export const LAYER = {
  tar: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
} as const;

/** Makes a layout with an image of one layer, which has the tag `l`. The blob is moved there. */
export function makeLayout(directory: string, { path, mediaType, diffId }: LayerFile): void {
  const blobs = `${directory}/blobs/sha256`;
  Deno.mkdirSync(blobs, { recursive: true });
  const layer = { mediaType, digest: digestOf(path), size: Deno.statSync(path).size };
  Deno.renameSync(path, `${blobs}/${layer.digest.slice(7)}`);
  const add = (kind: string, document: unknown) => {
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const digest = createHash("sha256").update(bytes).digest("hex");
    Deno.writeFileSync(`${blobs}/${digest}`, bytes);
    const mediaType = `application/vnd.oci.image.${kind}.v1+json`;
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const config = add("config", {
    ...thisPlatform(),
    config: { Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], Cmd: ["/bin/true"] },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created_by: "bench" }],
  });
  const manifest = add("manifest", { schemaVersion: 2, config, layers: [layer] });
  const annotations = { "org.opencontainers.image.ref.name": "l" };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  Deno.writeTextFileSync(`${directory}/index.json`, JSON.stringify(index));
  Deno.writeTextFileSync(`${directory}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
}

/** The digest of a file, which may be larger than the memory. */
export function digestOf(path: string): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(1 << 20);
  const fd = openSync(path, "r");
  try {
    for (let count = readSync(fd, piece); count > 0; count = readSync(fd, piece)) {
      hash.update(piece.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
  return `sha256:${hash.digest("hex")}`;
}
