/**
 * What kind of value each field of config.json has. A field that is missing or null is as one that is not
 * there, and fields that the runtime does not know are left to others.
 *
 * @module
 */

import { shown } from "../../recipe/shown.ts";
import type { SeccompRule } from "../../recipe/seccomp_profile.ts";
import type {
  CapabilitySet,
  Config,
  ConfigDevice,
  ConfigHook,
  ConfigIdMapping,
  ConfigLinux,
  ConfigMount,
  ConfigProcess,
  ConfigResources,
  ConfigRlimit,
  ConfigScheduler,
} from "../spec.ts";

/** What a value may be. */
type Kind = keyof typeof WORDS | ListKind | MapKind | ObjectKind;

interface ListKind {
  readonly list: Kind;
}

interface MapKind {
  readonly map: Kind;
}

interface ObjectKind {
  readonly fields: Readonly<Record<string, Kind>>;
  /** The fields that have to be there. */
  readonly needs: readonly string[];
}

/** The kind of each field of a type. */
type Fields<T> = { readonly [K in keyof Required<T>]: Kind };

const WORDS = {
  text: "a string",
  number: "a whole number",
  boolean: "true or false",
  /** It is checked where it is read. */
  any: "anything",
} as const;

/**
 * Reports the first field whose value is of another kind, as `process.args[0]: expected a string, got
 * 5`.
 */
export function kindIssue(config: unknown): string | undefined {
  return issueOf(config, CONFIG, "");
}

