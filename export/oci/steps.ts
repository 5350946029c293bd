/**
 * What each step is in config.json. A step that has no line here does not compile.
 *
 * @module
 */

import {
  DOMAINS,
  IO_CLASSES,
  MEMORY_FLAGS,
  MEMORY_MODES,
  SCHEDULER_FLAGS,
  SCHEDULER_POLICIES,
} from "../../oci/config/scheduling.ts";
import type { NamespaceKind } from "../../recipe/namespaces.ts";
import { quoted } from "../../recipe/shown.ts";
import type { Step, StepOf } from "../../recipe/steps.ts";
import type { MapIdsStep } from "../../recipe/steps/id_maps.ts";
import type { JoinStep } from "../../recipe/steps/join.ts";
import { numberOf } from "../../recipe/steps/limits.ts";
import type { UnshareStep } from "../../recipe/steps/unshare.ts";
import {
  EVERYWHERE,
  sayChdir,
  sayClearEnv,
  sayDieWithParent,
  sayHostname,
  sayPivotRoot,
  saySetEnv,
} from "../container_draft.ts";
import type { ConfigDraft } from "./draft.ts";
import { sayMkdir, sayMknod, saySymlink, sayWriteFile } from "./files.ts";
import {
  mappingOf,
  sayBind,
  sayDevices,
  sayKernelFilesystem,
  sayMount,
  sayOverlay,
  sayPropagation,
  sayRemount,
  sayTmpfs,
} from "./mounts.ts";
import { dotted } from "../sysctl.ts";
import { resourcesOf } from "./resources.ts";
import { sayRoot } from "./root.ts";
import { saySeccomp } from "./seccomp.ts";

/** Adds what a step says to the draft, or refuses it. */
type Saying<Name extends Step["step"]> = (step: StepOf<Name>, draft: ConfigDraft) => void;

/** A step that config.json cannot say. */
function never(why: string) {
  return (_step: Step, draft: ConfigDraft): void => draft.refuse(why);
}

const NETWORK = "the network of a container is the engine's, which config.json does not describe";
const TRANSLATION = "ports and addresses are translated by the engine: podman run --publish";

