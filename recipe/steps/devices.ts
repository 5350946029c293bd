/**
 * The step `devices`: a minimal /dev.
 *
 * @module
 */

import { isWithin, normalize } from "../path.ts";
import {
  absolutePath,
  either,
  integer,
  list,
  oneOf,
  optional,
  type Schema,
  schema,
  withDefault,
} from "../schema.ts";
import { quoted } from "../shown.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";
import { tmpfsSize } from "./mounts.ts";

/** Mounts a minimal /dev. */
export interface DevicesStep extends DevicesOptions {
  /** The name of the step. */
  readonly step: "devices";
  /** The directory to mount on. */
  readonly target: string;
}

/** Options of {@linkcode devices}. */
export interface DevicesOptions {
  /**
   * The size of the memory that programs share (shm), as `tmpfs()` takes it.
   *
   * @default {"64m"}
   */
  readonly shm?: string;
  /**
   * Further devices of the host, by their paths: `["/dev/fuse", "/dev/dri"]`. A directory stands for
   * the devices in it. A link leads to its device, which then has the name of the link; and a pair
   * `["/dev/video2", "/dev/video0"]` gives one device another name. Who may use one is decided by its
   * owner and mode on the host.
   */
  readonly extra?: readonly FurtherDevice[];
  /**
   * The graphics processors of the host: those of NVIDIA by their numbers, with what CUDA takes; and by
   * `"all"` also those that /dev/dri renders with. Their libraries are files as others are.
   */
  readonly gpus?: "all" | readonly number[];
}

/** A device of the host, or that with the name that it has instead. */
export type FurtherDevice = string | readonly [source: string, name: string];

/**
 * Mounts a minimal /dev: null, zero, full, random, urandom and tty of the host, the container's own
 * terminals (pts) and shared memory (shm), and the links to descriptors; with `extra` and `gpus` more
 * devices of the host. /dev itself holds 4 MB and 1000 files. Needs `unshare("mount")` before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or onto `/`, or
 * where a path of `extra` is no device, or the host lacks one that `gpus` takes
 * @throws {SyscallError} when it is run: `ENOENT` where the directory does not exist on a
 * filesystem of the host's, or a device is missing from /dev, `ENOTDIR` where it is not a directory
 *
 * @example
 * ```ts
 * import { devices, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), devices());
 * const { stdout } = await box.command("ls", { args: ["/dev"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // fd full null ptmx pts random shm ...
 * ```
 */
export function devices(target = "/dev", options: DevicesOptions = {}): DevicesStep {
  return { step: "devices", target, ...options };
}

/** What the data of `devices` may be. */
export const devicesSchema: StepSchema<DevicesStep> = stepSchema(
  "devices",
  () => ({
    target: withDefault(absolutePath(), "/dev"),
    shm: optional(tmpfsSize()),
    extra: optional(list(furtherDevice())),
    gpus: optional(gpuNumbers()),
  }),
);

/** What a further device may be. */
export function furtherDevice(): Schema {
  const path = devicePath();
  const pair = "a list [source, name]";
  return schema(`${path.expected}, or ${pair}`, (value) => {
    if (!Array.isArray(value)) return path.issue(value);
    if (value.length !== 2) return `is not ${pair}`;
    return path.issue(value[0]) ?? path.issue(value[1]);
  }, () => ({
    anyOf: [
      path.jsonSchema(),
      { type: "array", items: path.jsonSchema(), minItems: 2, maxItems: 2 },
    ],
  }));
}

/** What a path of a further device may be. */
function devicePath(): Schema {
  return absolutePath((path) => {
    const place = normalize(path);
    if (place === "/dev" || !isWithin(place, "/dev")) return `${quoted(path)} is not in /dev`;
    const own = OWN_NAMES.find((name) => isWithin(place, `/dev/${name}`));
    return own && `${quoted(path)} cannot be the host's, as there is a /dev/${own} of its own`;
  });
}

/** What a /dev has of its own. */
const OWN_NAMES = ["pts", "ptmx", "shm", "mqueue", "fd", "stdin", "stdout", "stderr"];

/** Which graphics processors there may be. */
export function gpuNumbers(): Schema {
  return either(oneOf(["all"]), list(integer(0, 255)));
}
