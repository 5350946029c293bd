/**
 * Every step there is: the type of them all, and the table of their schemas. A new step is a file
 * or a part of one in `steps/`, its type in {@linkcode Step}, and its line in the table.
 *
 * @module
 */

import type { AnyStepSchema, StepSchema } from "./step_schema.ts";
import { bindSchema, type BindStep } from "./steps/bind.ts";
import { boundsSchema, type BoundsStep } from "./steps/bounds.ts";
import { denyFilesSchema, type DenyFilesStep } from "./steps/deny_files.ts";
import { devicesSchema, type DevicesStep } from "./steps/devices.ts";
import {
  mkdirSchema,
  type MkdirStep,
  mknodSchema,
  type MknodStep,
  symlinkSchema,
  type SymlinkStep,
  writeFileSchema,
  type WriteFileStep,
} from "./steps/files.ts";
import {
  mapCurrentUserSchema,
  type MapCurrentUserStep,
  mapIdsSchema,
  type MapIdsStep,
  mapRootSchema,
  type MapRootStep,
} from "./steps/id_maps.ts";
import {
  capabilitiesSchema,
  type CapabilitiesStep,
  noNewPrivilegesSchema,
  type NoNewPrivilegesStep,
  setUserSchema,
  type SetUserStep,
} from "./steps/identity.ts";
import { joinSchema, type JoinStep } from "./steps/join.ts";
import { joinCgroupSchema, type JoinCgroupStep } from "./steps/join_cgroup.ts";
import { landlockSchema, type LandlockStep } from "./steps/landlock.ts";
import { limitsSchema, type LimitsStep } from "./steps/limits.ts";
import {
  maskPathsSchema,
  type MaskPathsStep,
  readonlyPathsSchema,
  type ReadonlyPathsStep,
} from "./steps/masks.ts";
import {
  mountSchema,
  type MountStep,
  mqueueSchema,
  type MqueueStep,
  procSchema,
  type ProcStep,
  propagationSchema,
  type PropagationStep,
  remountSchema,
  type RemountStep,
  sysfsSchema,
  type SysfsStep,
  tmpfsSchema,
  type TmpfsStep,
  unmountSchema,
  type UnmountStep,
} from "./steps/mounts.ts";
import {
  domainnameSchema,
  type DomainnameStep,
  hostnameSchema,
  type HostnameStep,
} from "./steps/names.ts";
import {
  addressSchema,
  type AddressStep,
  routeSchema,
  type RouteStep,
} from "./steps/network/addresses.ts";
import {
  bridgeSchema,
  type BridgeStep,
  dummySchema,
  type DummyStep,
  loopbackSchema,
  type LoopbackStep,
} from "./steps/network/links.ts";
import {
  macvlanSchema,
  type MacvlanStep,
  moveInterfaceSchema,
  type MoveInterfaceStep,
  vethSchema,
  type VethStep,
} from "./steps/network/outside.ts";
import { proxySchema, type ProxyStep } from "./steps/network/proxy.ts";
import {
  masqueradeSchema,
  type MasqueradeStep,
  publishSchema,
  type PublishStep,
} from "./steps/network/translation.ts";
import { userNetworkSchema, type UserNetworkStep } from "./steps/network/user_network.ts";
import { overlaySchema, type OverlayStep } from "./steps/overlay.ts";
import {
  clearEnvSchema,
  type ClearEnvStep,
  dieWithParentSchema,
  type DieWithParentStep,
  initSchema,
  type InitStep,
  newSessionSchema,
  type NewSessionStep,
  oomScoreAdjSchema,
  type OomScoreAdjStep,
  rlimitSchema,
  type RlimitStep,
  setEnvSchema,
  type SetEnvStep,
  umaskSchema,
  type UmaskStep,
} from "./steps/process.ts";
import { programsSchema, type ProgramsStep } from "./steps/programs.ts";
import { protectSchema, type ProtectStep } from "./steps/protect.ts";
import {
  chdirSchema,
  type ChdirStep,
  chrootSchema,
  type ChrootStep,
  pivotRootSchema,
  type PivotRootStep,
} from "./steps/root.ts";
import { rootSchema, type RootStep } from "./steps/root_directory.ts";
import {
  cpuAffinitySchema,
  type CpuAffinityStep,
  ioPrioritySchema,
  type IoPriorityStep,
  memoryPolicySchema,
  type MemoryPolicyStep,
  personalitySchema,
  type PersonalityStep,
  schedulerSchema,
  type SchedulerStep,
} from "./steps/scheduling.ts";
import { seccompSchema, type SeccompStep } from "./steps/seccomp.ts";
import { sysctlSchema, type SysctlStep } from "./steps/sysctl.ts";
import { timeOffsetSchema, type TimeOffsetStep } from "./steps/time.ts";
import { unshareSchema, type UnshareStep } from "./steps/unshare.ts";
import {
  disableUserNamespacesSchema,
  type DisableUserNamespacesStep,
} from "./steps/user_namespaces.ts";