const SAYINGS: { readonly [Name in Step["step"]]: Saying<Name> } = {
  address: never(NETWORK),
  bind: sayBind,
  // "output" bounds what a script collects, and an engine collects nothing.
  bounds: ({ pids, timeout }, draft) => {
    if (timeout !== undefined && timeout !== "unlimited") {
      draft.refuse('no runtime ends a program after a time: leave "timeout" to timeout(1)');
    }
    if (pids !== undefined && draft.resources?.pids === undefined) {
      const limit = numberOf(pids);
      draft.resources = { ...draft.resources, pids: { limit: limit === Infinity ? -1 : limit } };
    }
  },
  bridge: never(NETWORK),
  capabilities: (step, draft) => draft.identity.limit(step),
  chdir: sayChdir,
  chroot: never(EVERYWHERE.chroot),
  clearEnv: sayClearEnv,
  cpuAffinity: never(
    'the processors of a container are its control group\'s: limits({ cpuset: "0-3" })',
  ),
  denyFiles: never(EVERYWHERE.found),
  devices: sayDevices,
  dieWithParent: sayDieWithParent,
  disableUserNamespaces: never(
    "config.json cannot deny user namespaces; deny unshare(2) by seccomp()",
  ),
  domainname: ({ name }, draft) => {
    draft.needs("uts");
    draft.domainname = name;
  },
  dummy: never(NETWORK),
  hostname: sayHostname,
  init: never("the program itself is the first process; podman run --init adds one"),
  ioPriority: (step, draft) => {
    draft.ioPriority = { class: IO_CLASSES[step.class], priority: step.priority };
  },
  join: sayJoin,
  joinCgroup: never(
    "the control group of a container is the engine's; limits() says how much it has",
  ),
  landlock: never("config.json knows nothing of Landlock; what is not mounted is out of reach too"),
  limits: (step, draft) => {
    draft.resources = { ...draft.resources, ...resourcesOf(step, (why) => draft.refuse(why)) };
  },
  // Every runtime brings it up.
  loopback: (_step, draft) => draft.needs("net"),
  macvlan: never(NETWORK),
  mapCurrentUser: ({ dropGroups }, draft) => {
    const { uid, gid } = draft.caller;
    // A map of one group denies setgroups(2), but for root.
    if (dropGroups === true && uid !== 0) {
      draft.refuse("which groups /etc/subgid grants is the machine's; mapIds() with one of them");
    }
    mapOne(uid, gid, draft);
  },
  mapIds: sayMapIds,
  mapRoot: (_step, draft) => mapOne(0, 0, draft),
  maskPaths: ({ paths }, draft) => protect(paths, draft.masked, draft),
  masquerade: never(TRANSLATION),
  memoryPolicy: ({ mode, nodes, flags }, draft) => {
    draft.memoryPolicy = {
      mode: MEMORY_MODES[mode],
      ...(nodes !== undefined && { nodes }),
      ...(flags !== undefined && { flags: flags.map((flag) => MEMORY_FLAGS[flag]) }),
    };
  },
  mkdir: sayMkdir,
  mknod: sayMknod,
  mount: sayMount,
  moveInterface: never(NETWORK),
  mqueue: sayKernelFilesystem,
  // Every runtime gives a program a session of its own.
  newSession: () => {},
  noNewPrivileges: (_step, draft) => {
    draft.noNewPrivileges = true;
  },
  oomScoreAdj: ({ value }, draft) => {
    draft.oomScoreAdj = value;
  },
  overlay: sayOverlay,
  // The specification names no flags, and most runtimes take none.
  personality: ({ domain, flags = [] }, draft) => {
    if (flags.length > 0) draft.refuse("runtimes take no flags of a personality");
    draft.personality = { domain: DOMAINS[domain] };
  },
  pivotRoot: sayPivotRoot,
  proc: sayKernelFilesystem,
  programs: never(EVERYWHERE.programs),
  propagation: sayPropagation,
  protect: never(EVERYWHERE.found),
  proxy: never("the script is the proxy, and a runtime has none"),
  publish: never(TRANSLATION),
  readonlyPaths: ({ paths }, draft) => protect(paths, draft.readonlyPaths, draft),
  remount: sayRemount,
  rlimit: ({ resource, soft, hard }, draft) => {
    const type = `RLIMIT_${resource.toUpperCase()}`;
    const limit = { type, soft: limitNumber(soft), hard: limitNumber(hard) };
    draft.rlimits = [...draft.rlimits.filter((other) => other.type !== type), limit];
  },
  root: sayRoot,
  route: never(NETWORK),
  scheduler: ({ step: _, policy, flags, utilMin, utilMax, ...numbers }, draft) => {
    if (utilMin !== undefined || utilMax !== undefined) {
      draft.refuse('config.json has no values for "utilMin" and "utilMax"');
    }
    draft.scheduler = {
      policy: SCHEDULER_POLICIES[policy],
      ...(flags !== undefined && { flags: flags.map((flag) => SCHEDULER_FLAGS[flag]) }),
      ...numbers,
    };
  },
  seccomp: saySeccomp,
  setEnv: saySetEnv,
  setUser: (step, draft) => {
    const isDenied = draft.namespaces.has("user") && isSingle(draft);
    if (step.keepGroups === true && !isDenied) {
      draft.refuse('runtimes do not leave the groups of their caller; name them by "groups"');
    }
    const { uid, name } = step;
    if (uid !== undefined) return draft.identity.setUser({ ...step, uid });
    draft.refuse(`config.json has ids, and ${quoted(name!)} is a name; write "uid" and "gid"`);
  },
  symlink: saySymlink,
  sysctl: ({ settings }, draft) => {
    for (const [name, value] of Object.entries(settings)) {
      draft.sysctl[dotted(name)] = String(value);
    }
  },
  sysfs: sayKernelFilesystem,
  timeOffset: ({ monotonic, boottime }, draft) => {
    draft.needs("time");
    draft.timeOffsets = {
      ...(monotonic !== undefined && { monotonic: clock(monotonic) }),
      ...(boottime !== undefined && { boottime: clock(boottime) }),
    };
  },
  tmpfs: sayTmpfs,
  umask: ({ mask }, draft) => {
    draft.umask = mask;
  },
  unmount: never(EVERYWHERE.unmount),
  unshare: sayUnshare,
  userNetwork: never("the network is the engine's: podman run --network=pasta"),
  veth: never(NETWORK),
  writeFile: sayWriteFile,
};

