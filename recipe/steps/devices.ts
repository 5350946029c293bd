/**
 * The step `devices`: a minimal /dev.
 *
 * @module
 */

import { absolutePath, optional, withDefault } from "../schema.ts";
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
}

/**
 * Mounts a minimal /dev: null, zero, full, random, urandom and tty of the host, the container's own
 * terminals (pts) and shared memory (shm), and the links to descriptors. /dev itself holds 4 MB and
 * 1000 files. Needs `unshare("mount")` before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or onto `/`
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
  () => ({ target: withDefault(absolutePath(), "/dev"), shm: optional(tmpfsSize()) }),
);
