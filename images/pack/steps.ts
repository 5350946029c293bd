/**
 * What each step is in an image. A step that has no line here does not compile.
 *
 * @module
 */

import { posix } from "node:path";
import type { Step, StepOf } from "../../recipe/steps.ts";
import {
  readBind,
  readMkdir,
  readMknod,
  readPrograms,
  readSymlink,
  readWriteFile,
} from "./files.ts";
import type { ImageDraft } from "./draft.ts";

/** Adds what a step says to the image, or says that it is no part of it. */
type Reading<Name extends Step["step"]> = (step: StepOf<Name>, draft: ImageDraft) => void;

/** A step that is about a run, and whoever runs the image says it. */
function ofRun(why: string) {
  return (_step: Step, draft: ImageDraft): void => draft.leaveOut(why);
}

/** A filesystem of the kernel's, which every engine mounts. */
function kernelFilesystem({ target }: { readonly target: string }, draft: ImageDraft): void {
  draft.mount(target, "every engine mounts it", 0o755);
}

const NAMESPACES = "namespaces and ids are of a run, and every engine makes them";
const NETWORK = "the network is of a run: podman run --network, --publish";
const NAME = "the name is of a run: podman run --hostname";
const PRIVILEGES = "what the program may do is of a run: podman run --cap-drop, --security-opt";
const LIMITS = "limits are of a run: podman run --memory, --cpus, --pids-limit, --ulimit";
const HIDDEN = "which files are hidden is of a run: podman run --security-opt=mask=PATH";
const PROCESS = "it is about the process of a run";
const OPTIONS = "it is about what is mounted";

const READINGS: { readonly [Name in Step["step"]]: Reading<Name> } = {
  address: ofRun(NETWORK),
  bind: readBind,
  bounds: ofRun(LIMITS),
  bridge: ofRun(NETWORK),
  capabilities: ofRun(PRIVILEGES),
  chdir: ({ path }, draft) => {
    if (!draft.entered) {
      return draft.leaveOut(`${path} is of this machine, as the root comes later`);
    }
    draft.cwd = posix.resolve(draft.cwd ?? "/", path);
  },
  chroot: (_step, draft) => enter(draft),
  clearEnv: ({ keep = [] }, draft) => {
    if (keep.length > 0) {
      draft.leaveOut(
        "the variables to keep are of a run: podman run --env=NAME; setEnv() has values",
      );
    }
  },
  denyFiles: ofRun(HIDDEN),
  cpuAffinity: ofRun(LIMITS),
  devices: kernelFilesystem,
  dieWithParent: ofRun(PROCESS),
  disableUserNamespaces: ofRun(PRIVILEGES),
  domainname: ofRun(NAME),
  dummy: ofRun(NETWORK),
  hostname: ofRun(NAME),
  init: ofRun("an init is of a run: podman run --init"),
  ioPriority: ofRun(LIMITS),
  join: ofRun(NAMESPACES),
  joinCgroup: ofRun(LIMITS),
  landlock: ofRun(PRIVILEGES),
  limits: ofRun(LIMITS),
  loopback: ofRun(NETWORK),
  macvlan: ofRun(NETWORK),
  mapCurrentUser: ofRun(NAMESPACES),
  mapIds: ofRun(NAMESPACES),
  mapRoot: ofRun(NAMESPACES),
  maskPaths: ofRun(HIDDEN),
  masquerade: ofRun(NETWORK),
  memoryPolicy: ofRun(LIMITS),
  mkdir: readMkdir,
  mknod: readMknod,
  mount: ({ target, type }, draft) =>
    draft.mount(target, `a filesystem of type ${type} is mounted by who runs it`, 0o755),
  moveInterface: ofRun(NETWORK),
  mqueue: kernelFilesystem,
  newSession: ofRun(PROCESS),
  noNewPrivileges: ofRun(PRIVILEGES),
  oomScoreAdj: ofRun(LIMITS),
  overlay: ({ target }, draft) => {
    if (!draft.isRoot(target)) draft.mount(target, "an overlay is mounted when the recipe runs");
  },
  personality: ofRun(PROCESS),
  pivotRoot: (_step, draft) => enter(draft),
  proc: kernelFilesystem,
  programs: readPrograms,
  propagation: ofRun(OPTIONS),
  protect: ofRun(HIDDEN),
  proxy: ofRun(NETWORK),
  publish: ofRun(NETWORK),
  readonlyPaths: ofRun("what cannot be changed is of a run: podman run --read-only, --volume=…:ro"),
  remount: ofRun(OPTIONS),
  rlimit: ofRun(LIMITS),
  root: readRoot,
  route: ofRun(NETWORK),
  scheduler: ofRun(LIMITS),
  seccomp: ofRun(PRIVILEGES),
  setEnv: ({ variables }, draft) => void Object.assign(draft.env, variables),
  setUser: readSetUser,
  symlink: readSymlink,
  sysctl: ofRun("settings of the kernel are of a run: podman run --sysctl"),
  sysfs: kernelFilesystem,
  timeOffset: ofRun(NAMESPACES),
  tmpfs: ({ target, mode = 0o1777 }, draft) => {
    if (draft.isRoot(target)) return;
    draft.mount(target, "what is in it is in memory: podman run --tmpfs", mode);
  },
  umask: ofRun(PROCESS),
  unmount: ({ target }, draft) => {
    draft.unmount(target);
    draft.leaveOut(OPTIONS);
  },
  unshare: ofRun(NAMESPACES),
  userNetwork: ofRun(NETWORK),
  veth: ofRun(NETWORK),
  writeFile: readWriteFile,
};

/** Adds what a step says to the image, or says that it is no part of it. */
export function readStep(step: Step, draft: ImageDraft): void {
  (READINGS[step.step] as Reading<Step["step"]>)(step, draft);
}

function readSetUser(step: StepOf<"setUser">, draft: ImageDraft): void {
  const { uid, gid = uid, groups = [], keepGroups = false, name } = step;
  if (uid === undefined || gid === undefined) {
    draft.user = name;
    draft.owner = undefined;
  } else {
    draft.user = `${uid}:${gid}`;
    draft.owner = { uid, gid };
  }
  if (groups.length > 0 || keepGroups) {
    draft.leaveOut("further groups are those that the image's /etc/group gives the user");
  }
}

function enter(draft: ImageDraft): void {
  draft.entered = true;
  draft.cwd = "/";
}

/** The root is known already; the rest is what is mounted in it. */
function readRoot(
  { volumes = {}, hosts = false, resolvConf = false }: StepOf<"root">,
  draft: ImageDraft,
): void {
  enter(draft);
  for (const path of ["/dev", "/proc", "/sys"]) draft.tree.makeMountPoint(path, 0o755);
  draft.tree.makeMountPoint("/tmp", 0o1777);
  const shown = [
    ...Object.keys(volumes),
    ...(hosts === false ? [] : ["/etc/hosts"]),
    ...(resolvConf ? ["/etc/resolv.conf"] : []),
  ];
  if (shown.length === 0) return;
  draft.leaveOut(`${shown.join(", ")}: what it shows of this machine is of a run: podman run -v`);
}
