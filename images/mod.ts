/**
 * Images of containers: pulled from registries, layouts and archives into a store, checked, unpacked and
 * run. This is an entry of its own, as it needs more permissions than system calls: `--allow-ffi`,
 * `--allow-net`, `--allow-read` and `--allow-write`.
 *
 * @example A program of an image, in a container
 * ```ts
 * import { image } from "@ramekin/ramekin/images";
 *
 * const run = async () => {
 *   await using debian = await image("debian:12");
 *   const { stdout } = await (await debian.command(["cat", "/etc/os-release"])).output();
 *   console.log(new TextDecoder().decode(stdout));
 * };
 * ```
 *
 * @module
 */

export { ImageError, type ImageErrorCode, type ImageErrorDetails } from "./errors.ts";
export {
  type FileReference,
  type FileTransport,
  parseReference,
  type Reference,
  referenceText,
  type RegistryReference,
  shortReference,
} from "./reference.ts";
export type { Descriptor, Platform } from "./descriptor.ts";
export { parsePlatform } from "./platform.ts";
export type { ImageConfig } from "./config.ts";
export type { Manifest } from "./manifest.ts";
export {
  type IdOptions,
  Image,
  type ImageLayer,
  type RunOptions,
  type SizeOptions,
  type StoreSizeOptions,
} from "./image.ts";
export type { ImageProcess, ProcessOptions } from "./run/process.ts";
export type { UserEntry as ImageUser } from "../host/accounts.ts";
export type { RootOptions, Volume } from "./run/root_steps.ts";
export type { ProgressEvent, ProgressReporter } from "./progress.ts";
export type { Credentials } from "./registry/credentials.ts";
export type { RegistryOptions } from "./registry/options.ts";
export { pull, type PullOptions } from "./pull.ts";
export {
  collectGarbage,
  image,
  removeImages,
  type StoredImage,
  storedImage,
  storedImages,
  type StoreOptions,
  verifyStore,
} from "./stored.ts";
export type { Collected } from "./store/collect.ts";
export type { StoreIssue } from "./store/verify.ts";
export {
  type IdMaps,
  LayerError,
  type LayerErrorCode,
  type LeftOut,
  type UnpackSummary,
} from "./layer/mod.ts";
export { commit, type CommitOptions } from "./commit.ts";
export type { NewConfig } from "./new_image.ts";
export {
  type NotCopied,
  type NotPacked,
  type PackedImage,
  packImage,
  type PackOptions,
} from "./pack/pack.ts";
export { push, type PushOptions } from "./push.ts";
export { type ArchiveOutput, save, type SaveOptions } from "./archive/save.ts";
export { load, type LoadOptions } from "./archive/load.ts";
export { type Referrer, type ReferrerOptions, referrers } from "./referrers.ts";
