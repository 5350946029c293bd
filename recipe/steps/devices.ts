/**
 * The step `devices`: a minimal /dev.
 *
 * @module
 */

import { close, symlinkat } from "../../ffi/calls/files.ts";
import { MS_NOEXEC, MS_NOSUID } from "../../ffi/calls/mounts.ts";
import { absolutePath } from "../fields.ts";
import { normalize } from "../drafting/ground.ts";
import { atEntry, attachAt, copyDevice, makeMountPoint, mountAt } from "../drafting/place.ts";
import type { StepDefinition } from "../step.ts";

/** Mounts a minimal /dev. */
export interface DevicesStep {
  /** Which step it is. */
  readonly step: "devices";
  /** The folder to mount on. */
  readonly target: string;
}

/** The host's devices that harm nobody; bound, as an ordinary user cannot make device files. */
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"] as const;

/** Where the links of /dev lead to. */
const LINKS = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
  ptmx: "pts/ptmx",
} as const;

/**
 * Mounts a minimal /dev: null, zero, full, random, urandom and tty of the host, terminals (pts) and
 * shared memory (shm) of the container's own, and the links to descriptors. Needs
 * `unshare("mount")` before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or onto `/`
 * @throws {SyscallError} when it is run: `ENOENT` where the folder does not exist on a filesystem
 * of the host's, or a device is missing from /dev, `ENOTDIR` where it is no folder
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
export function devices(target = "/dev"): DevicesStep {
  return { step: "devices", target };
}

/** How `devices` is checked and planned. */
export const devicesDefinition: StepDefinition<DevicesStep> = {
  step: "devices",
  get fields() {
    return { target: absolutePath() };
  },
  plan(step, draft) {
    draft.needs("mount", "it would be mounted on the host");
    const folder = normalize(step.target);
    // Opened first, as the new /dev may cover them.
    const trees = DEVICES.map((name) => ({ name, tree: copyDevice(draft, `/dev/${name}`, name) }));
    mountAt(draft, "tmpfs", folder, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755");
    for (const { name, tree } of trees) {
      const target = `${folder}/${name}`;
      makeMountPoint(draft, target, "file");
      attachAt(draft, tree, target);
      draft.call(close(tree));
    }
    const pts = "newinstance,ptmxmode=0666,mode=0620";
    mountAt(draft, "devpts", `${folder}/pts`, "devpts", MS_NOSUID | MS_NOEXEC, pts);
    mountAt(draft, "tmpfs", `${folder}/shm`, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=1777");
    for (const [name, to] of Object.entries(LINKS)) {
      atEntry(draft, `${folder}/${name}`, (within, name) => {
        draft.call(symlinkat(to, within, name));
      });
    }
    draft.container.terminals = `${folder}/ptmx`;
  },
};
