/**
 * The builders of all steps, with the types of the steps and their options.
 *
 * @module
 */

export type { CapabilitySets } from "./capability_sets.ts";
export type { IdRange } from "./id_range.ts";
export {
  bind,
  type BindIdMap,
  type BindOptions,
  type BindRestriction,
  type BindStep,
} from "./bind.ts";
export { type Bounds, bounds, type BoundsStep } from "./bounds.ts";
export { type DeniedFiles, denyFiles, type DenyFilesStep } from "./deny_files.ts";
export { devices, type DevicesOptions, type DevicesStep, type FurtherDevice } from "./devices.ts";
export {
  type FileOptions,
  mkdir,
  type MkdirStep,
  mknod,
  type MknodStep,
  symlink,
  type SymlinkOptions,
  type SymlinkStep,
  writeFile,
  type WriteFileStep,
} from "./files.ts";
export {
  mapCurrentUser,
  type MapCurrentUserOptions,
  type MapCurrentUserStep,
  mapIds,
  type MapIdsStep,
  mapRoot,
  type MapRootStep,
} from "./id_maps.ts";
export {
  capabilities,
  type CapabilitiesStep,
  noNewPrivileges,
  type NoNewPrivilegesStep,
  setUser,
  type SetUserStep,
  type UserIds,
  type UserName,
} from "./identity.ts";
export { joinCgroup, type JoinCgroupStep } from "./join_cgroup.ts";
export { join, type JoinOptions, type JoinStep, type JoinTarget } from "./join.ts";
export { landlock, type LandlockRules, type LandlockStep } from "./landlock.ts";
export { type IoLimits, type Limits, limits, type LimitsStep, type Size } from "./limits.ts";
export { maskPaths, type MaskPathsStep, readonlyPaths, type ReadonlyPathsStep } from "./masks.ts";
export {
  type FilesystemOptions,
  mount,
  type MountStep,
  mqueue,
  type MqueueStep,
  proc,
  type ProcOptions,
  type ProcStep,
  type Propagation,
  propagation,
  type PropagationOptions,
  type PropagationStep,
  remount,
  type RemountStep,
  sysfs,
  type SysfsStep,
  tmpfs,
  type TmpfsOptions,
  type TmpfsStep,
  unmount,
  type UnmountOptions,
  type UnmountStep,
} from "./mounts.ts";
export { protect, type ProtectOptions, type ProtectStep } from "./protect.ts";
export { domainname, type DomainnameStep, hostname, type HostnameStep } from "./names.ts";
export {
  address,
  type AddressStep,
  route,
  type RouteOptions,
  type RouteStep,
} from "./network/addresses.ts";
export {
  bridge,
  type BridgeOptions,
  type BridgeStep,
  dummy,
  type DummyStep,
  loopback,
  type LoopbackStep,
} from "./network/links.ts";
export {
  macvlan,
  type MacvlanMode,
  type MacvlanOptions,
  type MacvlanStep,
  moveInterface,
  type MoveInterfaceOptions,
  type MoveInterfaceStep,
  veth,
  type VethOptions,
  type VethStep,
} from "./network/outside.ts";
export { proxy, type ProxyStep } from "./network/proxy.ts";
export {
  masquerade,
  type MasqueradeStep,
  publish,
  type PublishOptions,
  type PublishStep,
  type TranslationOptions,
} from "./network/translation.ts";
export {
  userNetwork,
  type UserNetworkOptions,
  type UserNetworkProgram,
  type UserNetworkStep,
} from "./network/user_network.ts";
export { overlay, type OverlayOptions, type OverlayStep } from "./overlay.ts";
export {
  clearEnv,
  type ClearEnvOptions,
  type ClearEnvStep,
  dieWithParent,
  type DieWithParentStep,
  init,
  type InitStep,
  newSession,
  type NewSessionStep,
  oomScoreAdj,
  type OomScoreAdjStep,
  type ResourceName,
  rlimit,
  type RlimitStep,
  setEnv,
  type SetEnvStep,
  umask,
  type UmaskStep,
} from "./process.ts";
export { programs, type ProgramsOptions, type ProgramsStep } from "./programs.ts";
export {
  chdir,
  type ChdirStep,
  chroot,
  type ChrootStep,
  pivotRoot,
  type PivotRootStep,
} from "./root.ts";
export {
  root,
  type RootDirectoryOptions,
  type RootStep,
  type RootVolume,
} from "./root_directory.ts";
export {
  cpuAffinity,
  type CpuAffinityStep,
  ioPriority,
  type IoPriorityClass,
  type IoPriorityStep,
  memoryPolicy,
  type MemoryPolicyFlag,
  type MemoryPolicyMode,
  type MemoryPolicyOptions,
  type MemoryPolicyStep,
  personality,
  type PersonalityDomain,
  type PersonalityFlag,
  type PersonalityOptions,
  type PersonalityStep,
  scheduler,
  type SchedulerFlag,
  type SchedulerOptions,
  type SchedulerPolicy,
  type SchedulerStep,
} from "./scheduling.ts";
export { seccomp, type SeccompAllowance, type SeccompStep } from "./seccomp.ts";
export { DEFAULT_SECCOMP_PROFILE } from "../seccomp_default.ts";
export type {
  SeccompAction,
  SeccompArchitecture,
  SeccompArgument,
  SeccompComparison,
  SeccompFlag,
  SeccompProfile,
  SeccompRule,
} from "../seccomp_profile.ts";
export { sysctl, type SysctlStep } from "./sysctl.ts";
export { timeOffset, type TimeOffsets, type TimeOffsetStep } from "./time.ts";
export { unshare, type UnshareOptions, type UnshareStep } from "./unshare.ts";
export { disableUserNamespaces, type DisableUserNamespacesStep } from "./user_namespaces.ts";
