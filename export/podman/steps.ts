/**
 * What each step is in a container of podman. A step that has no line here does not compile.
 *
 * @module
 */

import { quoted } from "../../recipe/shown.ts";
import { numberOf } from "../../recipe/steps/limits.ts";
import type { Step, StepOf } from "../../recipe/steps.ts";
import {
  EVERYWHERE,
  sayChdir,
  sayClearEnv,
  sayDieWithParent,
  sayHostname,
  sayPivotRoot,
  saySetEnv,
} from "../container_draft.ts";
import { limitDirectives } from "../limit_directives.ts";
import { saySeccompOf } from "../seccomp.ts";
import { dotted } from "../sysctl.ts";
import { UNWRITABLE } from "../usual.ts";
import type { DraftMaps, PodmanDraft } from "./draft.ts";
import {
  sayBind,
  sayDevices,
  sayKernelFilesystem,
  sayMkdir,
  sayMknod,
  sayMount,
  sayOverlay,
  sayRemount,
  sayRoot,
  saySymlink,
  sayTmpfs,
} from "./mounts.ts";
import { word } from "./unit_text.ts";

/** Adds what a step says to the draft, or refuses it. */
type Saying<Name extends Step["step"]> = (step: StepOf<Name>, draft: PodmanDraft) => void;

/** A step that podman cannot say. */
function never(why: string) {
  return (_step: Step, draft: PodmanDraft): void => draft.refuse(why);
}

const NETWORK =
  "the network of a container is podman's; leave it out, and set Network= in the unit";
const PORTS = "ports are podman's; leave it out, and set Network= and PublishPort= in the unit";

const SAYINGS: { readonly [Name in Step["step"]]: Saying<Name> } = {
  address: never(NETWORK),
  bind: sayBind,
  // "output" bounds what a script collects, and podman keeps logs by its own rules.
  bounds: ({ pids, timeout }, draft) => {
    const most = pids === undefined ? undefined : numberOf(pids);
    if (most !== undefined) draft.pids = most === Infinity ? undefined : most;
    if (timeout === undefined || timeout === "unlimited") return;
    if (timeout % 1000 !== 0 || timeout === 0) {
      return draft.refuse(`"timeout" of podman is in whole seconds, and not ${timeout} ms`);
    }
    draft.option("timeout", String(timeout / 1000));
  },
  bridge: never(NETWORK),
  capabilities: (step, draft) => draft.identity.limit(step),
  chdir: sayChdir,
  chroot: never(EVERYWHERE.chroot),
  clearEnv: sayClearEnv,
  cpuAffinity: never('processors are the service\'s: limits({ cpuset: "0-3" })'),
  denyFiles: never(EVERYWHERE.found),
  devices: sayDevices,
  dieWithParent: sayDieWithParent,
  disableUserNamespaces: never("podman cannot deny user namespaces; deny unshare(2) by seccomp()"),
  domainname: never("podman sets no NIS domain name; leave it out"),
  dummy: never(NETWORK),
  hostname: sayHostname,
  init: (_step, draft) => draft.say("RunInit", "true"),
  ioPriority: never(
    "podman has no priority of input and output; leave it out",
  ),
  join: sayJoin,
  joinCgroup: never("the control group of a service is systemd's; Slice= chooses where it is"),
  landlock: never("podman knows nothing of Landlock; what is not mounted is out of reach too"),
  limits: (step, draft) => {
    const said = limitDirectives(step);
    if (typeof said === "string") draft.refuse(said);
    else draft.service.push(...said);
  },
  loopback: (_step, draft) => draft.needs("net"),
  macvlan: never(NETWORK),
  mapCurrentUser: (_step, draft) => {
    const { uid, gid } = draft.caller;
    setMaps(single(uid, gid), draft);
  },
  mapIds: (step, draft) => {
    const { caller } = draft;
    if (caller.uid === 0) return setMaps(step, draft);
    // Who is no root gives ids of a namespace that podman makes, in which 0 is the user.
    const own = (ranges: DraftMaps["uids"], id: number) =>
      ranges.length === 1 && ranges[0]!.outside === id && ranges[0]!.count === 1
        ? [{ ...ranges[0]!, outside: 0 }]
        : undefined;
    const uids = own(step.uids, caller.uid), gids = own(step.gids, caller.gid);
    if (uids !== undefined && gids !== undefined) return setMaps({ uids, gids }, draft);
    draft.refuse("podman of an ordinary user has its own ids outside: mapRoot(), mapCurrentUser()");
  },
  mapRoot: (_step, draft) => setMaps(single(0, 0), draft),
  maskPaths: ({ paths }, draft) => {
    for (const path of paths) {
      const inside = draft.inside(path);
      if (inside?.includes(":")) draft.refuse('podman ends a path at a ":"');
      else if (inside !== undefined) draft.hidden.push(inside);
    }
  },
  masquerade: never(NETWORK),
  memoryPolicy: never("podman has no policy of memory nodes; leave it out"),
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
  personality: never("podman has no option of the personality; leave it out"),
  pivotRoot: sayPivotRoot,
  proc: sayKernelFilesystem,
  programs: never(EVERYWHERE.programs),
  propagation: ({ target, type }, draft) => {
    if (draft.inside(target) === undefined || type === "private") return;
    draft.refuse(`the mounts of podman are private, and not ${type}`);
  },
  protect: never(EVERYWHERE.found),
  proxy: never("the script is the proxy, and podman has none"),
  publish: never(PORTS),
  readonlyPaths: ({ paths }, draft) => {
    for (const path of paths) {
      const inside = draft.inside(path);
      if (inside === undefined || UNWRITABLE.has(inside)) continue;
      draft.refuse(`podman protects ${[...UNWRITABLE].join(", ")} by itself, and not ${inside}`);
    }
  },
  remount: sayRemount,
  rlimit: ({ resource, soft, hard }, draft) => {
    const [least, most] = [soft, hard].map((value) => value === "unlimited" ? "-1" : value);
    if (!ULIMITS.has(resource)) return draft.refuse(`podman has no limit of ${resource}`);
    draft.option("ulimit", `${resource}=${least}:${most}`);
  },
  root: sayRoot,
  route: never(NETWORK),
  scheduler: never("podman has no option of the scheduling; leave it out"),
  seccomp: (step, draft) => {
    if (draft.filter !== undefined) return draft.refuse("podman has one filter");
    draft.filter = saySeccompOf(step, draft);
    if (step.privileged !== true) draft.noNewPrivileges = true;
  },
  setEnv: saySetEnv,
  setUser: (step, draft) => {
    if (step.keepGroups === true && draft.maps === undefined) {
      draft.refuse('podman does not leave the groups of its caller; name them by "groups"');
    }
    const { uid, name } = step;
    if (uid === undefined) {
      return draft.refuse(`a unit has ids, and ${quoted(name!)} is a name; write "uid" and "gid"`);
    }
    draft.identity.setUser({ ...step, uid });
    draft.noteUser();
  },
  symlink: saySymlink,
  sysctl: ({ settings }, draft) => {
    for (const [key, value] of Object.entries(settings)) {
      draft.say("Sysctl", word(`${dotted(key)}=${value}`));
    }
  },
  sysfs: sayKernelFilesystem,
  timeOffset: never("podman makes no time namespace"),
  tmpfs: sayTmpfs,
  umask: ({ mask }, draft) => {
    draft.umask = mask;
  },
  unmount: never(EVERYWHERE.unmount),
  unshare: sayUnshare,
  userNetwork: ({ program = "pasta" }, draft) => {
    draft.needs("net");
    draft.network = program;
  },
  veth: never(NETWORK),
  writeFile: never("podman makes no files; put it into the directory of the root, or the image"),
};

