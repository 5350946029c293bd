/**
 * Devices by the names that their vendors give them (CDI, the Container Device Interface), such as
 * `nvidia.com/gpu=0`, which files of /etc/cdi and /var/run/cdi describe. It needs `--allow-ffi` alone.
 *
 * @example A sandbox with such a device
 * ```ts ignore
 * import { sandbox } from "@ramekin/ramekin";
 * import { withCdiDevices } from "@ramekin/ramekin/cdi";
 *
 * const box = sandbox(withCdiDevices({ net: "none" }, ["nvidia.com/gpu=all"]));
 * const { stdout } = await box.command("nvidia-smi", { args: ["-L"] }).output();
 * ```
 *
 * @module
 */

export { type CdiOptions, type CdiParts, withCdiDevices } from "./devices.ts";
export { isCdiName } from "./files.ts";
