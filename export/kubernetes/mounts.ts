/**
 * The steps that mount and that make files, as volumes of a pod and what every runtime mounts.
 *
 * @module
 */

import { DEVICES, LINKS } from "../../oci/config/devices.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import type { BindStep } from "../../recipe/steps/bind.ts";
import type { DevicesStep } from "../../recipe/steps/devices.ts";
import type { MkdirStep, MknodStep, SymlinkStep } from "../../recipe/steps/files.ts";
import { bytesOf } from "../../recipe/steps/limits.ts";
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
import type { PodDraft } from "./draft.ts";
import { quantity } from "./limits.ts";

const IN_THE_IMAGE = "a pod makes no files; put it into the image";

/** Says `root`, whose files are those of the image. */
export function sayRoot(step: RootStep, draft: PodDraft): void {
  const { discard = false, resolvConf = false, hosts, volumes = {} } = step;
  const root = beginRoot(step, draft);
  if (root === undefined) return;
  if (!discard) draft.noteLasting("root(…, { discard: true }), or readOnly");
  if (resolvConf) draft.hasNodeNames = true;
  if (hosts === true) {
    draft.refuse('"hosts" of the node are not those of a pod; name them: { db: "10.0.0.2" }');
  } else if (typeof hosts === "object") {
    draft.hostAliases = Object.entries(hosts).map(([name, ip]) => ({ ip, hostnames: [name] }));
  }
  root.entered = true;
  draft.addMemory("/tmp", undefined);
  for (const [target, { source, readOnly: isReadOnly = false }] of Object.entries(volumes)) {
    draft.showHostPath(source, normalize(target), isReadOnly);
  }
}

/** Says `bind`. */
export function sayBind(step: BindStep, draft: PodDraft): void {
  const { source, target, readOnly = false, recursive = true } = step;
  const unsaid = unsaidOf(step);
  if (unsaid !== undefined) return draft.refuse(unsaid);
  if (draft.isRoot(target)) {
    return draft.noteLasting("bind(…, { readOnly: true })");
  }
  const destination = draft.inside(target);
  const path = draft.source(source);
  if (destination === undefined || path === undefined) return;
  if (!path.startsWith("/")) return draft.refuse("a path of the node begins with /");
  if (DEVICES.some((device) => device.path === path && destination === path)) return;
  if (isWithin(path, "/dev")) {
    return draft.refuse("devices of the node are given by a device plugin, in resources.limits");
  }
  if (!recursive) {
    return draft.refuse('a pod shows what is mounted below, too: leave out "recursive: false"');
  }
  if (path.includes("..")) return draft.refuse('a path of the node has no ".." in it');
  draft.showHostPath(path, destination, readOnly);
}

/** Why an option of `bind` cannot be said. Devices cannot be opened in any pod, as of `nodev`. */
function unsaidOf({ entries, optional, untrusted, restrict }: BindStep): string | undefined {
  if (entries !== undefined) {
    return '"entries" are looked up when the recipe runs; bind() each file';
  }
  if (optional === true) return '"optional" is nothing of a pod: the file has to be there';
  if (untrusted === true) {
    return '"untrusted" keeps links from being followed, which a pod cannot say';
  }
  if (restrict === undefined) return undefined;
  const other = restrict.find((word) => word !== "nodev");
  if (other !== undefined) return `a pod cannot say "${other}" of what it shows of its node`;
  return restrict.includes("nodev") ? undefined : 'a pod opens no devices of its node: ["nodev"]';
}

/** Says `tmpfs`. */
export function sayTmpfs({ target, size, mode, options }: TmpfsStep, draft: PodDraft): void {
  if (draft.isRoot(target)) return;
  const destination = draft.inside(target);
  if (destination === undefined) return;
  const bytes = size === undefined ? undefined : bytesOf(size);
  if (size !== undefined && bytes === undefined) {
    return draft.refuse(`an emptyDir has its size in bytes, and not ${size}`);
  }
  if (mode !== undefined && mode !== 0o1777 && mode !== 0o777) {
    return draft.refuse(`all may write to an emptyDir, and not as of ${mode.toString(8)}`);
  }
  const word = options?.split(",").find((word) => !["", "nosuid", "nodev", "rw"].includes(word));
  if (word !== undefined) return draft.refuse(`an emptyDir has no options, and not "${word}"`);
  draft.addMemory(destination, bytes === undefined ? undefined : quantity(bytes));
}