function issueOf(value: unknown, kind: Kind, path: string): string | undefined {
  if (typeof kind === "string") {
    return isOf(value, kind) ? undefined : mismatch(path, WORDS[kind], value);
  }
  if ("list" in kind) {
    if (!Array.isArray(value)) return mismatch(path, "a list", value);
    return firstOf(value.keys(), (at) => issueOf(value[at], kind.list, `${path}[${at}]`));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return mismatch(path, "an object", value);
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const pathOf = (name: string) => path === "" ? name : `${path}.${name}`;
  if ("map" in kind) {
    return firstOf(Object.keys(fields), (name) => issueOf(fields[name], kind.map, pathOf(name)));
  }
  const missing = kind.needs.find((name) => fields[name] === undefined || fields[name] === null);
  if (missing !== undefined) return `${pathOf(missing)}: it is missing`;
  return firstOf(Object.keys(kind.fields), (name) => {
    const field = fields[name];
    if (field === undefined || field === null) return undefined;
    return issueOf(field, kind.fields[name]!, pathOf(name));
  });
}

function isOf(value: unknown, kind: keyof typeof WORDS): boolean {
  if (kind === "number") return Number.isInteger(value);
  if (kind === "text") return typeof value === "string";
  return kind === "any" || typeof value === "boolean";
}

function firstOf<T>(
  items: Iterable<T>,
  issue: (item: T) => string | undefined,
): string | undefined {
  for (const item of items) {
    const found = issue(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function mismatch(path: string, expected: string, value: unknown): string {
  return `${path === "" ? "" : `${path}: `}expected ${expected}, got ${shown(value)}`;
}

function list(of: Kind): ListKind {
  return { list: of };
}

function map(of: Kind): MapKind {
  return { map: of };
}

function object<T>(fields: Fields<T>, needs: readonly (keyof T & string)[] = []): ObjectKind {
  return { fields, needs };
}

const TEXTS = list("text");

const ID_MAPPINGS = list(
  object<ConfigIdMapping>({ containerID: "number", hostID: "number", size: "number" }, [
    "containerID",
    "hostID",
    "size",
  ]),
);

const HOOKS = list(
  object<ConfigHook>({ path: "text", args: TEXTS, env: TEXTS, timeout: "number" }, ["path"]),
);

const RATES = list(
  object<{ major: number; minor: number; rate: number }>(
    { major: "number", minor: "number", rate: "number" },
    ["major", "minor", "rate"],
  ),
);

const PROCESS = object<ConfigProcess>({
  terminal: "boolean",
  consoleSize: object<NonNullable<ConfigProcess["consoleSize"]>>({
    height: "number",
    width: "number",
  }),
  user: object<NonNullable<ConfigProcess["user"]>>({
    uid: "number",
    gid: "number",
    umask: "number",
    additionalGids: list("number"),
  }),
  args: TEXTS,
  env: TEXTS,
  cwd: "text",
  capabilities: object<Record<CapabilitySet, unknown>>({
    bounding: TEXTS,
    effective: TEXTS,
    permitted: TEXTS,
    inheritable: TEXTS,
    ambient: TEXTS,
  }),
  rlimits: list(
    object<ConfigRlimit>({ type: "text", soft: "number", hard: "number" }, [
      "type",
      "soft",
      "hard",
    ]),
  ),
  noNewPrivileges: "boolean",
  apparmorProfile: "text",
  selinuxLabel: "text",
  oomScoreAdj: "number",
  scheduler: object<ConfigScheduler>({
    policy: "text",
    nice: "number",
    priority: "number",
    flags: TEXTS,
    runtime: "number",
    deadline: "number",
    period: "number",
  }, ["policy"]),
  ioPriority: object<{ class: string; priority?: number }>({ class: "text", priority: "number" }, [
    "class",
  ]),
  execCPUAffinity: object<{ initial?: string; final?: string }>({ initial: "text", final: "text" }),
});

const RESOURCES = object<ConfigResources>({
  devices: list(
    object<NonNullable<ConfigResources["devices"]>[number]>({
      allow: "boolean",
      type: "text",
      major: "number",
      minor: "number",
      access: "text",
    }),
  ),
  memory: object<NonNullable<ConfigResources["memory"]>>({
    limit: "number",
    reservation: "number",
    swap: "number",
    kernel: "number",
    kernelTCP: "number",
    swappiness: "number",
    disableOOMKiller: "boolean",
    useHierarchy: "boolean",
    checkBeforeUpdate: "boolean",
  }),
  cpu: object<NonNullable<ConfigResources["cpu"]>>({
    shares: "number",
    quota: "number",
    burst: "number",
    period: "number",
    realtimeRuntime: "number",
    realtimePeriod: "number",
    cpus: "text",
    mems: "text",
    idle: "number",
  }),
  pids: object<{ limit?: number }>({ limit: "number" }),
  blockIO: object<NonNullable<ConfigResources["blockIO"]>>({
    weight: "number",
    leafWeight: "number",
    weightDevice: list(
      object<{ major: number; minor: number; weight?: number; leafWeight?: number }>(
        { major: "number", minor: "number", weight: "number", leafWeight: "number" },
        ["major", "minor"],
      ),
    ),
    throttleReadBpsDevice: RATES,
    throttleWriteBpsDevice: RATES,
    throttleReadIOPSDevice: RATES,
    throttleWriteIOPSDevice: RATES,
  }),
  hugepageLimits: list(
    object<{ pageSize: string; limit: number }>({ pageSize: "text", limit: "number" }, [
      "pageSize",
      "limit",
    ]),
  ),
  network: object<NonNullable<ConfigResources["network"]>>({
    classID: "number",
    priorities: list(
      object<{ name: string; priority: number }>({ name: "text", priority: "number" }, [
        "name",
        "priority",
      ]),
    ),
  }),
  rdma: map(
    object<{ hcaHandles?: number; hcaObjects?: number }>({
      hcaHandles: "number",
      hcaObjects: "number",
    }),
  ),
  unified: map("text"),
});

/** The profile has a schema of its own, by which its values are checked. */
const SECCOMP = object<NonNullable<ConfigLinux["seccomp"]>>({
  defaultAction: "text",
  defaultErrnoRet: "number",
  architectures: TEXTS,
  flags: TEXTS,
  listenerPath: "text",
  listenerMetadata: "text",
  syscalls: list(
    object<SeccompRule>({
      names: TEXTS,
      action: "text",
      errnoRet: "number",
      args: list(
        object<NonNullable<SeccompRule["args"]>[number]>(
          { index: "number", value: "any", valueTwo: "any", op: "text" },
          ["index", "value", "op"],
        ),
      ),
    }, ["names", "action"]),
  ),
}, ["defaultAction"]);

const LINUX = object<ConfigLinux>({
  namespaces: list(
    object<{ type: string; path?: string }>({ type: "text", path: "text" }, ["type"]),
  ),
  uidMappings: ID_MAPPINGS,
  gidMappings: ID_MAPPINGS,
  timeOffsets: map(
    object<{ secs?: number; nanosecs?: number }>({ secs: "number", nanosecs: "number" }),
  ),
  devices: list(
    object<ConfigDevice>({
      path: "text",
      type: "text",
      major: "number",
      minor: "number",
      fileMode: "number",
      uid: "number",
      gid: "number",
    }, ["path", "type"]),
  ),
  cgroupsPath: "text",
  resources: RESOURCES,
  sysctl: map("text"),
  seccomp: SECCOMP,
  rootfsPropagation: "text",
  maskedPaths: TEXTS,
  readonlyPaths: TEXTS,
  mountLabel: "text",
  intelRdt: map("any"),
  personality: object<{ domain?: string; flags?: unknown }>({ domain: "text", flags: TEXTS }),
  memoryPolicy: object<{ mode: string; nodes?: string; flags?: unknown }>(
    { mode: "text", nodes: "text", flags: TEXTS },
    ["mode"],
  ),
  netDevices: map(object<{ name?: string }>({ name: "text" })),
});

const CONFIG = object<Config>({
  ociVersion: "text",
  root: object<NonNullable<Config["root"]>>({ path: "text", readonly: "boolean" }),
  process: PROCESS,
  hostname: "text",
  domainname: "text",
  mounts: list(
    object<ConfigMount>({
      destination: "text",
      type: "text",
      source: "text",
      options: TEXTS,
      uidMappings: ID_MAPPINGS,
      gidMappings: ID_MAPPINGS,
    }, ["destination"]),
  ),
  hooks: object<NonNullable<Config["hooks"]>>({
    prestart: HOOKS,
    createRuntime: HOOKS,
    createContainer: HOOKS,
    startContainer: HOOKS,
    poststart: HOOKS,
    poststop: HOOKS,
  }),
  annotations: map("text"),
  linux: LINUX,
});
