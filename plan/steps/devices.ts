/**
 * Lowers the step `devices`.
 *
 * @module
 */

import { normalize } from "../../recipe/path.ts";
import { close, symlinkat } from "../../ffi/calls/files.ts";
import { MS_NOEXEC, MS_NOSUID } from "../../ffi/calls/mounts.ts";
import { atEntry, attachAt, copyDevice, makeMountPoint, mountAt } from "../paths.ts";
import type { DevicesStep } from "../../recipe/steps/devices.ts";
import type { PlanBuilder } from "../builder.ts";

/** Lowers `devices`. */
export function lowerDevices(step: DevicesStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would be mounted on the host");
  const directory = normalize(step.target);
  // Opened first, as the new /dev may cover them.
  const trees = DEVICES.map((name) => ({ name, tree: copyDevice(plan, `/dev/${name}`, name) }));
  mountAt(plan, "tmpfs", directory, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755");
  for (const { name, tree } of trees) {
    const target = `${directory}/${name}`;
    makeMountPoint(plan, target, "file");
    attachAt(plan, tree, target);
    plan.call(close(tree));
  }
  const pts = "newinstance,ptmxmode=0666,mode=0620";
  mountAt(plan, "devpts", `${directory}/pts`, "devpts", MS_NOSUID | MS_NOEXEC, pts);
  mountAt(plan, "tmpfs", `${directory}/shm`, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=1777");
  for (const [name, to] of Object.entries(LINKS)) {
    atEntry(plan, `${directory}/${name}`, (within, name) => {
      plan.call(symlinkat(to, within, name));
    });
  }
  plan.state.terminals = `${directory}/ptmx`;
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