/** Adds what a step says to the draft, or refuses it. */
export function sayStep(step: Step, draft: ConfigDraft): void {
  (SAYINGS[step.step] as Saying<Step["step"]>)(step, draft);
}

function sayUnshare({ kinds, propagation = "private" }: UnshareStep, draft: ConfigDraft): void {
  const again = kinds.find((kind) => draft.namespaces.has(kind));
  if (again !== undefined) {
    const way = again === "user" ? "; limit rights by capabilities()" : "";
    return draft.refuse(`config.json has one namespace of each kind, and "${again}" twice${way}`);
  }
  const late = kinds.includes("user") &&
    [...draft.namespaces].some(([, path]) => path === undefined);
  if (late) draft.refuse("runtimes make the user namespace first: move it to the first unshare()");
  for (const kind of kinds) draft.namespaces.set(kind, undefined);
  if (kinds.includes("mount")) draft.propagation = `r${propagation}`;
}

function sayJoin(step: JoinStep, draft: ConfigDraft): void {
  const { target, kinds: [kind] = [], credentials = "keep" } = step;
  if (typeof target !== "string" || kind === undefined) {
    return draft.refuse(
      "config.json names namespaces by files: join(path, kind), such as /run/netns/blue",
    );
  }
  if (credentials !== "keep") draft.refuse('"credentials" stay as they are: give "keep"');
  if (kind === "mount" || kind === "user") {
    return draft.refuse(`the ${kind} namespace of a container has to be its own: unshare()`);
  }
  if (draft.namespaces.has(kind)) draft.refuse(`"${kind}" is there already`);
  draft.namespaces.set(kind satisfies NamespaceKind, target);
}

function mapOne(uid: number, gid: number, draft: ConfigDraft): void {
  const { caller } = draft;
  setMaps(
    {
      uids: [{ inside: uid, outside: caller.uid, count: 1 }],
      gids: [{ inside: gid, outside: caller.gid, count: 1 }],
    },
    draft,
  );
}

function sayMapIds(step: MapIdsStep, draft: ConfigDraft): void {
  setMaps(step, draft);
  if (step.setgroups !== "deny" || isSingle(draft)) return;
  draft.refuse('config.json has no "setgroups"; runtimes deny it where they have to');
}

function setMaps({ uids, gids }: Pick<MapIdsStep, "uids" | "gids">, draft: ConfigDraft): void {
  draft.needs("user");
  if (draft.uidMappings !== undefined) return draft.refuse("the id maps are set already");
  draft.uidMappings = uids.map(mappingOf);
  draft.gidMappings = gids.map(mappingOf);
  const { caller, identity } = draft;
  identity.uid = insideOf(uids, caller.uid);
  identity.gid = insideOf(gids, caller.gid);
}

/** Who an id is inside: one that is not mapped becomes root, or the first that is. */
function insideOf(ranges: MapIdsStep["uids"], id: number): number {
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  if (range !== undefined) return range.inside + id - range.outside;
  return ranges.some(({ inside }) => inside === 0) ? 0 : ranges[0]!.inside;
}

/** Whether only one user and one group are mapped: groups cannot be set then, but by root. */
function isSingle({ uidMappings, gidMappings }: ConfigDraft): boolean {
  return [uidMappings, gidMappings].every((map) => map?.length === 1 && map[0]!.size === 1);
}

function protect(paths: readonly string[], list: string[], draft: ConfigDraft): void {
  for (const path of paths) {
    const inside = draft.inside(path);
    if (inside !== undefined) list.push(inside);
  }
}

/** RLIM_INFINITY is one less than this, which configText() knows. */
function limitNumber(value: number | "unlimited"): number {
  return value === "unlimited" ? 2 ** 64 : value;
}

function clock(seconds: number): { secs: number; nanosecs: number } {
  const secs = Math.floor(seconds);
  return { secs, nanosecs: Math.round((seconds - secs) * 1e9) };
}
