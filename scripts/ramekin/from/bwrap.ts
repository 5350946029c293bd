/**
 * A recipe from a command line of bubblewrap.
 *
 * @module
 */

import {
  capabilities,
  chdir,
  clearEnv,
  hostname,
  init,
  linux,
  loopback,
  mapCurrentUser,
  mapIds,
  mapRoot,
  type NamespaceKind,
  newSession,
  noNewPrivileges,
  pivotRoot,
  readonlyPaths,
  setEnv,
  type Step,
  sysctl,
  tmpfs,
  unshare,
} from "../../../mod.ts";
import { isWithin, normalize } from "../../../recipe/path.ts";
import { UsageError } from "../usage.ts";
import { BWRAP_FLAGS, type BwrapState, type RootOperation } from "./bwrap_flags.ts";
import { applied, type Translation } from "./translation.ts";

/** The order of namespaces in a recipe. */
const KINDS: readonly NamespaceKind[] = ["user", "mount", "pid", "uts", "ipc", "net", "cgroup"];

/** Directories that every system has, on one of which the root is put together. */
const PLACES = ["/mnt", "/media", "/srv", "/opt", "/home", "/tmp"];

/** What bwrap covers of /proc. */
const COVERED = ["bus", "irq", "sysrq-trigger"];

/**
 * Translates the words behind `bwrap`.
 *
 * @throws {UsageError} for a flag that bwrap does not have, or one without its values
 */
export function fromBwrap(words: readonly string[]): Translation {
  const state = newState();
  const lost: string[] = [];
  let at = 0;
  for (; at < words.length && words[at]!.startsWith("--"); at++) {
    const name = words[at]!;
    if (name === "--") {
      at++;
      break;
    }
    const known = BWRAP_FLAGS[name];
    if (known === undefined) throw new UsageError(`bwrap has no flag ${name}`);
    const values = words.slice(at + 1, at + 1 + known.values);
    if (values.length < known.values) throw new UsageError(`${name} of bwrap is without its value`);
    lost.push(...applied(known, state, [name, ...values]));
    at += known.values;
  }
  const { steps, lost: more } = stepsOf(state);
  return { steps, program: words.slice(at), lost: [...lost, ...more] };
}

function newState(): BwrapState {
  return {
    kinds: new Set(),
    operations: [],
    capabilities: new Set(),
    variables: new Map(),
    clearsEnvironment: false,
    perms: undefined,
    size: undefined,
    layers: [],
  };
}

function stepsOf(state: BwrapState): Pick<Translation, "steps" | "lost"> {
  const { operations, variables } = state;
  if (state.sharesNetwork === true) state.kinds.delete("net");
  const kinds = KINDS.filter((kind) => ["user", "mount"].includes(kind) || state.kinds.has(kind));
  const covers = operations.filter(({ path, source }) => path === "/proc" && source === undefined);
  const lost = state.disablesUserNamespaces === true && covers.length === 0
    ? ["--disable-userns: it is set by a file of /proc, which --proc /proc mounts"]
    : [];
  const steps: Step[] = [
    unshare(...kinds),
    mapsOf(state),
    ...(kinds.includes("net") ? [loopback()] : []),
    ...(state.hostname === undefined ? [] : [hostname(state.hostname)]),
    ...rootOf(operations),
    ...(covers.length === 0 ? [] : [readonlyPaths(...COVERED.map((name) => `/proc/${name}`))]),
    ...(state.newSession === true ? [newSession()] : []),
    ...(kinds.includes("pid") && state.isPid1 !== true ? [init()] : []),
    ...(state.disablesUserNamespaces === true && covers.length > 0
      // One more can be made, in which the program runs.
      ? [sysctl({ "user.max_user_namespaces": 1 }), unshare("user"), mapCurrentUser()]
      : []),
    ...(state.chdir === undefined ? [] : [chdir(state.chdir)]),
    capabilities({ keep: [...state.capabilities] }),
    noNewPrivileges(),
    ...(state.clearsEnvironment ? [clearEnv()] : []),
    ...(variables.size === 0 ? [] : [setEnv(Object.fromEntries(variables))]),
  ];
  return { steps, lost };
}

function mapsOf({ uid, gid }: BwrapState): Step {
  if (uid === undefined && gid === undefined) return mapCurrentUser();
  if (uid === 0 && gid === 0) return mapRoot();
  const own = { uid: linux.geteuid(), gid: linux.getegid() };
  const one = (inside: number, outside: number) => [{ inside, outside, count: 1 }];
  return mapIds({
    uids: one(uid ?? own.uid, own.uid),
    gids: one(gid ?? own.gid, own.gid),
    setgroups: "deny",
  });
}

/** The steps that put the root together and enter it. */
function rootOf(operations: readonly RootOperation[]): readonly Step[] {
  const sources = operations.flatMap(({ source }) =>
    source === undefined ? [] : [normalize(source)]
  );
  const place = PLACES.find((path) => !sources.some((source) => isWithin(source, path))) ?? "/proc";
  const at = (path: string) => normalize(path) === "/" ? place : place + normalize(path);
  // What is mounted on the root covers what was there before.
  const first = Math.max(0, operations.findLastIndex(isRoot));
  const [base, ...rest] = isRoot(operations[first])
    ? operations.slice(first)
    : [EMPTY, ...operations];
  return [
    ...base!.steps(place, true),
    ...rest.flatMap(({ path, steps }, index) => {
      const around = rest.slice(0, index).filter((other) =>
        normalize(other.path) !== normalize(path) &&
        isWithin(normalize(path), normalize(other.path))
      );
      const isOnHost = (around.at(-1) ?? base)!.isHost === true;
      return steps(at(path), isOnHost);
    }),
    pivotRoot(place),
  ];
}

/** The root of bwrap without one. */
const EMPTY: RootOperation = { path: "/", steps: (at) => [tmpfs(at, { mode: 0o755 })] };

function isRoot(operation: RootOperation | undefined): boolean {
  if (operation === undefined || normalize(operation.path) !== "/") return false;
  return operation.steps("/", false).every(({ step }) => step !== "remount");
}
