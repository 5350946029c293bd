/**
 * The steps that mount and that make files, as volumes and memory of a container of podman.
 *
 * @module
 */

import { DEVICES, LINKS } from "../../oci/config/devices.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import type { BindStep } from "../../recipe/steps/bind.ts";
import type { DevicesStep } from "../../recipe/steps/devices.ts";
import type { MkdirStep, MknodStep, SymlinkStep } from "../../recipe/steps/files.ts";
import type {
  MountStep,
  MqueueStep,
  ProcStep,
  RemountStep,
  SysfsStep,
  TmpfsStep,
} from "../../recipe/steps/mounts.ts";
import type { OverlayStep } from "../../recipe/steps/overlay.ts";
import type { RootStep } from "../../recipe/steps/root_directory.ts";
import { beginRoot } from "../container_draft.ts";
import { isUsualDevice, isUsualMount, KERNEL_FILESYSTEMS } from "../usual.ts";
import type { PodmanDraft } from "./draft.ts";
import { word } from "./unit_text.ts";

const IN_THE_ROOT = "podman makes no files; put it into the directory of the root, or the image";

/** Says `root`. */
export function sayRoot(step: RootStep, draft: PodmanDraft): void {
  const { discard = false, resolvConf = false, hosts, volumes = {} } = step;
  const root = beginRoot(step, draft);
  if (root === undefined) return;
  root.entered = true;
  draft.isDiscarded = discard;
  draft.hasNames = resolvConf;
  if (hosts !== undefined && hosts !== false) {
    draft.hosts = hosts === true ? {} : hosts;
  }
  addMemory({ target: "/tmp", step: "tmpfs" }, "/tmp", draft);
  for (const [target, { source, readOnly = false }] of Object.entries(volumes)) {
    // podman would leave what is mounted below a read-only one to be written to.
    showPath(source, normalize(target), ["nodev", ...(readOnly ? ["ro"] : [])], !readOnly, draft);
  }
}

/** Says `bind`. */
export function sayBind(step: BindStep, draft: PodmanDraft): void {
  const { source, target, readOnly = false, recursive = true } = step;
  const unsaid = unsaidOf(step);
  if (unsaid !== undefined) return draft.refuse(unsaid);
  if (draft.isRoot(target)) return;
  const destination = draft.inside(target);
  const path = draft.source(source);
  if (destination === undefined || path === undefined) return;
  if (DEVICES.some((device) => device.path === path && destination === path)) return;
  if (isDevice(path) && !readOnly) return addDevice(path, destination, draft);
  if (readOnly && recursive) {
    return draft.refuse(
      'podman cannot make what is mounted below read-only: "recursive: false" leaves it out',
    );
  }
  const words = [...(readOnly ? ["ro"] : []), ...(step.restrict ?? ["nodev"])];
  showPath(path, destination, words, recursive, draft);
}

/** Whether a path of /dev is not one of the filesystems that are mounted there. */
function isDevice(path: string): boolean {
  const isFiles = ["hugepages", "mqueue", "pts", "shm"].some((name) =>
    isWithin(path, `/dev/${name}`)
  );
  return isWithin(path, "/dev") && path !== "/dev" && !isFiles;
}

/** Why an option of `bind` cannot be said. */
function unsaidOf({ entries, optional, untrusted, restrict = [] }: BindStep): string | undefined {
  if (entries !== undefined) {
    return '"entries" are looked up when the recipe runs; bind() each file';
  }
  if (optional === true) return '"optional" is nothing of podman: the file has to be there';
  if (untrusted === true) {
    return '"untrusted" keeps links from being followed, which podman cannot say';
  }
  return restrict.includes("nosymfollow") ? 'podman cannot say "nosymfollow"' : undefined;
}

/** Shows a path of the host, with all that podman would otherwise choose by itself. */
function showPath(
  path: string,
  destination: string,
  words: readonly string[],
  recursive: boolean,
  draft: PodmanDraft,
): void {
  if (!path.startsWith("/")) {
    return draft.refuse("podman takes another name for a volume of its own");
  }
  if (`${path}${destination}`.includes(":")) return draft.refuse('podman ends a path at a ":"');
  const opposites = ["dev", "suid", "exec"].map((one) =>
    words.includes(`no${one}`) ? `no${one}` : one
  );
  const options = [
    words.includes("ro") ? "ro" : "rw",
    ...opposites,
    recursive ? "rbind" : "bind",
    recursive ? "rprivate" : "private",
  ];
  if (!draft.noteMount(destination)) return;
  draft.sayPlain("Volume", "volume", `${path}:${destination}:${options.join(",")}`);
}

function addDevice(path: string, destination: string, draft: PodmanDraft): void {
  if (`${path}${destination}`.includes(":")) return draft.refuse('podman ends a path at a ":"');
  draft.say("AddDevice", word(path === destination ? path : `${path}:${destination}`));
}

/** Says `tmpfs`. */
export function sayTmpfs(step: TmpfsStep, draft: PodmanDraft): void {
  if (draft.isRoot(step.target)) return;
  const destination = draft.inside(step.target);
  if (destination !== undefined) addMemory(step, destination, draft);
}

