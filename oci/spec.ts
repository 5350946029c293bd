/**
 * The types of config.json as far as it is read: the runtime specification of the Open Container
 * Initiative, version 1.3, for Linux. Fields that it does not know are left to others, as it asks.
 *
 * @module
 */

import type { SeccompProfile } from "../recipe/seccomp_profile.ts";

/** config.json. */
export interface Config {
  readonly ociVersion?: string;
  readonly root?: { readonly path: string; readonly readonly?: boolean };
  readonly process?: ConfigProcess;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts?: readonly ConfigMount[];
  readonly hooks?: Readonly<Partial<Record<HookKind, readonly ConfigHook[]>>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: ConfigLinux;
}

/** The object `process`, also of `exec --process`. */
export interface ConfigProcess {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user?: {
    readonly uid?: number;
    readonly gid?: number;
    readonly umask?: number;
    readonly additionalGids?: readonly number[] | null;
  };
  readonly args?: readonly string[];
  readonly env?: readonly string[] | null;
  readonly cwd?: string;
  readonly capabilities?: Readonly<Partial<Record<CapabilitySet, readonly string[] | null>>>;
  readonly rlimits?: readonly ConfigRlimit[] | null;
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly oomScoreAdj?: number;
  readonly scheduler?: ConfigScheduler | null;
  readonly ioPriority?: { readonly class: string; readonly priority?: number } | null;
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string } | null;
}

/** The object `process.scheduler`. */
export interface ConfigScheduler {
  readonly policy: string;
  readonly nice?: number;
  readonly priority?: number;
  readonly flags?: readonly string[] | null;
  /** In nanoseconds, as those below. */
  readonly runtime?: number;
  readonly deadline?: number;
  readonly period?: number;
}

/** The names of the sets of capabilities. */
export type CapabilitySet = "bounding" | "effective" | "permitted" | "inheritable" | "ambient";

/** A limit of `process.rlimits`. */
export interface ConfigRlimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

/** An entry of `mounts`. */
export interface ConfigMount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[] | null;
  readonly uidMappings?: readonly ConfigIdMapping[];
  readonly gidMappings?: readonly ConfigIdMapping[];
}

/** The points at which hooks run. */
export type HookKind =
  | "prestart"
  | "createRuntime"
  | "createContainer"
  | "startContainer"
  | "poststart"
  | "poststop";

/** A hook. */
export interface ConfigHook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** In seconds. */
  readonly timeout?: number;
}

/** A range of ids. */
export interface ConfigIdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** The object `linux`. */
export interface ConfigLinux {
  readonly namespaces?: readonly { readonly type: string; readonly path?: string }[];
  readonly uidMappings?: readonly ConfigIdMapping[] | null;
  readonly gidMappings?: readonly ConfigIdMapping[] | null;
  readonly timeOffsets?: Readonly<
    Record<string, { readonly secs?: number; readonly nanosecs?: number }>
  >;
  readonly devices?: readonly ConfigDevice[] | null;
  readonly cgroupsPath?: string;
  readonly resources?: ConfigResources;
  readonly sysctl?: Readonly<Record<string, string>> | null;
  readonly seccomp?:
    & SeccompProfile
    & { readonly listenerPath?: string; readonly listenerMetadata?: string };
  readonly rootfsPropagation?: string;
  readonly maskedPaths?: readonly string[] | null;
  readonly readonlyPaths?: readonly string[] | null;
  readonly mountLabel?: string;
  readonly intelRdt?: unknown;
  readonly personality?:
    | { readonly domain?: string; readonly flags?: readonly string[] | null }
    | null;
  readonly memoryPolicy?:
    | { readonly mode: string; readonly nodes?: string; readonly flags?: readonly string[] | null }
    | null;
  readonly netDevices?: Readonly<Record<string, { readonly name?: string } | null>> | null;
}

/** An entry of `linux.devices`. */
export interface ConfigDevice {
  readonly path: string;
  readonly type: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A rule of `linux.resources.devices`. */
export interface DeviceRule {
  readonly allow: boolean;
  readonly type?: string;
  readonly major?: number | null;
  readonly minor?: number | null;
  readonly access?: string;
}

/** A rate of a block device. */
export interface DeviceRate {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

/** A weight of a block device. */
export interface DeviceWeight {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

/** The object `linux.resources`, which `update` takes too. */
export interface ConfigResources {
  readonly devices?: readonly DeviceRule[] | null;
  readonly memory?: {
    readonly limit?: number;
    readonly reservation?: number;
    readonly swap?: number;
    readonly kernel?: number;
    readonly kernelTCP?: number;
    readonly swappiness?: number;
    readonly disableOOMKiller?: boolean;
    readonly useHierarchy?: boolean;
    readonly checkBeforeUpdate?: boolean;
  } | null;
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly burst?: number;
    readonly period?: number;
    readonly realtimeRuntime?: number;
    readonly realtimePeriod?: number;
    readonly cpus?: string;
    readonly mems?: string;
    readonly idle?: number;
  } | null;
  readonly pids?: { readonly limit?: number } | null;
  readonly blockIO?: {
    readonly weight?: number;
    readonly leafWeight?: number;
    readonly weightDevice?: readonly DeviceWeight[] | null;
    readonly throttleReadBpsDevice?: readonly DeviceRate[] | null;
    readonly throttleWriteBpsDevice?: readonly DeviceRate[] | null;
    readonly throttleReadIOPSDevice?: readonly DeviceRate[] | null;
    readonly throttleWriteIOPSDevice?: readonly DeviceRate[] | null;
  } | null;
  readonly hugepageLimits?:
    | readonly { readonly pageSize: string; readonly limit: number }[]
    | null;
  readonly network?: {
    readonly classID?: number;
    readonly priorities?: readonly { readonly name: string; readonly priority: number }[] | null;
  } | null;
  readonly rdma?:
    | Readonly<Record<string, { readonly hcaHandles?: number; readonly hcaObjects?: number }>>
    | null;
  readonly unified?: Readonly<Record<string, string>> | null;
}
