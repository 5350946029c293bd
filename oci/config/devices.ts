/**
 * `linux.devices`, and what the specification puts into every /dev, as steps.
 *
 * @module
 */

import { bind } from "../../recipe/steps/bind.ts";
import { mkdir, mknod, symlink } from "../../recipe/steps/files.ts";
import type { Step } from "../../recipe/steps.ts";
import { unsupported } from "../errors.ts";
import { pathInRoot } from "./paths.ts";
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
 * Returns the steps that make the devices.
 *
 * @param mayMake whether this process may make device files; otherwise those of the host are bound
 */
export function deviceSteps(config: Config, root: string, mayMake: boolean): Step[] {
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
    ...all.flatMap((device, index) => deviceStep(device, index, root, mayMake)),
    ...links.map(([path, target]) => symlink(target, root + path, { host: true, keep: true })),
  ];
}

function deviceStep(device: ConfigDevice, index: number, root: string, mayMake: boolean): Step[] {
  const { path, type, major, minor, fileMode = 0o666, uid = 0, gid = 0 } = device;
  const target = root + pathInRoot(root, path);
  const letter = type === "u" ? "c" : type;
  if (letter !== "c" && letter !== "b" && letter !== "p") {
    return unsupported(`linux.devices[${index}].type`, `there is no type "${type}"`);
  }
  const parent = target.slice(0, target.lastIndexOf("/"));
  const parents = parent === root || parent === `${root}/dev`
    ? []
    : [mkdir(parent, { host: true })];
  if (!mayMake && letter !== "p") return [bind(path, target, { restrict: [], make: true })];
  const numbers = letter === "p" ? {} : { major: major ?? 0, minor: minor ?? 0 };
  const owner = uid === 0 && gid === 0 ? {} : { uid, gid };
  const mode = fileMode & 0o7777;
  return [
    ...parents,
    mknod(target, { type: letter, ...numbers, mode, ...owner, host: true, keep: true }),
  ];
}
