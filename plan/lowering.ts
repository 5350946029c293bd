/**
 * The table of lowerings, which turn steps into calls. A step without one does not compile.
 *
 * @module
 */

import type { Step, StepOf } from "../recipe/steps.ts";
import type { RootStep } from "../recipe/steps/root_directory.ts";
import type { PlanBuilder } from "./builder.ts";
import { lowerBind } from "./steps/bind.ts";
import { lowerBounds } from "./steps/bounds.ts";
import { lowerDenyFiles } from "./steps/deny_files.ts";
import { lowerDevices } from "./steps/devices.ts";
import { lowerMkdir, lowerMknod, lowerSymlink, lowerWriteFile } from "./steps/files.ts";
import { lowerMapCurrentUser, lowerMapIds, lowerMapRoot } from "./steps/id_maps.ts";
import { lowerCapabilities, lowerNoNewPrivileges, lowerSetUser } from "./steps/identity.ts";
import { lowerJoin } from "./steps/join.ts";
import { lowerJoinCgroup } from "./steps/join_cgroup.ts";
import { lowerLandlock } from "./steps/landlock.ts";
import { lowerLimits } from "./steps/limits.ts";
import { lowerMaskPaths, lowerReadonlyPaths } from "./steps/masks.ts";
import {
  lowerKernelFilesystem,
  lowerMount,
  lowerProc,
  lowerPropagation,
  lowerRemount,
  lowerTmpfs,
  lowerUnmount,
} from "./steps/mounts.ts";
import { lowerDomainname, lowerHostname } from "./steps/names.ts";
import { lowerAddress, lowerRoute } from "./steps/network/addresses.ts";
import { lowerBridge, lowerDummy, lowerLoopback } from "./steps/network/links.ts";
import { lowerMacvlan, lowerMoveInterface, lowerVeth } from "./steps/network/outside.ts";
import { lowerProxy } from "./steps/network/proxy.ts";
import { lowerMasquerade, lowerPublish } from "./steps/network/translation.ts";
import { lowerUserNetwork } from "./steps/network/user_network.ts";
import { lowerOverlay } from "./steps/overlay.ts";
import {
  lowerClearEnv,
  lowerDieWithParent,
  lowerInit,
  lowerNewSession,
  lowerOomScoreAdj,
  lowerRlimit,
  lowerSetEnv,
  lowerUmask,
} from "./steps/process.ts";
import { lowerPrograms } from "./steps/programs.ts";
import { lowerProtect } from "./steps/protect.ts";
import { lowerChdir, lowerChroot, lowerPivotRoot } from "./steps/root.ts";
import { rootParts } from "./steps/root_directory.ts";
import {
  lowerCpuAffinity,
  lowerIoPriority,
  lowerMemoryPolicy,
  lowerPersonality,
  lowerScheduler,
} from "./steps/scheduling.ts";
import { lowerSeccomp } from "./steps/seccomp.ts";
import { lowerSysctl } from "./steps/sysctl.ts";
import { lowerTimeOffset } from "./steps/time.ts";
import { lowerUnshare } from "./steps/unshare.ts";
import { lowerDisableUserNamespaces } from "./steps/user_namespaces.ts";

/** Adds the calls of a step to the plan, or refuses the step. Makes no call itself. */
export type Lowering<S extends Step> = (step: S, plan: PlanBuilder) => void;

const LOWERINGS = {
  address: lowerAddress,
  bind: lowerBind,
  bounds: lowerBounds,
  bridge: lowerBridge,
  capabilities: lowerCapabilities,
  chdir: lowerChdir,
  chroot: lowerChroot,
  clearEnv: lowerClearEnv,
  cpuAffinity: lowerCpuAffinity,
  denyFiles: lowerDenyFiles,
  devices: lowerDevices,
  dieWithParent: lowerDieWithParent,
  disableUserNamespaces: lowerDisableUserNamespaces,
  domainname: lowerDomainname,
  dummy: lowerDummy,
  hostname: lowerHostname,
  init: lowerInit,
  ioPriority: lowerIoPriority,
  join: lowerJoin,
  joinCgroup: lowerJoinCgroup,
  landlock: lowerLandlock,
  limits: lowerLimits,
  loopback: lowerLoopback,
  macvlan: lowerMacvlan,
  mapCurrentUser: lowerMapCurrentUser,
  mapIds: lowerMapIds,
  mapRoot: lowerMapRoot,
  maskPaths: lowerMaskPaths,
  masquerade: lowerMasquerade,
  memoryPolicy: lowerMemoryPolicy,
  mkdir: lowerMkdir,
  mknod: lowerMknod,
  mount: lowerMount,
  moveInterface: lowerMoveInterface,
  mqueue: lowerKernelFilesystem,
  newSession: lowerNewSession,
  noNewPrivileges: lowerNoNewPrivileges,
  oomScoreAdj: lowerOomScoreAdj,
  overlay: lowerOverlay,
  personality: lowerPersonality,
  pivotRoot: lowerPivotRoot,
  proc: lowerProc,
  programs: lowerPrograms,
  propagation: lowerPropagation,
  protect: lowerProtect,
  proxy: lowerProxy,
  publish: lowerPublish,
  readonlyPaths: lowerReadonlyPaths,
  remount: lowerRemount,
  rlimit: lowerRlimit,
  root: lowerRoot,
  route: lowerRoute,
  scheduler: lowerScheduler,
  seccomp: lowerSeccomp,
  setEnv: lowerSetEnv,
  setUser: lowerSetUser,
  symlink: lowerSymlink,
  sysctl: lowerSysctl,
  sysfs: lowerKernelFilesystem,
  timeOffset: lowerTimeOffset,
  tmpfs: lowerTmpfs,
  umask: lowerUmask,
  unmount: lowerUnmount,
  unshare: lowerUnshare,
  userNetwork: lowerUserNetwork,
  veth: lowerVeth,
  writeFile: lowerWriteFile,
} satisfies { readonly [Name in Step["step"]]: Lowering<StepOf<Name>> };

/** Lowers `root`, by the steps that it stands for. */
function lowerRoot(step: RootStep, plan: PlanBuilder): void {
  for (const part of rootParts(step, plan)) lower(part, plan);
}

/** Lowers a step by its entry in the table. */
export function lower(step: Step, plan: PlanBuilder): void {
  (LOWERINGS[step.step] as Lowering<Step>)(step, plan);
}