/** Says `overlay`, where that is the root: the layers of the image. */
export function sayOverlay({ target, discard = false, upper }: OverlayStep, draft: PodDraft): void {
  if (!draft.isRoot(target)) {
    return draft.refuse("a pod merges no directories; put the files into the image");
  }
  if (upper !== undefined) draft.noteLasting("overlay(…, { discard: true })");
  else if (!discard) draft.root!.readonly = true;
}

/** Says `proc`, `sysfs` and `mqueue`, which every runtime mounts. */
export function sayKernelFilesystem(
  step: ProcStep | SysfsStep | MqueueStep,
  draft: PodDraft,
): void {
  const usual = KERNEL_FILESYSTEMS[step.step];
  const destination = draft.inside(step.target);
  if (destination === undefined) return;
  if (step.step === "proc" && step.outer === true) {
    return draft.refuse('"outer" shows the /proc outside, and runtimes mount a new one');
  }
  if (destination !== usual) return draft.refuse(`a runtime mounts it at ${usual} alone`);
  const options = step.options?.split(",") ?? [];
  const word = options.find((word) => !["nosuid", "nodev", "noexec", "ro", "rw"].includes(word));
  if (word !== undefined) {
    draft.refuse(`a runtime mounts ${usual} by its own rules, and not "${word}"`);
  }
}

/** Says `devices`: those of every runtime. */
export function sayDevices(step: DevicesStep, draft: PodDraft): void {
  const { target, shm, extra = [], gpus = [] } = step;
  const destination = draft.inside(target);
  if (destination === undefined) return;
  if (destination !== "/dev") return draft.refuse("runtimes make the devices at /dev alone");
  if (extra.length > 0) draft.refuse('"extra" are given by a device plugin, in resources.limits');
  if (gpus.length > 0) {
    draft.refuse('"gpus" are given by a device plugin: resources.limits "nvidia.com/gpu"');
  }
  if (shm === undefined || bytesOf(shm) === 64 * 2 ** 20) return;
  const bytes = bytesOf(shm);
  if (bytes === undefined) return draft.refuse(`an emptyDir has its size in bytes, and not ${shm}`);
  draft.addMemory("/dev/shm", quantity(bytes));
}

/** Says `mount`: what the node cannot be told to mount, but for the control groups of every pod. */
export function sayMount(step: MountStep, draft: PodDraft): void {
  if (isUsualMount(step, draft)) return;
  draft.refuse(`a pod mounts no ${step.type}; a PersistentVolume may`);
}

/** Says `remount`. */
export function sayRemount({ target, options }: RemountStep, draft: PodDraft): void {
  const path = draft.inside(target);
  if (path === undefined) return;
  if (path !== "/") {
    return draft.refuse("what a pod mounts does not change: bind(…, { readOnly: true })");
  }
  const words = options.split(",");
  const other = words.find((word) => word !== "ro" && word !== "nodev");
  if (other !== undefined) draft.refuse(`a pod cannot say "${other}" of its root`);
  if (words.includes("ro")) draft.root!.readonly = true;
}

/** Says `mkdir`: runtimes make what is mounted on. */
export function sayMkdir({ path }: MkdirStep, draft: PodDraft): void {
  const inside = draft.inside(path);
  if (inside !== undefined) draft.noteDirectory(inside);
}

/** Says `symlink`. */
export function saySymlink({ target, path }: SymlinkStep, draft: PodDraft): void {
  const inside = draft.inside(path);
  if (inside !== undefined && LINKS[inside] !== target) draft.refuse(IN_THE_IMAGE);
}

/** Says `mknod`. */
export function sayMknod(step: MknodStep, draft: PodDraft): void {
  const inside = draft.inside(step.path);
  if (inside === undefined || isUsualDevice(inside, step)) return;
  draft.refuse("a pod makes no devices; a device plugin gives those of the node");
}
