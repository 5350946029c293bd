/**
 * What each step is in a pod. A step that has no line here does not compile.
 *
 * @module
 */

import { quoted } from "../../recipe/shown.ts";
import type { Step, StepOf } from "../../recipe/steps.ts";
import {
  EVERYWHERE,
  sayChdir,
  sayClearEnv,
  sayDieWithParent,
  sayPivotRoot,
  saySetEnv,
} from "../container_draft.ts";
import { saySeccompOf } from "../seccomp.ts";
import { dotted } from "../sysctl.ts";
import { HIDDEN, UNWRITABLE } from "../usual.ts";
import type { PodDraft } from "./draft.ts";
import { sayLimits } from "./limits.ts";
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

/** Adds what a step says to the draft, or refuses it. */
type Saying<Name extends Step["step"]> = (step: StepOf<Name>, draft: PodDraft) => void;

/** A step that a pod cannot say. */
function never(why: string) {
  return (_step: Step, draft: PodDraft): void => draft.refuse(why);
}

const NETWORK = "a pod has the network of its cluster; leave it out";
const PORTS = "ports of a pod are reached by a Service; leave it out";

const SAYINGS: { readonly [Name in Step["step"]]: Saying<Name> } = {
  address: never(NETWORK),
  bind: sayBind,
  // "output" bounds what a script collects, and a kubelet keeps logs by its own rules.
  bounds: ({ pids, timeout }, draft) => {
    if (pids !== undefined && pids !== "unlimited") {
      draft.refuse('"pids" of every pod are limited by its kubelet: podPidsLimit');
    }
    if (timeout === undefined || timeout === "unlimited") return;
    if (timeout % 1000 !== 0 || timeout === 0) {
      return draft.refuse(`"timeout" of a pod is in whole seconds, and not ${timeout} ms`);
    }
    draft.seconds = timeout / 1000;
  },
  bridge: never(NETWORK),
  capabilities: (step, draft) => draft.identity.limit(step),
  chdir: sayChdir,
  chroot: never(EVERYWHERE.chroot),
  clearEnv: sayClearEnv,
  cpuAffinity: never("the kubelet decides over processors (cpuManagerPolicy); leave it out"),
  denyFiles: never(EVERYWHERE.found),
  devices: sayDevices,
  dieWithParent: sayDieWithParent,
  disableUserNamespaces: never("a pod cannot deny user namespaces; deny unshare(2) by seccomp()"),
  domainname: never("a pod has no NIS domain name; leave it out"),
  dummy: never(NETWORK),
  hostname: ({ name }, draft) => {
    draft.needs("uts");
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
      draft.refuse(
        `"${name}" cannot be the name of a pod's host: a-z, 0-9 and - within, 63 at most`,
      );
    }
    draft.hostname = name;
  },
  // The pause container is the first process then, and reaps.
  init: (_step, draft) => {
    draft.hasInit = true;
  },
  ioPriority: never("a pod has no priority of its input and output"),
  join: never("a pod joins no namespace by its file"),
  joinCgroup: never("the control group of a pod is its kubelet's; limits() says how much it has"),
  landlock: never("a pod knows nothing of Landlock; what is not mounted is out of reach too"),
  limits: sayLimits,
  loopback: (_step, draft) => draft.needs("net"),
  macvlan: never(NETWORK),
  mapCurrentUser: never("a pod has no current user: mapRoot(), and setUser() for another one"),
  mapIds: never("the kubelet chooses the ids outside: mapRoot(), and setUser() for another user"),
  mapRoot: (_step, draft) => {
    draft.needs("user");
    draft.isMapped = true;
  },
  maskPaths: ({ paths }, draft) => protect(paths, HIDDEN, "hides", draft),
  masquerade: never(NETWORK),
  memoryPolicy: never("the kubelet decides over memory nodes (memoryManagerPolicy)"),
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
  oomScoreAdj: never("the kubelet gives a pod its score, by its limits; leave it out"),
  overlay: sayOverlay,
  personality: never("a pod has the personality of its node"),
  pivotRoot: sayPivotRoot,
  proc: sayKernelFilesystem,
  programs: never(EVERYWHERE.programs),
  propagation: ({ target, type }, draft) => {
    if (draft.inside(target) === undefined || type === "private") return;
    draft.refuse(`the mounts of a pod are private, and not ${type}`);
  },
  protect: never(EVERYWHERE.found),
  proxy: never("the script is the proxy, and a pod has none; a NetworkPolicy names addresses"),
  publish: never(PORTS),
  readonlyPaths: ({ paths }, draft) => protect(paths, UNWRITABLE, "protects", draft),
  remount: sayRemount,
  rlimit: never("the limits of a pod's processes are its runtime's; leave it out"),
  root: sayRoot,
  route: never(NETWORK),
  scheduler: never("a pod has the scheduling of its runtime, and priorityClassName says who waits"),
  seccomp: (step, draft) => {
    if (draft.filter !== undefined) return draft.refuse("a pod has one filter");
    const { profile, allow, deny, architectures, privileged = false } = step;
    const isDefault = [profile, allow, deny, architectures].every((given) => given === undefined);
    draft.filter = isDefault ? "RuntimeDefault" : saySeccompOf(step, draft);
    if (!privileged) draft.noNewPrivileges = true;
  },
  setEnv: (step, draft) => {
    const wrong = Object.keys(step.variables).find((name) => !/^[\w.-]+$/.test(name));
    if (wrong !== undefined) draft.refuse(`"${wrong}" cannot be the name of a pod's variable`);
    saySetEnv(step, draft);
  },
  setUser: (step, draft) => {
    if (step.keepGroups === true && !draft.namespaces.has("user")) {
      draft.refuse('a pod has no groups of a caller; name them by "groups"');
    }
    const { uid, name } = step;
    if (uid !== undefined) return draft.identity.setUser({ ...step, uid });
    draft.refuse(`a pod has ids, and ${quoted(name!)} is a name; write "uid" and "gid"`);
  },
  symlink: saySymlink,
  sysctl: ({ settings }, draft) => {
    for (const [key, value] of Object.entries(settings)) {
      const name = dotted(key);
      // What the kubelet knows to be of a namespace.
      if (!/^(net\.|kernel\.(shm|msg)|kernel\.sem$|fs\.mqueue\.)/.test(name)) {
        draft.refuse(
          `a kubelet sets net.*, kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, not ${name}`,
        );
      }
      draft.sysctls.set(name, String(value));
    }
  },
  sysfs: sayKernelFilesystem,
  timeOffset: never("a pod has the clocks of its node"),
  tmpfs: sayTmpfs,
  umask: ({ mask }, draft) => {
    if (mask !== 0o022) draft.refuse("the umask of a pod is 022; leave it out");
  },
  unmount: never(EVERYWHERE.unmount),
  unshare: sayUnshare,
  userNetwork: (_step, draft) => {
    draft.needs("net");
    draft.reachesOut = true;
  },
  veth: never(NETWORK),
  writeFile: never("a pod makes no files; put it into the image, or mount a ConfigMap"),
};