/** A step of a recipe, as plain data; each has a builder of its name. */
export type Step =
  | AddressStep
  | BindStep
  | BoundsStep
  | BridgeStep
  | CapabilitiesStep
  | ChdirStep
  | ChrootStep
  | ClearEnvStep
  | CpuAffinityStep
  | DenyFilesStep
  | DevicesStep
  | DieWithParentStep
  | DisableUserNamespacesStep
  | DomainnameStep
  | DummyStep
  | HostnameStep
  | InitStep
  | IoPriorityStep
  | JoinCgroupStep
  | JoinStep
  | LandlockStep
  | LimitsStep
  | LoopbackStep
  | MacvlanStep
  | MapCurrentUserStep
  | MapIdsStep
  | MapRootStep
  | MaskPathsStep
  | MasqueradeStep
  | MemoryPolicyStep
  | MkdirStep
  | MknodStep
  | MountStep
  | MoveInterfaceStep
  | MqueueStep
  | NewSessionStep
  | NoNewPrivilegesStep
  | OomScoreAdjStep
  | OverlayStep
  | PersonalityStep
  | PivotRootStep
  | ProcStep
  | ProgramsStep
  | PropagationStep
  | ProtectStep
  | ProxyStep
  | PublishStep
  | ReadonlyPathsStep
  | RemountStep
  | RlimitStep
  | RootStep
  | RouteStep
  | SchedulerStep
  | SeccompStep
  | SetEnvStep
  | SetUserStep
  | SymlinkStep
  | SysctlStep
  | SysfsStep
  | TimeOffsetStep
  | TmpfsStep
  | UmaskStep
  | UnmountStep
  | UnshareStep
  | UserNetworkStep
  | VethStep
  | WriteFileStep;

/** The step of this name. */
export type StepOf<Name extends Step["step"]> = Extract<Step, { readonly step: Name }>;

const SCHEMAS = {
  address: addressSchema,
  bind: bindSchema,
  bounds: boundsSchema,
  bridge: bridgeSchema,
  capabilities: capabilitiesSchema,
  chdir: chdirSchema,
  chroot: chrootSchema,
  clearEnv: clearEnvSchema,
  cpuAffinity: cpuAffinitySchema,
  denyFiles: denyFilesSchema,
  devices: devicesSchema,
  dieWithParent: dieWithParentSchema,
  disableUserNamespaces: disableUserNamespacesSchema,
  domainname: domainnameSchema,
  dummy: dummySchema,
  hostname: hostnameSchema,
  init: initSchema,
  ioPriority: ioPrioritySchema,
  join: joinSchema,
  joinCgroup: joinCgroupSchema,
  landlock: landlockSchema,
  limits: limitsSchema,
  loopback: loopbackSchema,
  macvlan: macvlanSchema,
  mapCurrentUser: mapCurrentUserSchema,
  mapIds: mapIdsSchema,
  mapRoot: mapRootSchema,
  maskPaths: maskPathsSchema,
  masquerade: masqueradeSchema,
  memoryPolicy: memoryPolicySchema,
  mkdir: mkdirSchema,
  mknod: mknodSchema,
  mount: mountSchema,
  moveInterface: moveInterfaceSchema,
  mqueue: mqueueSchema,
  newSession: newSessionSchema,
  noNewPrivileges: noNewPrivilegesSchema,
  oomScoreAdj: oomScoreAdjSchema,
  overlay: overlaySchema,
  personality: personalitySchema,
  pivotRoot: pivotRootSchema,
  proc: procSchema,
  programs: programsSchema,
  propagation: propagationSchema,
  protect: protectSchema,
  proxy: proxySchema,
  publish: publishSchema,
  readonlyPaths: readonlyPathsSchema,
  remount: remountSchema,
  rlimit: rlimitSchema,
  root: rootSchema,
  route: routeSchema,
  scheduler: schedulerSchema,
  seccomp: seccompSchema,
  setEnv: setEnvSchema,
  setUser: setUserSchema,
  symlink: symlinkSchema,
  sysctl: sysctlSchema,
  sysfs: sysfsSchema,
  timeOffset: timeOffsetSchema,
  tmpfs: tmpfsSchema,
  umask: umaskSchema,
  unmount: unmountSchema,
  unshare: unshareSchema,
  userNetwork: userNetworkSchema,
  veth: vethSchema,
  writeFile: writeFileSchema,
} satisfies { readonly [Name in Step["step"]]: StepSchema<StepOf<Name>> };

/** The schema of each step, by its name. */
export const STEP_SCHEMAS: ReadonlyMap<string, AnyStepSchema> = new Map(
  Object.entries<AnyStepSchema>(SCHEMAS),
);
