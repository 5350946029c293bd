/** Images made by the tests: layers of tar archives with a static busybox, as blobs in memory. */

import { gzipSync } from "node:zlib";
import { digestOf } from "../../images/digest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from "../../images/media_types.ts";

/** A file of a layer. */
export interface MadeFile {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** The device is /dev/zero. */
  readonly type?: "file" | "directory" | "symlink" | "hardlink" | "character";
  readonly target?: string;
}

/** A descriptor, as tests change it. */
export interface MadeDescriptor {
  mediaType: string;
  digest: string;
  size: number;
  [field: string]: unknown;
}

/** An image, with all of its blobs. */
export interface MadeImage {
  /** The manifest. */
  readonly manifest: MadeDescriptor;
  /** The layers. */
  readonly layers: readonly MadeDescriptor[];
  /** All content, the manifest included. */
  readonly blobs: Map<string, Uint8Array<ArrayBuffer>>;
}

const encoder = new TextEncoder();

/** Returns a tar archive. */
export function tarOf(files: readonly MadeFile[]): Uint8Array<ArrayBuffer> {
  const parts = files.flatMap((file) => {
    const content = typeof file.content === "string"
      ? encoder.encode(file.content)
      : file.content ?? new Uint8Array();
    const type = file.type ?? "file";
    const header = new Uint8Array(512);
    const put = (text: string, at: number) => header.set(encoder.encode(text), at);
    const octal = (value: number, size: number) => value.toString(8).padStart(size - 1, "0");
    put(file.name, 0);
    put(octal(file.mode ?? (type === "directory" ? 0o755 : 0o644), 8), 100);
    put(octal(file.uid ?? 0, 8), 108);
    put(octal(file.gid ?? 0, 8), 116);
    put(octal(content.length, 12), 124);
    put(octal(1_600_000_000, 12), 136);
    put("        ", 148);
    put({ file: "0", hardlink: "1", symlink: "2", character: "3", directory: "5" }[type], 156);
    put(file.target ?? "", 157);
    put("ustar\x0000", 257);
    if (type === "character") [1, 5].forEach((number, at) => put(octal(number, 8), 329 + 8 * at));
    put(`${octal(header.reduce((sum, byte) => sum + byte, 0), 7)}\0 `, 148);
    return [header, content, new Uint8Array((512 - content.length % 512) % 512)];
  });
  return joined([...parts, new Uint8Array(1024)]);
}

/** Joins bytes. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The programs of busybox that images of the tests have. */
const APPLETS = [
  "sh",
  "cat",
  "id",
  "ls",
  "env",
  "pwd",
  "touch",
  "hostname",
  "test",
  "sleep",
  "echo",
  "grep",
];

/** The path of a static busybox; `undefined` without the package busybox-static. */
export const BUSYBOX: string | undefined = findBusybox();

function findBusybox(): string | undefined {
  for (const path of ["/bin/busybox", "/usr/bin/busybox"]) {
    try {
      const { code, stdout } = new Deno.Command("ldd", { args: [path], stderr: "piped" })
        .outputSync();
      const isDynamic = code === 0 && /=>/.test(new TextDecoder().decode(stdout));
      if (Deno.statSync(path).isFile && !isDynamic) return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** The files of a small system. */
export function systemFiles(): readonly MadeFile[] {
  return [
    ...["bin", "etc", "tmp", "home", "home/cook"].map((name) => ({
      name: `${name}/`,
      type: "directory" as const,
    })),
    { name: "bin/busybox", content: Deno.readFileSync(BUSYBOX!), mode: 0o755 },
    ...APPLETS.map((name) => ({
      name: `bin/${name}`,
      type: "symlink" as const,
      target: "busybox",
    })),
    {
      name: "etc/passwd",
      content: "root:x:0:0::/root:/bin/sh\ncook:x:1234:1234::/home/cook:/bin/sh\n",
    },
    { name: "etc/group", content: "root:x:0:\ncook:x:1234:\nkitchen:x:50:cook\n" },
  ];
}

/** What an image is made of. */
export interface MadeOptions {
  /** The files of each layer; one with the name of the image, if there are none. */
  readonly layers?: readonly (readonly MadeFile[])[];
  /** The object `config` of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly architecture?: string;
  readonly os?: string;
  readonly variant?: string;
  /** Further fields of the manifest, or other ones. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** The media type of the layers. */
  readonly layerType?: string;
}

/** The architecture of this machine, as images have it. */
export const HERE = Deno.build.arch === "aarch64" ? "arm64" : "amd64";

/** Makes an image. */
export function makeImage(options: MadeOptions = {}): MadeImage {
  const blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  const add = (mediaType: string, bytes: Uint8Array<ArrayBuffer>): MadeDescriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const archives = (options.layers ?? [[{ name: "file", content: "content\n" }]]).map(tarOf);
  const layers = archives.map((archive) => {
    return add(options.layerType ?? `${OCI_LAYER}+gzip`, new Uint8Array(gzipSync(archive)));
  });
  const config = add(
    OCI_CONFIG,
    json({
      architecture: options.architecture ?? HERE,
      os: options.os ?? "linux",
      ...(options.variant !== undefined && { variant: options.variant }),
      config: options.config ?? {},
      rootfs: { type: "layers", diff_ids: archives.map((archive) => digestOf(archive)) },
    }),
  );
  const manifest = json({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config,
    layers,
    ...options.manifest,
  });
  return { manifest: add(OCI_MANIFEST, manifest), layers, blobs };
}

/** Makes an index of images, and returns it as an image of that. */
export function makeIndex(
  images: readonly MadeImage[],
  describe: (image: MadeImage, at: number) => Readonly<Record<string, unknown>>,
): MadeImage {
  const blobs = new Map(images.flatMap(({ blobs }) => [...blobs]));
  const manifests = images.map((image, at) => ({ ...image.manifest, ...describe(image, at) }));
  const bytes = json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  const digest = digestOf(bytes);
  blobs.set(digest, bytes);
  return {
    manifest: { mediaType: OCI_INDEX, digest, size: bytes.length },
    layers: images[0]!.layers,
    blobs,
  };
}

/** A value as the bytes of JSON. */
export function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(JSON.stringify(value)));
}

/** Writes an image layout. */
export function writeLayout(
  directory: string,
  images: Readonly<Record<string, MadeImage>>,
): void {
  Deno.mkdirSync(`${directory}/blobs/sha256`, { recursive: true });
  Deno.writeTextFileSync(`${directory}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
  const manifests = Object.entries(images).map(([name, { manifest, blobs }]) => {
    for (const [digest, bytes] of blobs) {
      Deno.writeFileSync(`${directory}/blobs/${digest.replace(":", "/")}`, bytes);
    }
    return { ...manifest, annotations: { "org.opencontainers.image.ref.name": name } };
  });
  Deno.writeFileSync(`${directory}/index.json`, json({ schemaVersion: 2, manifests }));
}
