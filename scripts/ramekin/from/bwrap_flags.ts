/**
 * The flags of bubblewrap, and what each is here.
 *
 * @module
 */

import {
  bind,
  type CapabilityName,
  devices,
  linux,
  mkdir,
  mqueue,
  type NamespaceKind,
  overlay,
  proc,
  remount,
  type Step,
  symlink,
  tmpfs,
} from "../../../mod.ts";
import { flag, type ForeignFlag, GIVEN, lost, wholeNumber } from "./translation.ts";

/** What is done to the new root, at a path of it. */
export interface RootOperation {
  readonly path: string;
  /** The file of the host that is shown. */
  readonly source?: string;
  /** Whether it shows files of the host, on which other files would be made. */
  readonly isHost?: boolean;
  /** Returns the steps, for the path while the root is put together. */
  readonly steps: (at: string, isOnHost: boolean) => readonly Step[];
}

/** What the flags say so far. */
export interface BwrapState {
  readonly kinds: Set<NamespaceKind>;
  readonly operations: RootOperation[];
  readonly capabilities: Set<CapabilityName>;
  readonly variables: Map<string, string>;
  clearsEnvironment: boolean;
  /** The permissions and the size of the next operation. */
  perms: number | undefined;
  size: string | undefined;
  /** The layers of the next overlay, the lowest first. */
  layers: string[];
  uid?: number;
  gid?: number;
  hostname?: string;
  chdir?: string;
  newSession?: true;
  isPid1?: true;
  disablesUserNamespaces?: true;
  sharesNetwork?: true;
}

type Flag = ForeignFlag<BwrapState>;

const DESCRIPTOR = "a descriptor has no place in a recipe";
const DATA = "the file's text is in a descriptor; writeFile() takes it as a text";
const REPORT =
  "--status-fd of ramekin run tells how the program ends, and container.hostPid its pid";
const LABEL = "labels of SELinux are not set";

/** A bind mount. Those of bwrap are all nosuid, and those without devices nodev. */
function bound(options: { readOnly?: true; optional?: true; devices?: true }): Flag {
  const { readOnly, optional, devices } = options;
  return flag(2, ({ operations }, source, path) => {
    const restrict = devices === true ? ["nosuid"] as const : ["nosuid", "nodev"] as const;
    const more = { ...(readOnly && { readOnly }), ...(optional && { optional }), restrict };
    operations.push({
      path: path!,
      source: source!,
      isHost: true,
      steps: (at) => [bind(source!, at, more)],
    });
  });
}

function operation(make: (at: string, state: BwrapState) => Step): Flag {
  return flag(1, (state, path) => {
    // The permissions and the size are those of this operation alone.
    const own = { ...state };
    [state.perms, state.size] = [undefined, undefined];
    state.operations.push({ path: path!, steps: (at) => [make(at, own)] });
  });
}

function unshares(...kinds: NamespaceKind[]): Flag {
  return flag(0, (state) => kinds.forEach((kind) => state.kinds.add(kind)));
}

/** An overlay of the layers so far. */
function overlaid(values: number, changes: (words: readonly string[]) => object): Flag {
  return flag(values, (state, ...words) => {
    const lower = state.layers.toReversed();
    state.layers = [];
    if (lower.length === 0) return "there is no --overlay-src before it";
    const steps = (at: string) => [overlay(at, { lower, ...changes(words) })];
    state.operations.push({ path: words.at(-1)!, source: lower[0]!, steps });
    return undefined;
  });
}

function capability(change: "add" | "delete"): Flag {
  return flag(1, ({ capabilities }, name) => {
    const known = Object.keys(linux.CAPABILITIES) as CapabilityName[];
    const names = name === "ALL" ? known : known.filter((one) => one === name!.toUpperCase());
    if (names.length === 0) return "there is no such capability";
    for (const one of names) capabilities[change](one);
    return undefined;
  });
}

