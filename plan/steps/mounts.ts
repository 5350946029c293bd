/**
 * Lowers the steps that mount filesystems, `mount`, `tmpfs`, `proc`, `sysfs` and `mqueue`, and
 * those that change what is mounted: `propagation`, `remount` and `unmount`.
 *
 * @module
 */

import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_UNBINDABLE,
} from "../../ffi/calls/constants/mounts.ts";
import type { Fixes } from "../../ffi/fix.ts";
import { parseMountOptions } from "../../recipe/mount_options.ts";
import type {
  MountStep,
  MqueueStep,
  ProcStep,
  Propagation,
  PropagationStep,
  RemountStep,
  SysfsStep,
  TmpfsStep,
  UnmountStep,
} from "../../recipe/steps/mounts.ts";
import type { PlanBuilder } from "../builder.ts";
import { showOuterProc } from "./outer_proc.ts";
import { appArmor, deniedPrivilege } from "../fixes.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";

const NEEDS_MOUNT = "it would be mounted on the host";

/** The longest options of mount(2): a page, less the NUL at the end. */
const OPTION_BYTES = 4095;

/** A new filesystem; the source defaults to the type. */
interface FilesystemDescription {
  readonly source?: string;
  readonly type: string;
  readonly flags: number;
  readonly data: string | null;
  /** The fixes for errors of this type of filesystem. */
  readonly fixes?: Fixes;
  /** Whether a missing mount point is made, wherever it is. */
  readonly make?: boolean | undefined;
}

/** Mounts a new filesystem at a path of the container. */
export function mountFilesystem(
  plan: PlanBuilder,
  path: string,
  { source, type, flags, data, fixes = {}, make }: FilesystemDescription,
): void {
  checkOptions(plan, data);
  const target = plan.path(path);
  const { mountFixes } = plan.state;
  target.mountOn({
    source: source ?? type,
    type,
    flags,
    data,
    make,
    fixes: () => ({
      ...mountFixes,
      EBUSY: `something is mounted at ${path} already, or the source is in use`,
      EINVAL: () =>
        optionIssue(plan, type, data) ?? `the filesystem ${type} does not support an option`,
      ENODEV: `this kernel does not know filesystems of the type ${type} (see /proc/filesystems)`,
      ENOENT: `the source ${source ?? type} does not exist${unexpanded(source ?? "")}`,
      ...fixes,
    }),
  });
  plan.mounted({
    target: target.canonical,
    type,
    source: source ?? type,
    readOnly: (flags & MS_RDONLY) !== 0,
    own: true,
  });
}

/** Returns what the kernel says against the options. */
function optionIssue({ host, state }: PlanBuilder, type: string, data: string | null) {
  if (data === null) return undefined;
  const { caller, ids = { uid: caller.euid, gid: caller.egid } } = state;
  const mapped = state.inUserNamespace
    ? {
      uid: { inside: ids.uid, outside: caller.euid },
      gid: { inside: ids.gid, outside: caller.egid },
    }
    : undefined;
  return host.filesystemIssue({ type, data, ids: mapped });
}

/** Refuses options that mount(2) would truncate. */
export function checkOptions(plan: PlanBuilder, data: string | null): void {
  // UTF-8 has at most three bytes for each UTF-16 unit.
  if (data === null || data.length * 3 <= OPTION_BYTES) return;
  const size = new TextEncoder().encode(data).length;
  if (size > OPTION_BYTES) {
    plan.refuse(`the options have ${size} bytes, and mount(2) takes ${OPTION_BYTES}; use fewer`);
  }
}

/** Lowers `mount`. */
export function lowerMount(step: MountStep, plan: PlanBuilder): void {
  plan.needs("mount", NEEDS_MOUNT);
  plan.access.recordFilesystem(step);
  const { source, target, type, options, make } = step;
  if (make === true) plan.access.recordWrite(target);
  mountFilesystem(plan, target, { source, type, ...parseMountOptions(options), make });
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
  mountFilesystem(plan, step.target, { type: "tmpfs", flags, data: words.join(",") || null });
}

/** Lowers `proc`. */
export function lowerProc(step: ProcStep, plan: PlanBuilder): void {
  if (step.outer === true) showOuterProc(step.target, plan);
  else lowerKernelFilesystem(step, plan);
}

/** Lowers `proc`, `sysfs` and `mqueue`: with nosuid, nodev and noexec, which they do not need. */
export function lowerKernelFilesystem(
  { step: type, target, options }: ProcStep | SysfsStep | MqueueStep,
  plan: PlanBuilder,
): void {
  plan.needs("mount", NEEDS_MOUNT);
  plan.access.recordFilesystem({ source: type, target, type, ...(options && { options }) });
  const parsed = parseMountOptions(options, MS_NOSUID | MS_NODEV | MS_NOEXEC);
  mountFilesystem(plan, target, { type, ...parsed, fixes: kernelFilesystemFixes(type, plan) });
}