/** Adds what a step says to the draft, or refuses it. */
export function sayStep(step: Step, draft: PodDraft): void {
  (SAYINGS[step.step] as Saying<Step["step"]>)(step, draft);
}

function sayUnshare({ kinds, propagation = "private" }: StepOf<"unshare">, draft: PodDraft): void {
  const again = kinds.find((kind) => draft.namespaces.has(kind));
  if (again !== undefined) {
    const way = again === "user" ? "; limit rights by capabilities()" : "";
    return draft.refuse(`a pod has one namespace of each kind, and "${again}" twice${way}`);
  }
  if (kinds.includes("time")) draft.refuse('a pod has the clocks of its node: leave "time" out');
  if (kinds.includes("mount") && propagation !== "private") {
    draft.refuse(`the mounts of a pod are private, and not ${propagation}`);
  }
  for (const kind of kinds) draft.namespaces.set(kind, undefined);
}

/** Says what every runtime does to some paths, and refuses others. */
function protect(
  paths: readonly string[],
  usual: ReadonlySet<string>,
  verb: string,
  draft: PodDraft,
): void {
  for (const path of paths) {
    const inside = draft.inside(path);
    if (inside !== undefined && !usual.has(inside)) {
      draft.refuse(`a runtime ${verb} ${[...usual].join(", ")} by itself, and not ${inside}`);
    }
  }
}
