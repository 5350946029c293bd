/**
 * The steps that mount, as the array `mounts` of config.json.
 *
 * @module
 */

import { DEVICES, LINKS } from "../../oci/config/devices.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import type { BindStep } from "../../recipe/steps/bind.ts";
import type { ConfigIdMapping } from "../../oci/spec.ts";
import type { IdRange } from "../../recipe/steps/id_range.ts";
import type { DevicesStep } from "../../recipe/steps/devices.ts";
import type {
  MountStep,
  MqueueStep,
  ProcStep,
  PropagationStep,
  RemountStep,
  SysfsStep,
  TmpfsStep,
} from "../../recipe/steps/mounts.ts";
import type { OverlayStep } from "../../recipe/steps/overlay.ts";
import type { ConfigDraft, DraftMount } from "./draft.ts";

/** Says `bind`. */
export function sayBind(step: BindStep, draft: ConfigDraft): void {
  const { source, target, readOnly = false, recursive = true, idMap } = step;
  if (step.entries !== undefined) {
    return draft.refuse('"entries" are looked up when the recipe runs; bind() each file');
  }
  if (step.optional === true) {
    return draft.refuse('"optional" is no option of config.json: the file has to be there');
  }
  if (step.untrusted === true) {
    return draft.refuse(
      '"untrusted" keeps links from being followed, which config.json cannot say',
    );
  }
  if (draft.isRoot(target)) return;
  const destination = draft.inside(target);
  const path = draft.source(source);
  if (destination === undefined || path === undefined) return;
  if (DEVICES.some((device) => device.path === path && destination === path)) {
    draft.usual.add(path);
    return;
  }
  const words = [
    ...(readOnly ? ["ro"] : []),
    ...(step.restrict ?? (isDevice(path) ? [] : ["nodev"])),
  ];
  draft.mount({
    destination,
    type: "bind",
    source: path,
    options: [
      recursive ? "rbind" : "bind",
      ...words.map((word) => recursive ? `r${word}` : word),
      ...(step.shared === true ? [recursive ? "rshared" : "shared"] : []),
      ...(idMap === undefined ? [] : [idMap.recursive === false ? "idmap" : "ridmap"]),
    ],
    ...(idMap && {
      uidMappings: idMap.uids.map(mappingOf),
      gidMappings: idMap.gids.map(mappingOf),
    }),
  });
}

/** A range of ids as config.json has it. */
export function mappingOf({ inside, outside, count }: IdRange): ConfigIdMapping {
  return { containerID: inside, hostID: outside, size: count };
}

/** As bind() has it: a device cannot be used on what is shown, unless it is of /dev. */
function isDevice(path: string): boolean {
  return isWithin(path, "/dev") || isWithin("/dev", normalize(path));
}

/** Says `mount`. */
export function sayMount({ source, target, type, options }: MountStep, draft: ConfigDraft): void {
  filesystem(draft, target, { type, source, options: wordsOf(options) });
}

/** Says `tmpfs`. */
export function sayTmpfs({ target, size, mode, options }: TmpfsStep, draft: ConfigDraft): void {
  const words = [
    ...(size === undefined ? [] : [`size=${size}`]),
    ...(mode === undefined ? [] : [`mode=${mode.toString(8).padStart(4, "0")}`]),
  ];
  filesystem(draft, target, {
    type: "tmpfs",
    source: "tmpfs",
    options: [...restricted(["nosuid", "nodev"], options), ...words],
  });
}

/** Says `proc`, `sysfs` and `mqueue`. */
export function sayKernelFilesystem(
  step: ProcStep | SysfsStep | MqueueStep,
  draft: ConfigDraft,
): void {
  const { step: type, target, options } = step;
  if (step.step === "proc" && step.outer === true) {
    return draft.refuse('"outer" shows the /proc outside, and runtimes mount a new one');
  }
  // Root itself may mount those of the host's namespaces.
  if (draft.namespaces.has("user")) {
    draft.needs(({ proc: "pid", sysfs: "net", mqueue: "ipc" } as const)[type]);
  }
  filesystem(draft, target, {
    type,
    source: type,
    options: restricted(["nosuid", "nodev", "noexec"], options),
  });
}