function kernelFilesystemFixes(
  type: (ProcStep | SysfsStep | MqueueStep)["step"],
  plan: PlanBuilder,
): Fixes {
  const ownsPids = plan.state.unshared.has("pid");
  const denied = {
    proc: ownsPids
      ? "an ordinary user may mount /proc only if no part of the outer /proc is covered, as it " +
        'is in many containers; show that one, which is weaker: proc("/proc", { outer: true }), ' +
        "weakerProc of sandbox(), --weaker-proc of ramekin sandbox"
      : 'a new /proc needs a pid namespace: put unshare("pid") before it',
    sysfs: 'a new /sys needs a network namespace: unshare("net")',
    mqueue: 'a new mqueue needs an ipc namespace: unshare("ipc")',
  }[type];
  return { EPERM: () => appArmor(plan.host) ?? denied };
}

const PROPAGATION: Readonly<Record<Propagation, number>> = {
  private: MS_PRIVATE,
  shared: MS_SHARED,
  slave: MS_SLAVE,
  unbindable: MS_UNBINDABLE,
};

/** Lowers `propagation`. */
export function lowerPropagation(step: PropagationStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would change the host's mounts");
  plan.path(step.target).setAttributes(
    { propagation: PROPAGATION[step.type] },
    step.recursive === true,
    { ...plan.state.mountFixes, EINVAL: notMounted(step.target) },
  );
}

/** The flags of mount(2) for a single mount, and the same as attributes of mount_setattr(2). */
const ATTRIBUTES: readonly (readonly [flag: number, attribute: number])[] = [
  [MS_RDONLY, MOUNT_ATTR_RDONLY],
  [MS_NOSUID, MOUNT_ATTR_NOSUID],
  [MS_NODEV, MOUNT_ATTR_NODEV],
  [MS_NOEXEC, MOUNT_ATTR_NOEXEC],
  [MS_NODIRATIME, MOUNT_ATTR_NODIRATIME],
  [MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW],
];

const TIMES = MS_NOATIME | MS_STRICTATIME | MS_RELATIME;

/** Lowers `remount`. */
export function lowerRemount(step: RemountStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would change the host's mounts");
  const target = plan.path(step.target);
  const { flags, data } = parseMountOptions(step.options);
  const fixes: Fixes = {
    EPERM: "the options that the mount has from outside are locked; repeat those that " +
      "/proc/self/mountinfo shows for it",
    EINVAL: notMounted(step.target),
  };
  const attributes = step.keep === true ? namedAttributes(step.options) : attributesOf(flags);
  plan.access.recordRemount(attributes.attr_clr);
  if (step.bind === false) {
    if (!plan.state.mounts.isContainerMount(target.canonical)) {
      plan.refuse(
        `{ bind: false } would change the host's filesystem at ${step.target} everywhere; ` +
          "leave it out, to change this mount alone",
      );
    }
    checkOptions(plan, data);
    target.reconfigure(MS_REMOUNT | flags, data, fixes);
  } else {
    target.setAttributes(attributes, step.recursive === true, fixes);
  }
  if (step.keep === true && (flags & MS_RDONLY) === 0) return;
  plan.state.mounts.remounted(target.canonical, (flags & MS_RDONLY) !== 0);
}

/** Sets and clears what the options name, and nothing else. */
function namedAttributes(
  options: string,
): { readonly attr_set: number; readonly attr_clr: number } {
  const { flags } = parseMountOptions(options);
  const { flags: kept } = parseMountOptions(options, 0xffff_ffff);
  const named = attributesOf(flags);
  const cleared = ATTRIBUTES.reduce(
    (sum, [flag, attribute]) => (kept & flag) === 0 ? sum + attribute : sum,
    (kept & TIMES) === TIMES ? named.attr_clr & MOUNT_ATTR__ATIME : MOUNT_ATTR__ATIME,
  );
  return { attr_set: named.attr_set, attr_clr: cleared };
}

/**
 * Clears the options that are left out; the mode of access times stays unless an option sets it.
 */
function attributesOf(flags: number): { readonly attr_set: number; readonly attr_clr: number } {
  let [set, clear] = [0, 0];
  for (const [flag, attribute] of ATTRIBUTES) {
    if ((flags & flag) !== 0) set += attribute;
    else clear += attribute;
  }
  if ((flags & TIMES) !== 0) {
    clear += MOUNT_ATTR__ATIME;
    if ((flags & MS_STRICTATIME) !== 0) set += MOUNT_ATTR_STRICTATIME;
    else if ((flags & MS_NOATIME) !== 0) set += MOUNT_ATTR_NOATIME;
  }
  return { attr_set: set, attr_clr: clear };
}

/** Lowers `unmount`. */
export function lowerUnmount(step: UnmountStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would unmount it on the host");
  plan.access.recordAll();
  const target = plan.path(step.target);
  target.unmount(step.detach === true, {
    EPERM: () => deniedPrivilege(plan.host, plan.state.inUserNamespace),
    EINVAL: `nothing is mounted at ${step.target}, or the mount is from outside, and an ordinary ` +
      "user cannot unmount it",
    EBUSY: `${step.target} is in use; { detach: true } unmounts it all the same`,
  });
  plan.state.mounts.unmounted(target.canonical);
}

function notMounted(path: string): string {
  return `nothing is mounted at ${path}, or an option is not supported there`;
}