/** Every flag of bwrap 0.11 and before. */
export const BWRAP_FLAGS: Readonly<Record<string, Flag>> = {
  "--help": GIVEN,
  "--version": GIVEN,
  "--args": lost(1, "the flags are in a descriptor; give them as words"),
  "--argv0": lost(1, "it is the option argv0 of recipe.command()"),
  "--level-prefix": GIVEN,
  "--unshare-all": unshares("user", "ipc", "pid", "net", "uts", "cgroup"),
  "--share-net": flag(0, (state) => void (state.sharesNetwork = true)),
  "--unshare-user": unshares("user"),
  "--unshare-user-try": unshares("user"),
  "--unshare-ipc": unshares("ipc"),
  "--unshare-pid": unshares("pid"),
  "--unshare-net": unshares("net"),
  "--unshare-uts": unshares("uts"),
  "--unshare-cgroup": unshares("cgroup"),
  "--unshare-cgroup-try": unshares("cgroup"),
  "--userns": lost(1, 'join() takes a path in place of a descriptor: join("/proc/PID/ns/user")'),
  "--userns2": lost(1, 'join() takes a path in place of a descriptor: join("/proc/PID/ns/user")'),
  "--pidns": lost(1, 'join() takes a path in place of a descriptor: join("/proc/PID/ns/pid")'),
  "--disable-userns": flag(0, (state) => void (state.disablesUserNamespaces = true)),
  "--assert-userns-disabled": lost(
    0,
    "--disable-userns disables them, and a launch that cannot fails",
  ),
  "--uid": flag(1, (state, text) => {
    state.uid = wholeNumber(text!)!;
    return state.uid === undefined ? "this is no id" : undefined;
  }),
  "--gid": flag(1, (state, text) => {
    state.gid = wholeNumber(text!)!;
    return state.gid === undefined ? "this is no id" : undefined;
  }),
  "--hostname": flag(1, (state, name) => void (state.hostname = name!)),
  "--chdir": flag(1, (state, path) => void (state.chdir = path!)),
  "--clearenv": flag(0, (state) => {
    state.clearsEnvironment = true;
    state.variables.clear();
  }),
  "--setenv": flag(2, ({ variables }, name, value) => void variables.set(name!, value!)),
  "--unsetenv": flag(1, ({ clearsEnvironment, variables }, name) => {
    variables.delete(name!);
    if (clearsEnvironment) return undefined;
    return "a recipe names the variables that stay, and not one that goes: clearEnv({ keep })";
  }),
  "--lock-file": lost(1, "no lock is held; flock(1) holds one"),
  "--sync-fd": lost(1, DESCRIPTOR),
  "--bind": bound({}),
  "--bind-try": bound({ optional: true }),
  "--dev-bind": bound({ devices: true }),
  "--dev-bind-try": bound({ devices: true, optional: true }),
  "--ro-bind": bound({ readOnly: true }),
  "--ro-bind-try": bound({ readOnly: true, optional: true }),
  "--bind-fd": lost(2, `${DESCRIPTOR}; bind() takes its path`),
  "--ro-bind-fd": lost(2, `${DESCRIPTOR}; bind() takes its path`),
  "--remount-ro": operation((at) => remount(at, "ro", { keep: true })),
  "--overlay-src": flag(1, ({ layers }, path) => void layers.push(path!)),
  "--overlay": overlaid(3, ([upper, work]) => ({ upper, work })),
  "--tmp-overlay": overlaid(1, () => ({ discard: true })),
  "--ro-overlay": overlaid(1, () => ({})),
  "--exec-label": lost(1, LABEL),
  "--file-label": lost(1, LABEL),
  "--proc": flag(1, (state, path) => {
    const restrict = ["nosuid", "nodev", "noexec"] as const;
    // As bwrap has it: without processes of its own, it is that of the host.
    const steps = (
      at: string,
    ) => [state.kinds.has("pid") ? proc(at) : bind("/proc", at, { restrict })];
    state.operations.push({ path: path!, steps });
  }),
  "--dev": operation((at) => devices(at)),
  "--tmpfs": operation((at, { perms = 0o755, size }) =>
    tmpfs(at, { mode: perms, ...(size !== undefined && { size }) })
  ),
  "--mqueue": operation((at) => mqueue(at)),
  "--dir": flag(1, (state, path) => {
    const mode = state.perms ?? 0o755;
    state.perms = undefined;
    state.operations.push({
      path: path!,
      steps: (at, isOnHost) => [mkdir(at, { mode, ...(isOnHost && { host: true }) })],
    });
  }),
  "--file": lost(2, DATA),
  "--bind-data": lost(2, DATA),
  "--ro-bind-data": lost(2, DATA),
  "--symlink": flag(2, ({ operations }, target, path) => {
    operations.push({
      path: path!,
      steps: (at, isOnHost) => [
        ...(isOnHost ? [] : parents(at).map((parent) => mkdir(parent))),
        symlink(target!, at, { keep: true, ...(isOnHost && { host: true }) }),
      ],
    });
  }),
  "--seccomp": lost(1, "the filter is in a descriptor, compiled; seccomp() takes rules as JSON"),
  "--add-seccomp-fd": lost(
    1,
    "the filter is in a descriptor, compiled; seccomp() takes rules as JSON",
  ),
  "--block-fd": lost(1, DESCRIPTOR),
  "--userns-block-fd": lost(1, `${DESCRIPTOR}; mapIds() maps the ids that it would wait for`),
  "--info-fd": lost(1, REPORT),
  "--json-status-fd": lost(1, REPORT),
  "--new-session": flag(0, (state) => void (state.newSession = true)),
  "--die-with-parent": GIVEN,
  "--as-pid-1": flag(0, (state) => void (state.isPid1 = true)),
  "--cap-add": capability("add"),
  "--cap-drop": capability("delete"),
  "--perms": flag(1, (state, text) => {
    state.perms = wholeNumber(text!, 8);
    return state.perms === undefined ? "these are no permissions" : undefined;
  }),
  "--size": flag(1, (state, text) => void (state.size = text!)),
  "--chmod": lost(2, "mkdir(), tmpfs() and writeFile() take the mode of what they make"),
};

/** The directory that a path is in, unless that is the new root, which is there. */
function parents(at: string): readonly string[] {
  const parent = at.slice(0, at.lastIndexOf("/"));
  return parent.indexOf("/", 1) === -1 ? [] : [parent];
}
