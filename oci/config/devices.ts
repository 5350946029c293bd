/**
 * `linux.devices`, and what the specification puts into every /dev, as steps.
 *
 * @module
 */

import {
  at_fdcwd,
  fchmodat,
  fchownat,
  makedev,
  mknodat,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  unlinkat,
} from "../../ffi/calls/files.ts";
import { syscalls } from "../../ffi/syscalls.ts";
import { bind } from "../../recipe/steps/bind.ts";
import { mkdir, mknod, symlink } from "../../recipe/steps/files.ts";
import { remount } from "../../recipe/steps/mounts.ts";
import type { Step } from "../../recipe/steps.ts";
import { unsupported } from "../errors.ts";
import { hostGroup, hostUser } from "../host_ids.ts";
import type { RootPaths } from "./paths.ts";
import type { Config, ConfigDevice } from "../spec.ts";

/** The devices of every container (config-linux.md, "Default Devices"). */
export const DEVICES: readonly ConfigDevice[] = [
  { path: "/dev/null", type: "c", major: 1, minor: 3 },
  { path: "/dev/zero", type: "c", major: 1, minor: 5 },
  { path: "/dev/full", type: "c", major: 1, minor: 7 },
  { path: "/dev/random", type: "c", major: 1, minor: 8 },
  { path: "/dev/urandom", type: "c", major: 1, minor: 9 },
  { path: "/dev/tty", type: "c", major: 5, minor: 0 },
];

/** The links of every container. */
export const LINKS: Readonly<Record<string, string>> = {
  "/dev/fd": "/proc/self/fd",
  "/dev/stdin": "/proc/self/fd/0",
  "/dev/stdout": "/proc/self/fd/1",
  "/dev/stderr": "/proc/self/fd/2",
  "/dev/ptmx": "pts/ptmx",
};

/**
 * How the devices come to be: they are made, or those of this machine are bound; those of
 * `linux.devices` from a directory, in which they are already: see {@linkcode makeStaged}.
 */
export type DeviceSource = "made" | "bound" | { readonly staged: string };

/** Whether root makes the devices of `linux.devices` before the container has its user namespace. */
export function needsStage({ linux = {} }: Config): boolean {
  const { namespaces = [], devices } = linux;
  return namespaces.some(({ type, path }) => type === "user" && !path) &&
    (devices ?? []).some(({ type }) => type !== "p");
}

/**
 * Makes the devices of `linux.devices` in a directory that only this process's user may search: in a
 * user namespace nobody may make any.
 */
export function makeStaged({ linux = {} }: Config, directory: string): void {
  (linux.devices ?? []).forEach((device, index) => {
    if (device.type === "p") return;
    const { kind, number, mode } = nodeOf(device, index);
    const [uid, gid] = [hostUser(device.uid ?? 0, linux), hostGroup(device.gid ?? 0, linux)];
    if (uid === undefined || gid === undefined) {
      unsupported(`linux.devices[${index}]`, "its owner is not mapped");
    }
    const path = stagedPath(directory, index);
    syscalls([
      { call: mknodat(at_fdcwd, path, kind | mode, number) },
      { call: fchmodat(at_fdcwd, path, mode) },
      { call: fchownat(at_fdcwd, path, uid, gid) },
    ]);
  });
}

/** Removes them: what is bound is there without its name. */
export function removeStaged({ linux = {} }: Config, directory: string): void {
  linux.devices?.forEach((_, index) => {
    const path = stagedPath(directory, index);
    syscalls([{ call: unlinkat(at_fdcwd, path, 0), accept: ["ENOENT"] }]);
  });
}

function stagedPath(directory: string, index: number): string {
  return `${directory}/device-${index}`;
}

/** Returns the steps that make the devices. */
export function deviceSteps(
  config: Config,
  root: string,
  paths: RootPaths,
  source: DeviceSource,
): Step[] {
  const { mounts = [], linux = {} } = config;
  const dev = mounts.find(({ destination }) => destination.replace(/\/+$/, "") === "/dev");
  const isBind = dev !== undefined &&
    (dev.type === "bind" || (dev.options ?? []).some((word) => /^r?bind$/.test(word)));
  // What is bound at /dev has its devices.
  const usual = isBind ? [] : DEVICES;
  const given = linux.devices ?? [];
  const all = [...usual.filter(({ path }) => !given.some((one) => one.path === path)), ...given];
  const links = isBind ? [] : Object.entries(LINKS);
  return [
    ...(isBind ? [] : [mkdir(`${root}/dev`, { host: true })]),
    ...all.flatMap((device) => {
      const target = root + paths.resolve(device.path);
      return deviceStep(device, given.indexOf(device), { root, target }, source);
    }),
    ...links.map(([path, target]) => symlink(target, root + path, { host: true, keep: true })),
  ];
}

function deviceStep(
  device: ConfigDevice,
  index: number,
  { root, target }: { readonly root: string; readonly target: string },
  source: DeviceSource,
): Step[] {
  const { path, type } = device;
  const parent = target.slice(0, target.lastIndexOf("/"));
  const parents = parent === root || parent === `${root}/dev`
    ? []
    : [mkdir(parent, { host: true })];
  if (source === "made" || type === "p") return [...parents, madeStep(device, index, target)];
  if (source === "bound" || index === -1) return [bind(path, target, { restrict: [], make: true })];
  return [
    bind(stagedPath(source.staged, index), target, { restrict: [], make: true, early: true }),
    // The record of containers is often on a filesystem without devices, as /run.
    remount(target, "dev", { keep: true }),
  ];
}

function madeStep(device: ConfigDevice, index: number, target: string): Step {
  const { major, minor, uid = 0, gid = 0 } = device;
  const { letter, mode } = nodeOf(device, index);
  const numbers = letter === "p" ? {} : { major: major ?? 0, minor: minor ?? 0 };
  const owner = uid === 0 && gid === 0 ? {} : { uid, gid };
  return mknod(target, { type: letter, ...numbers, mode, ...owner, host: true, keep: true });
}

/** The kinds of device files, for mknod(1) and mknod(2). */
const KINDS = {
  b: { letter: "b", kind: S_IFBLK },
  c: { letter: "c", kind: S_IFCHR },
  p: { letter: "p", kind: S_IFIFO },
  u: { letter: "c", kind: S_IFCHR },
} as const;

function nodeOf({ type, major = 0, minor = 0, fileMode = 0o666 }: ConfigDevice, index: number) {
  if (!Object.hasOwn(KINDS, type)) {
    unsupported(`linux.devices[${index}].type`, `there is no type "${type}"`);
  }
  const number = makedev(major, minor);
  return { ...KINDS[type as keyof typeof KINDS], number, mode: fileMode & 0o7777 };
}
