/**
 * Devices by the names that their vendors give them (CDI, the Container Device Interface), such as
 * `nvidia.com/gpu=0`, which files of /etc/cdi and /var/run/cdi describe. It needs `--allow-ffi` alone.
 *
 * @example A sandbox with such a device
 * ```ts
 * import { RecipeError, sandbox } from "@ramekin/ramekin";
 * import { withCdiDevices } from "@ramekin/ramekin/cdi";
 *
 * try {
 *   const box = sandbox(withCdiDevices({ net: "none" }, ["nvidia.com/gpu=all"]));
 *   await box.command("nvidia-smi", { args: ["-L"] }).output();
 * } catch (error) {
 *   if (!(error instanceof RecipeError)) throw error;
 *   console.log(error.message); // nvidia.com/gpu=all is described by no file of /etc/cdi and ...
 * }
 * ```
 *
 * @module
 */

export { type CdiOptions, type CdiParts, withCdiDevices } from "./devices.ts";
