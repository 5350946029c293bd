/**
 * Every step there is: the type of them all, and the table of their definitions. A new step is a
 * definition in a file of `steps/`, its type in {@linkcode Step}, and its line in the table.
 *
 * @module
 */

import type { AnyStepDefinition, StepDefinition } from "./check.ts";
import { bindDefinition, type BindStep } from "./steps/bind.ts";
import { devicesDefinition, type DevicesStep } from "./steps/devices.ts";
import {
  mkdirDefinition,
  type MkdirStep,
  mknodDefinition,
  type MknodStep,
  symlinkDefinition,
  type SymlinkStep,
  writeFileDefinition,
  type WriteFileStep,
} from "./steps/files.ts";
import {
  mapCurrentUserDefinition,
  type MapCurrentUserStep,
  mapIdsDefinition,
  type MapIdsStep,
  mapRootDefinition,
  type MapRootStep,
} from "./steps/id_maps.ts";
import {
  capabilitiesDefinition,
  type CapabilitiesStep,
  noNewPrivilegesDefinition,
  type NoNewPrivilegesStep,
  setUserDefinition,
  type SetUserStep,
} from "./steps/identity.ts";
import { joinDefinition, type JoinStep } from "./steps/join.ts";
import { landlockDefinition, type LandlockStep } from "./steps/landlock.ts";
import { limitsDefinition, type LimitsStep } from "./steps/limits.ts";
import {
  maskPathsDefinition,
  type MaskPathsStep,
  readonlyPathsDefinition,
  type ReadonlyPathsStep,
} from "./steps/masks.ts";
import {
  mountDefinition,
  type MountStep,
  mqueueDefinition,
  type MqueueStep,
  procDefinition,
  type ProcStep,
  propagationDefinition,
  type PropagationStep,
  remountDefinition,
  type RemountStep,
  sysfsDefinition,
  type SysfsStep,
  tmpfsDefinition,
  type TmpfsStep,
  unmountDefinition,
  type UnmountStep,
} from "./steps/mounts.ts";
import {
  domainnameDefinition,
  type DomainnameStep,
  hostnameDefinition,
  type HostnameStep,
} from "./steps/names.ts";
import {
  addressDefinition,
  type AddressStep,
  routeDefinition,
  type RouteStep,
} from "./steps/network/addresses.ts";
import {
  bridgeDefinition,
  type BridgeStep,
  dummyDefinition,
  type DummyStep,
  loopbackDefinition,
  type LoopbackStep,
} from "./steps/network/links.ts";
import {
  macvlanDefinition,
  type MacvlanStep,
  moveInterfaceDefinition,
  type MoveInterfaceStep,
  vethDefinition,
  type VethStep,
} from "./steps/network/outside.ts";
import {
  masqueradeDefinition,
  type MasqueradeStep,
  publishDefinition,
  type PublishStep,
} from "./steps/network/translation.ts";
import { userNetworkDefinition, type UserNetworkStep } from "./steps/network/user_network.ts";
import { overlayDefinition, type OverlayStep } from "./steps/overlay.ts";
import {
  clearEnvDefinition,
  type ClearEnvStep,
  dieWithParentDefinition,
  type DieWithParentStep,
  initDefinition,
  type InitStep,
  newSessionDefinition,
  type NewSessionStep,
  rlimitDefinition,
  type RlimitStep,
  setEnvDefinition,
  type SetEnvStep,
  umaskDefinition,
  type UmaskStep,
} from "./steps/process.ts";
import { programsDefinition, type ProgramsStep } from "./steps/programs.ts";
import {
  chdirDefinition,
  type ChdirStep,
  chrootDefinition,
  type ChrootStep,
  pivotRootDefinition,
  type PivotRootStep,
} from "./steps/root.ts";
import { seccompDefinition, type SeccompStep } from "./steps/seccomp.ts";
import { sysctlDefinition, type SysctlStep } from "./steps/sysctl.ts";
import { timeOffsetDefinition, type TimeOffsetStep } from "./steps/time.ts";
import { unshareDefinition, type UnshareStep } from "./steps/unshare.ts";
import {
  disableUserNamespacesDefinition,
  type DisableUserNamespacesStep,
} from "./steps/user_namespaces.ts";

/** A step of a recipe, as plain data; each has a builder of its name. */
export type Step =
  | AddressStep
  | BindStep
  | BridgeStep
  | CapabilitiesStep
  | ChdirStep
  | ChrootStep
  | ClearEnvStep
  | DevicesStep
  | DieWithParentStep
  | DisableUserNamespacesStep
  | DomainnameStep
  | DummyStep
  | HostnameStep
  | InitStep
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
  | MkdirStep
  | MknodStep
  | MountStep
  | MoveInterfaceStep
  | MqueueStep
  | NewSessionStep
  | NoNewPrivilegesStep
  | OverlayStep
  | PivotRootStep
  | ProcStep
  | ProgramsStep
  | PropagationStep
  | PublishStep
  | ReadonlyPathsStep
  | RemountStep
  | RlimitStep
  | RouteStep
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

const DEFINITIONS = {
  address: addressDefinition,
  bind: bindDefinition,
  bridge: bridgeDefinition,
  capabilities: capabilitiesDefinition,
  chdir: chdirDefinition,
  chroot: chrootDefinition,
  clearEnv: clearEnvDefinition,
  devices: devicesDefinition,
  dieWithParent: dieWithParentDefinition,
  disableUserNamespaces: disableUserNamespacesDefinition,
  domainname: domainnameDefinition,
  dummy: dummyDefinition,
  hostname: hostnameDefinition,
  init: initDefinition,
  join: joinDefinition,
  landlock: landlockDefinition,
  limits: limitsDefinition,
  loopback: loopbackDefinition,
  macvlan: macvlanDefinition,
  mapCurrentUser: mapCurrentUserDefinition,
  mapIds: mapIdsDefinition,
  mapRoot: mapRootDefinition,
  maskPaths: maskPathsDefinition,
  masquerade: masqueradeDefinition,
  mkdir: mkdirDefinition,
  mknod: mknodDefinition,
  mount: mountDefinition,
  moveInterface: moveInterfaceDefinition,
  mqueue: mqueueDefinition,
  newSession: newSessionDefinition,
  noNewPrivileges: noNewPrivilegesDefinition,
  overlay: overlayDefinition,
  pivotRoot: pivotRootDefinition,
  proc: procDefinition,
  programs: programsDefinition,
  propagation: propagationDefinition,
  publish: publishDefinition,
  readonlyPaths: readonlyPathsDefinition,
  remount: remountDefinition,
  rlimit: rlimitDefinition,
  route: routeDefinition,
  seccomp: seccompDefinition,
  setEnv: setEnvDefinition,
  setUser: setUserDefinition,
  symlink: symlinkDefinition,
  sysctl: sysctlDefinition,
  sysfs: sysfsDefinition,
  timeOffset: timeOffsetDefinition,
  tmpfs: tmpfsDefinition,
  umask: umaskDefinition,
  unmount: unmountDefinition,
  unshare: unshareDefinition,
  userNetwork: userNetworkDefinition,
  veth: vethDefinition,
  writeFile: writeFileDefinition,
} satisfies { readonly [Name in Step["step"]]: StepDefinition<StepOf<Name>> };

/** The definition of each step, by its name. */
export const STEP_DEFINITIONS: ReadonlyMap<string, AnyStepDefinition> = new Map(
  Object.entries(DEFINITIONS as unknown as Readonly<Record<string, AnyStepDefinition>>),
);