/** What podman can limit, by the names of prlimit(1). */
const ULIMITS: ReadonlySet<string> = new Set([
  ...["core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc"],
  ...["rss", "rtprio", "rttime", "sigpending", "stack"],
]);

/** Adds what a step says to the draft, or refuses it. */
export function sayStep(step: Step, draft: PodmanDraft): void {
  (SAYINGS[step.step] as Saying<Step["step"]>)(step, draft);
}

function single(uid: number, gid: number): DraftMaps {
  return {
    uids: [{ inside: uid, outside: 0, count: 1 }],
    gids: [{ inside: gid, outside: 0, count: 1 }],
  };
}

function setMaps(maps: DraftMaps, draft: PodmanDraft): void {
  draft.needs("user");
  if (draft.maps !== undefined) return draft.refuse("the id maps are set already");
  draft.maps = { uids: maps.uids, gids: maps.gids };
  draft.identity.uid = insideOf(maps.uids);
  draft.identity.gid = insideOf(maps.gids);
}

/** Who the caller is inside: where that is not mapped, root or the first that is. */
function insideOf(ranges: DraftMaps["uids"]): number {
  const own = ranges.find(({ outside }) => outside === 0);
  if (own !== undefined) return own.inside;
  return ranges.some(({ inside }) => inside === 0) ? 0 : ranges[0]!.inside;
}

function sayUnshare(
  { kinds, propagation = "private" }: StepOf<"unshare">,
  draft: PodmanDraft,
): void {
  const again = kinds.find((kind) => draft.namespaces.has(kind));
  if (again !== undefined) {
    const way = again === "user" ? "; limit rights by capabilities()" : "";
    return draft.refuse(`podman has one namespace of each kind, and "${again}" twice${way}`);
  }
  if (kinds.includes("time")) draft.refuse('podman makes no time namespace: leave "time" out');
  if (kinds.includes("mount") && propagation !== "private") {
    draft.refuse(`the mounts of podman are private, and not ${propagation}`);
  }
  for (const kind of kinds) draft.namespaces.set(kind, undefined);
}

function sayJoin({ target, kinds: [kind] = [] }: StepOf<"join">, draft: PodmanDraft): void {
  if (typeof target !== "string" || kind === undefined) {
    return draft.refuse("podman names namespaces by files: join(path, kind), as /run/netns/blue");
  }
  if (kind === "mount" || kind === "user" || kind === "time") {
    return draft.refuse(`the ${kind} namespace of a container of podman is its own, or the host's`);
  }
  if (draft.namespaces.has(kind)) draft.refuse(`"${kind}" is there already`);
  draft.namespaces.set(kind, target);
}
