/** Each step that takes a path, on a path in an untrusted root. */

import { landlockVersion } from "../../ffi/linux/landlock.ts";
import {
  bind,
  chdir,
  devices,
  landlock,
  maskPaths,
  mkdir,
  mknod,
  mount,
  mqueue,
  overlay,
  proc,
  programs,
  propagation,
  readonlyPaths,
  type RecipeInput,
  remount,
  type Step,
  symlink,
  sysfs,
  tmpfs,
  unmount,
  unshare,
  writeFile,
} from "../../mod.ts";
import type { LinkKind } from "./hostile_root.ts";

/** Returns a step on a path in the root. */
export interface Attempt {
  /** The type of target that the link needs. */
  readonly on: LinkKind;
  readonly steps: (path: string, at: StepPosition) => RecipeInput[];
  /** Whether it may change nothing, because nothing exists there or the change is not visible. */
  readonly mayShowNothing?: true;
  /** Whether a mount outside would accept it. */
  readonly changesMounts?: true;
  /** What it needs in addition to a mount namespace. */
  readonly needs?: readonly Step[];
}

/** The position of a step. */
export interface StepPosition {
  /** The path of the root at the step. */
  readonly root: string;
  /** Allows files on the host, if the root is there. */
  readonly host: { readonly host?: boolean };
}

/** The attempts, by their names in errors. */
export const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  "mkdir": { on: "directory", steps: (path, { host }) => [mkdir(path, { mode: 0o711, ...host })] },
  "mkdir within": {
    on: "directory",
    steps: (path, { host }) => [mkdir(`${path}/a/b`, { mode: 0o711, ...host })],
  },
  "symlink": { on: "directory", steps: (path, { host }) => [symlink("x", path, host)] },
  "symlink within": {
    on: "directory",
    steps: (path, { host }) => [symlink("x", `${path}/new`, host)],
  },
  "mknod within": {
    on: "directory",
    steps: (path, { host }) => [mknod(`${path}/new`, { type: "p", mode: 0o600, ...host })],
  },
  "mknod": {
    on: "file",
    steps: (path, { host }) => [mknod(path, { type: "p", mode: 0o600, ...host })],
  },
  "writeFile": {
    on: "file",
    steps: (path, { host }) => [writeFile(path, "soup", { mode: 0o611, ...host })],
  },
  "writeFile within": {
    on: "directory",
    steps: (path, { host }) => [writeFile(`${path}/new`, "soup", host)],
  },
  "writeFile over": {
    on: "directory",
    steps: (path, { host }) => [writeFile(`${path}/file`, "soup", { mode: 0o611, ...host })],
  },
  "bind": { on: "directory", steps: (path, { root }) => [bind(`${root}/small`, path)] },
  "bind a file": { on: "file", steps: (path, { root }) => [bind(`${root}/small/file`, path)] },
  "bind within": {
    on: "directory",
    steps: (path, { root }) => [bind(`${root}/small`, `${path}/new`)],
  },
  "bind of": { on: "directory", steps: (path, { root }) => [bind(path, `${root}/target`)] },
  "bind of within": {
    on: "directory",
    steps: (path, { root }) => [bind(`${path}/file`, `${root}/file`)],
  },
  "bind on itself": {
    on: "directory",
    steps: (path) => [bind(path, path, { readOnly: true })],
    changesMounts: true,
  },
  "tmpfs": { on: "directory", steps: (path) => [tmpfs(path)] },
  "tmpfs within": { on: "directory", steps: (path) => [tmpfs(`${path}/new`)] },
  "mount": { on: "directory", steps: (path) => [mount("none", path, { type: "tmpfs" })] },
  "proc": { on: "directory", steps: (path) => [proc(path)] },
  "sysfs": { on: "directory", steps: (path) => [sysfs(path)], needs: [unshare("net")] },
  "mqueue": { on: "directory", steps: (path) => [mqueue(path)], needs: [unshare("ipc")] },
  "devices": {
    on: "directory",
    steps: (path) => [devices(path)],
  },
  "overlay": {
    on: "directory",
    steps: (path, { root }) => [overlay(path, { lower: [`${root}/small`], discard: true })],
  },
  "overlay of": {
    on: "directory",
    steps: (path, { root }) => [overlay(`${root}/target`, { lower: [path], discard: true })],
  },
  "overlay with changes in": {
    on: "directory",
    steps: (path, { root, host }) => [
      mkdir(`${root}/outside/upper`, host),
      mkdir(`${root}/outside/work`, host),
      overlay(`${root}/target`, {
        lower: [`${root}/small`],
        upper: `${path}/upper`,
        work: `${path}/work`,
      }),
    ],
  },
  "remount": {
    on: "directory",
    steps: (path) => [remount(path, "ro,nosuid")],
    changesMounts: true,
  },
  "remount anew": {
    on: "directory",
    steps: (path) => [remount(path, "ro,size=1m", { bind: false })],
    changesMounts: true,
  },
  "propagation": {
    on: "directory",
    steps: (path) => [propagation(path, "shared")],
    changesMounts: true,
  },
  "unmount": { on: "directory", steps: (path) => [unmount(path)], changesMounts: true },
  "unmount at once": {
    on: "directory",
    steps: (path) => [unmount(path, { detach: true })],
    changesMounts: true,
  },
  "maskPaths": {
    on: "directory",
    steps: (path) => [maskPaths(path)],
    mayShowNothing: true,
    changesMounts: true,
  },
  "maskPaths of a file": { on: "file", steps: (path) => [maskPaths(path)], mayShowNothing: true },
  "readonlyPaths": {
    on: "directory",
    steps: (path) => [readonlyPaths(path)],
    mayShowNothing: true,
    changesMounts: true,
  },
  "programs": { on: "directory", steps: (path) => [programs("/bin/true", { root: path })] },
  "programs, copied": {
    on: "directory",
    steps: (path) => [programs("/bin/true", { root: path, copy: true })],
  },
  "chdir": { on: "directory", steps: (path) => [chdir(path)], mayShowNothing: true },
  ...(landlockVersion() === 0 ? {} : {
    "landlock": {
      on: "directory",
      steps: (path: string, { root }: StepPosition) => {
        const all = root === "" ? "/" : root;
        return [landlock({ read: [all, path], execute: [all] })];
      },
      mayShowNothing: true,
    },
  }),
};
