/**
 * The choice of an image for a platform, among those of an index.
 *
 * @module
 */

import type { Descriptor, Platform } from "./descriptor.ts";
import { ImageError } from "./errors.ts";

/** The processors by the names that other programs have for them. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  armhf: "arm/v7",
  armel: "arm/v6",
  i386: "386",
  i686: "386",
};

/** The variant that a platform without one means. */
const USUAL_VARIANTS: Readonly<Record<string, string>> = { arm64: "v8", arm: "v7", amd64: "v1" };

/** The platform of this machine. */
export function thisPlatform(): Platform {
  return parsePlatform(Deno.build.arch);
}

/**
 * Parses a platform: `linux/arm64`, `linux/arm/v7`, `arm64`, `x86_64`.
 *
 * @throws {ImageError} where it is none
 *
 * @example
 * ```ts
 * import { parsePlatform } from "@ramekin/ramekin/images";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parsePlatform("aarch64"), { os: "linux", architecture: "arm64", variant: "v8" });
 * ```
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/");
  const words = parts.length === 1 ? ["linux", ...parts] : parts;
  const [os, name = "", given, ...more] = words;
  const isName = words.every((word) => /^[a-z0-9][a-z0-9._-]*$/.test(word));
  if (!isName || more.length > 0 || (parts.length === 1 && os === name)) {
    throw new ImageError(`${JSON.stringify(text)} is no platform`, {
      code: "platform",
      advice: ["one is linux/amd64, linux/arm64, linux/arm/v7"],
    });
  }
  const [architecture, own] = (ARCHITECTURES[name] ?? name).split("/");
  const variant = given ?? own;
  return normalized({ os: os!, architecture: architecture!, ...(variant && { variant }) });
}

/** The platform with the variant that it means: arm64 is arm64/v8. */
function normalized(platform: Platform): Platform {
  const { os, variant } = platform;
  const architecture = ARCHITECTURES[platform.architecture]?.split("/")[0] ?? platform.architecture;
  // Docker writes "8" and "7" too, and v1 of amd64 is what all of them have.
  const written = variant?.replace(/^(?=\d)/, "v") ?? USUAL_VARIANTS[architecture];
  const kept = architecture === "amd64" && written === "v1" ? undefined : written;
  return { os, architecture, ...(kept !== undefined && { variant: kept }) };
}

/** A platform as a text: `linux/arm64`. */
export function platformText({ os, architecture, variant }: Platform): string {
  const shown = variant === undefined || variant === USUAL_VARIANTS[architecture]
    ? architecture
    : `${architecture}/${variant}`;
  return `${os}/${shown}`;
}

/**
 * How well an image of a platform runs on another: the higher the better; 0 if it does not. An older
 * variant of the processor does, a newer one does not.
 */
export function fitness(image: Platform, wanted: Platform): number {
  const [has, wants] = [normalized(image), normalized(wanted)];
  if (has.os !== wants.os || has.architecture !== wants.architecture) return 0;
  if ((image["os.features"] ?? []).length > 0 && has.os !== "linux") return 0;
  const [own, most] = [level(has), level(wants)];
  if (own === undefined || most === undefined) return has.variant === wants.variant ? 100 : 0;
  return own > most ? 0 : 100 - (most - own);
}

/** The number in a variant, where it is one that older processors are counted by. */
function level({ architecture, variant }: Platform): number | undefined {
  if (variant === undefined) return architecture === "amd64" ? 1 : 0;
  const number = /^v(\d+)/.exec(variant)?.[1];
  return number === undefined ? undefined : Number(number);
}

/**
 * Chooses the manifest for a platform from an index.
 *
 * @throws {ImageError} where it has none
 */
export function choosePlatform(
  what: string,
  manifests: readonly Descriptor[],
  wanted: Platform,
): Descriptor {
  const images = manifests.filter((manifest) => !isAttestation(manifest));
  const fits = images.map((manifest) => {
    const { platform } = manifest;
    return { manifest, fitness: platform === undefined ? 0 : fitness(platform, wanted) };
  }).filter(({ fitness }) => fitness > 0);
  const best = fits.toSorted((one, other) => other.fitness - one.fitness)[0]?.manifest;
  if (best !== undefined) return best;
  // Nothing is said of the only one: its configuration will tell.
  const silent = images.filter(({ platform }) => platform === undefined);
  if (silent.length === 1 && images.length === 1) return silent[0]!;
  const there = images.flatMap(({ platform }) =>
    platform === undefined ? [] : [platformText(platform)]
  );
  throw new ImageError(`${what} has no image for ${platformText(wanted)}`, {
    code: "platform",
    advice: [
      there.length === 0
        ? `it has ${images.length} without a platform: name one by its digest`
        : `there are images for ${[...new Set(there)].join(", ")}`,
    ],
  });
}

/** Whether it is no image, but says how one was built. */
function isAttestation({ platform, annotations, artifactType }: Descriptor): boolean {
  return annotations?.["vnd.docker.reference.type"] !== undefined || artifactType !== undefined ||
    platform?.os === "unknown";
}

/**
 * Checks that an image is for the platform that was asked for.
 *
 * @throws {ImageError} where it is for another
 */
export function checkPlatform(what: string, image: Platform, wanted: Platform): void {
  // Nothing is said: whoever made it by hand means this machine.
  if (image.architecture === "" && image.os === wanted.os) return;
  if (fitness(image, wanted) > 0) return;
  throw new ImageError(
    `${what} is for ${platformText(image)}, and ${platformText(wanted)} is wanted`,
    {
      code: "platform",
      advice: [`ask for it, to have it all the same: --platform=${platformText(image)}`],
    },
  );
}