function addMemory(
  { size, mode, options }: TmpfsStep,
  destination: string,
  draft: PodmanDraft,
): void {
  if (destination.includes(":")) return draft.refuse('podman ends a path at a ":"');
  const given = (options ?? "").split(",").filter((one) => one !== "");
  const usual = ["nosuid", "nodev"].filter((one) => !given.includes(one.slice(2)));
  const words = [
    ...(given.includes("ro") ? [] : ["rw"]),
    ...(given.includes("noexec") ? [] : ["exec"]),
    ...new Set([...usual, ...given.filter((one) => one !== "rw" && one !== "exec")]),
    ...(size === undefined ? [] : [`size=${size}`]),
    `mode=${(mode ?? 0o1777).toString(8).padStart(4, "0")}`,
    // podman would copy there what the image has at the path.
    "notmpcopyup",
  ];
  const other = words.find((one) => !KNOWN.test(one));
  if (other !== undefined) return draft.refuse(`podman has no option "${other}" of a tmpfs`);
  if (!draft.noteMount(destination)) return;
  draft.sayPlain("Tmpfs", "tmpfs", `${destination}:${words.join(",")}`);
}

/** The options of a tmpfs that podman passes on. */
const KNOWN = /^(r[ow]|(no)?(suid|dev|exec)|notmpcopyup|(size|mode|nr_inodes|nr_blocks)=[\w%]+)$/;

/** Says `overlay`, of one directory as podman has it. */
export function sayOverlay(step: OverlayStep, draft: PodmanDraft): void {
  const { target, lower, upper, work, discard = false, untrusted = false } = step;
  const paths = [...lower, ...[upper, work].filter((path) => path !== undefined)];
  if (paths.some((path) => /[:,\\]/.test(path))) {
    return draft.refuse("a path with : , or \\ cannot be an option of a mount");
  }
  if (untrusted) return draft.refuse('"untrusted" is nothing that podman can say of an overlay');
  if (lower.length !== 1) return draft.refuse("podman merges one directory with its changes");
  if (!discard && upper === undefined) return draft.refuse("podman lays changes over a directory");
  const [below] = lower as [string];
  if (draft.isRoot(target)) {
    if (upper !== undefined) {
      return draft.refuse("podman discards the changes of a root: { discard: true }");
    }
    draft.root = { ...draft.root!, directory: below };
    draft.isDiscarded = true;
    return;
  }
  const destination = draft.inside(target);
  if (destination === undefined || paths.some((path) => draft.source(path) === undefined)) return;
  const options = upper === undefined ? "O" : `O,upperdir=${upper},workdir=${work}`;
  if (draft.noteMount(destination)) {
    draft.sayPlain("Volume", "volume", `${below}:${destination}:${options}`);
  }
}

/** Says `proc`, `sysfs` and `mqueue`, which podman mounts. */
export function sayKernelFilesystem(
  step: ProcStep | SysfsStep | MqueueStep,
  draft: PodmanDraft,
): void {
  const usual = KERNEL_FILESYSTEMS[step.step];
  const destination = draft.inside(step.target);
  if (destination === undefined) return;
  if (step.step === "proc" && step.outer === true) {
    return draft.refuse('"outer" shows the /proc outside, and podman mounts a new one');
  }
  if (destination !== usual) return draft.refuse(`podman mounts it at ${usual} alone`);
  const options = step.options?.split(",") ?? [];
  const other = options.find((one) => !["nosuid", "nodev", "noexec", "ro", "rw"].includes(one));
  if (other !== undefined) {
    draft.refuse(`podman mounts ${usual} by its own rules, and not "${other}"`);
  }
}

/** Says `devices`: those of podman, and further ones. */
export function sayDevices(step: DevicesStep, draft: PodmanDraft): void {
  const { target, shm, extra = [], gpus = [] } = step;
  const destination = draft.inside(target);
  if (destination === undefined) return;
  if (destination !== "/dev") return draft.refuse("podman makes the devices at /dev alone");
  if (shm !== undefined) {
    if (shm.endsWith("%")) return draft.refuse("podman has the size of /dev/shm in bytes");
    draft.option("shm-size", shm);
  }
  for (const device of extra) {
    const [source, name] = typeof device === "string" ? [device, device] : device;
    addDevice(source, name, draft);
  }
  if (gpus === "all") draft.say("AddDevice", "nvidia.com/gpu=all");
  else for (const number of gpus) draft.say("AddDevice", `nvidia.com/gpu=${number}`);
}

/** Says `mount`: what podman cannot be told to mount, but for the control groups of every container. */
export function sayMount(step: MountStep, draft: PodmanDraft): void {
  if (isUsualMount(step, draft)) return;
  draft.refuse(`podman mounts no ${step.type}; mount it before, and bind() it`);
}

/** Says `remount`. */
export function sayRemount({ target, options }: RemountStep, draft: PodmanDraft): void {
  const path = draft.inside(target);
  if (path === undefined) return;
  if (path !== "/") return draft.refuse("what podman mounts does not change: say it in bind()");
  const words = options.split(",");
  const other = words.find((one) => one !== "ro" && one !== "nodev");
  if (other !== undefined) draft.refuse(`podman cannot say "${other}" of the root`);
  if (words.includes("ro")) draft.root!.readonly = true;
}

/** Says `mkdir`: podman makes what is mounted on. */
export function sayMkdir({ path }: MkdirStep, draft: PodmanDraft): void {
  const inside = draft.inside(path);
  if (inside !== undefined) draft.noteDirectory(inside);
}

/** Says `symlink`. */
export function saySymlink({ target, path }: SymlinkStep, draft: PodmanDraft): void {
  const inside = draft.inside(path);
  if (inside !== undefined && LINKS[inside] !== target) draft.refuse(IN_THE_ROOT);
}

/** Says `mknod`. */
export function sayMknod(step: MknodStep, draft: PodmanDraft): void {
  const inside = draft.inside(step.path);
  if (inside === undefined || isUsualDevice(inside, step)) return;
  draft.refuse("podman makes no devices by numbers; bind() that of the host");
}
