/**
 * Lowers the steps `mount`, `tmpfs`, `propagation`, `remount`, `unmount`.
 *
 * @module
 */

import {
  MNT_DETACH,
  mount as mountCall,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_REC,
  MS_REMOUNT,
  umount2,
} from "../../ffi/calls/mounts.ts";
import { parseMountOptions } from "../../recipe/mount_options.ts";
import { checkOptions, mountAt } from "../paths.ts";
import {
  type MountStep,
  type MqueueStep,
  type ProcStep,
  PROPAGATION,
  type PropagationStep,
  type RemountStep,
  type SysfsStep,
  type TmpfsStep,
  type UnmountStep,
} from "../../recipe/steps/mounts.ts";
import type { PlanBuilder } from "../builder.ts";

const NEEDS_MOUNT = "it would be mounted on the host";

/** Lowers `mount`. */
export function lowerMount(step: MountStep, plan: PlanBuilder): void {
  plan.needs("mount", NEEDS_MOUNT);
  plan.access?.mounts(step);
  const { flags, data } = parseMountOptions(step.options);
  mountAt(plan, step.source, step.target, step.type, flags, data);
}

/** Lowers `tmpfs`. */
export function lowerTmpfs(step: TmpfsStep, plan: PlanBuilder): void {
  plan.needs("mount", NEEDS_MOUNT);
  const { flags, data } = parseMountOptions(step.options, MS_NOSUID | MS_NODEV);
  const words = [
    ...(step.size === undefined ? [] : [`size=${step.size}`]),
    ...(step.mode === undefined ? [] : [`mode=${step.mode.toString(8).padStart(4, "0")}`]),
    ...(data === null ? [] : [data]),
  ];
  mountAt(plan, "tmpfs", step.target, "tmpfs", flags, words.join(",") || null);
}

/** Lowers `proc`, `sysfs` and `mqueue`: no devices, setuid or programs on what the kernel fills. */
export function lowerKernelFilesystem(
  { step: type, target, options }: ProcStep | SysfsStep | MqueueStep,
  plan: PlanBuilder,
): void {
  plan.needs("mount", NEEDS_MOUNT);
  plan.access?.mounts({ source: type, target, type, ...(options && { options }) });
  const { flags, data } = parseMountOptions(options, MS_NOSUID | MS_NODEV | MS_NOEXEC);
  mountAt(plan, type, target, type, flags, data);
}

/** Lowers `propagation`. */
export function lowerPropagation(step: PropagationStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would change the host's mounts");
  const flags = PROPAGATION[step.type] | (step.recursive === true ? MS_REC : 0);
  plan.call(mountCall(null, step.target, null, flags, null));
}

/** Lowers `remount`. */
export function lowerRemount(step: RemountStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would change the host's mounts");
  const whole = step.bind === false;
  if (whole && !plan.state.mounts.isContainerMount(step.target)) {
    plan.refuse(
      `{ bind: false } would change the host's filesystem at ${step.target} everywhere; ` +
        "leave it out, to change this mount alone",
    );
  }
  const { flags, data } = parseMountOptions(step.options);
  plan.access?.remountsWith(flags);
  checkOptions(plan, data);
  const remounted = MS_REMOUNT | (whole ? 0 : MS_BIND) | flags;
  plan.call(mountCall(null, step.target, null, remounted, data));
}

/** Lowers `unmount`. */
export function lowerUnmount(step: UnmountStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would unmount it on the host");
  plan.access?.reachesAll();
  plan.call(umount2(step.target, step.detach === true ? MNT_DETACH : 0));
  plan.state.mounts.unmounted(step.target);
}