/** Says `devices`: the devices themselves are the runtime's. */
export function sayDevices(step: DevicesStep, draft: ConfigDraft): void {
  const { target, shm = "64m", extra = [], gpus = [] } = step;
  if (extra.length > 0) {
    return draft.refuse('"extra" is looked up when a recipe runs; mknod() each by its numbers');
  }
  if (gpus.length > 0) {
    return draft.refuse('"gpus" are the engine\'s: podman run --device=nvidia.com/gpu=all');
  }
  const destination = draft.inside(target);
  if (destination === undefined) return;
  if (destination !== "/dev") return draft.refuse("runtimes make the devices at /dev alone");
  const add = (path: string, type: string, ...options: string[]) =>
    draft.mount({
      destination: path,
      type,
      source: type,
      options: ["nosuid", "noexec", ...options],
    });
  add("/dev", "tmpfs", "mode=0755", "size=4m", "nr_inodes=1k");
  add("/dev/pts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620");
  add("/dev/shm", "tmpfs", "mode=1777", `size=${shm}`, "nr_inodes=64k");
  for (const { path } of DEVICES) draft.usual.add(path);
  for (const path of Object.keys(LINKS)) draft.usual.add(path);
}

/** Says `overlay`, whose directories are of the host. */
export function sayOverlay(step: OverlayStep, draft: ConfigDraft): void {
  const { target, lower, upper, work, discard = false } = step;
  if (draft.isRoot(target)) {
    return draft.refuse("the root of config.json is a directory; an engine mounts layers there");
  }
  if (discard) return draft.refuse('"discard" needs a directory in memory that a runtime lacks');
  const paths = [...lower, ...[upper, work].filter((path) => path !== undefined)];
  if (paths.some((path) => /[:,\\]/.test(path))) {
    return draft.refuse("a path with : , or \\ cannot be an option of a mount");
  }
  if (paths.some((path) => draft.source(path) === undefined)) return;
  filesystem(draft, target, {
    type: "overlay",
    source: "overlay",
    options: [
      `lowerdir=${lower.join(":")}`,
      ...(upper === undefined ? [] : [`upperdir=${upper}`, `workdir=${work}`]),
    ],
  });
}

function filesystem(
  draft: ConfigDraft,
  target: string,
  mount: Omit<DraftMount, "destination">,
): void {
  if (draft.isRoot(target)) {
    if (mount.type !== "tmpfs") draft.refuse("the root of config.json is a directory");
    return;
  }
  const destination = draft.inside(target);
  if (destination === "/") return draft.refuse("nothing can be mounted on the root");
  if (destination !== undefined) draft.mount({ destination, ...mount });
}

/** Says `remount`. */
export function sayRemount(
  { target, options, keep, recursive, bind }: RemountStep,
  draft: ConfigDraft,
): void {
  const path = draft.inside(target);
  if (path === undefined) return;
  const words = wordsOf(options);
  if (path === "/") return remountRoot(words, draft);
  const mount = draft.mountAt(path);
  if (mount === undefined) return draft.refuse(`nothing is mounted at ${target} by this recipe`);
  if (bind === false) {
    return draft.refuse('"bind: false" changes a filesystem that is mounted already');
  }
  if (keep !== true) mount.options = mount.options.filter((word) => !isAttribute(word));
  mount.options.push(...words.map((word) => recursive === true ? `r${word}` : word));
}

/** A root of the bundle has no files that the other words would be about. */
function remountRoot(words: readonly string[], draft: ConfigDraft): void {
  const root = draft.root!;
  const others = words.filter((word) => word !== "ro");
  const harmless = root.directory === undefined ? ["nosuid", "nodev"] : [];
  const unsaid = others.find((word) => !harmless.includes(word));
  if (unsaid !== undefined) draft.refuse(`config.json cannot say "${unsaid}" of the root`);
  if (words.includes("ro")) root.readonly = true;
}

/** Says `propagation`. */
export function sayPropagation(
  { target, type, recursive }: PropagationStep,
  draft: ConfigDraft,
): void {
  const path = draft.inside(target);
  if (path === undefined) return;
  const word = recursive === true ? `r${type}` : type;
  if (path === "/") {
    if (draft.root?.entered !== true) return draft.refuse("config.json says it of / alone");
    draft.propagation = word;
    return;
  }
  const mount = draft.mountAt(path);
  if (mount === undefined) return draft.refuse(`nothing is mounted at ${target} by this recipe`);
  if (type === "shared") return draft.refuse("runtimes refuse shared mounts in a container");
  mount.options.push(word);
}

/** The words that are of a mount alone, and not of its filesystem. */
function isAttribute(word: string): boolean {
  return /^r?(ro|rw|nosuid|suid|nodev|dev|noexec|exec|nosymfollow|symfollow|.*atime)$/.test(word);
}

/** The options of a step as words. */
function wordsOf(options = ""): string[] {
  return options.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
}

/** The words of a step, with those that it has unless an option lifts them. */
function restricted(usual: readonly string[], options: string | undefined): string[] {
  const words = wordsOf(options);
  const kept = usual.filter((word) => !words.includes(word) && !words.includes(word.slice(2)));
  return [...kept, ...words];
}
