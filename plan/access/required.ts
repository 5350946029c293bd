/**
 * Computes the access to the host that a recipe needs, from the records of its plan.
 *
 * @module
 */

import { OVERFLOW_ID, type PlannedState } from "../planned_state.ts";
import { CapabilityModel } from "../capability_model.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../../recipe/namespaces.ts";
import type { AccessRecorder, InitPlace } from "./recorder.ts";
import type { HostAccess } from "./access.ts";

/** The access that a command adds to the steps. */
export interface CommandAccess {
  readonly program: string;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Whether it gets a terminal of its own, and with that a session. */
  readonly terminal?: boolean | undefined;
  /** The names of the script's variables that the program gets. */
  readonly variables: readonly string[];
}

/** The kinds of namespaces by which a program reaches other programs. */
const REACHING: readonly NamespaceKind[] = ["pid", "ipc"];

/** Whether the program can connect to the unix sockets among the files that it reaches. */
export function reachesSockets({ state, deniesSockets, init }: AccessRecorder): boolean {
  // The init makes its calls without the filter.
  return !deniesSockets || init?.userNamespaces === state.capabilities.userNamespaces;
}

/** Returns each access that the steps, and the command if given, need; without duplicates. */
export function requiredAccess(
  recorder: AccessRecorder,
  command?: CommandAccess,
): readonly HostAccess[] {
  const { state } = recorder;
  const { capabilities: model, unshared, joined, caller } = state;
  const uid = command?.uid ?? state.ids?.uid ?? (unshared.has("user") ? OVERFLOW_ID : caller.euid);
  const credentials = { uid, gainsNoPrivileges: state.gainsNoPrivileges };
  const capabilities = model.of(credentials, caller.inheritable);
  const mayMount = capabilities.includes("CAP_SYS_ADMIN");
  // Mounts of a user namespace above the program's are locked (mount_namespaces(7)).
  const isLocked = (kind: HostAccess["kind"], userNamespaces: number) =>
    !(kind === "device" ? recorder.allowsDevices : recorder.makesWritable) &&
    (!mayMount || userNamespaces < model.userNamespaces);

  // A program in the init's user namespace may be able to trace it (ptrace(2)).
  const init = recorder.init?.userNamespaces === model.userNamespaces ? recorder.init : undefined;
  const isContainerMount = (kind: NamespaceKind) =>
    unshared.has(kind) && (init?.unshared.has(kind) ?? true);

  const needs: HostAccess[] = [];
  if (init?.seesHost === true || recorder.root === "host") needs.push(...ALL_OF_THE_HOST);
  for (const { access, locksWith } of recorder.recorded) {
    if (locksWith === undefined || !isLocked(access.kind, locksWith)) needs.push(access);
  }
  if (caller.euid === 0 && recorder.mapsRoot) {
    const holds = (userNamespaces: number) => isLocked("write", userNamespaces);
    needs.push(...recorder.kernelFiles.needs(holds, (path) => recorder.exists(path)));
  }
  if (!isContainerMount("net")) needs.push({ kind: "net", host: "*" });
  needs.push(...recorder.kernelMounts);
  const asHost = !unshared.has("user");
  for (const namespace of NAMESPACE_KINDS) {
    const reaching = REACHING.includes(namespace) || (asHost && mayMount && namespace === "uts");
    if (reaching && !isContainerMount(namespace)) needs.push({ kind: "namespace", namespace });
  }
  if (asHost) needs.push(...privileges(capabilities));
  needs.push(...beyondNamespaces(recorder, init, command));
  if (command !== undefined) needs.push(...commandAccess(command, state));
  return distinct(needs.filter((need) => need.kind !== "namespace" || !joined.has(need.namespace)));
}

/**
 * Returns the access that no kind of namespace takes from a program.
 *
 * @param controlled the init, if the program may be able to control it
 */
function beyondNamespaces(
  { state, filtered, init, lifetime }: AccessRecorder,
  controlled: InitPlace | undefined,
  command: CommandAccess | undefined,
): readonly HostAccess[] {
  const needs: HostAccess[] = [];
  const ownSession = state.ownSession || command?.terminal === true;
  if (!ownSession || controlled?.ownSession === false) needs.push({ kind: "terminal" });
  // The init makes its calls without the filter.
  if (!filtered || controlled !== undefined) needs.push({ kind: "kernel" });
  // A program can reset its own parent-death signal (prctl(2)), and not that of an init.
  const tied = init !== undefined && controlled === undefined;
  if (lifetime !== undefined) needs.push(lifetime);
  else if (!tied) needs.push({ kind: "lifetime" });
  return needs;
}

const ALL_OF_THE_HOST: readonly HostAccess[] = [
  { kind: "read", path: "/" },
  { kind: "write", path: "/" },
  { kind: "device", path: "/dev" },
];

function privileges(names: ReturnType<CapabilityModel["of"]>): readonly HostAccess[] {
  if (CapabilityModel.areAll(names)) return [{ kind: "privilege", privilege: "all" }];
  return names.map((privilege) => ({ kind: "privilege", privilege }));
}

function commandAccess(
  { program, uid, gid, variables }: CommandAccess,
  { unshared, caller }: PlannedState,
): readonly HostAccess[] {
  const needs: HostAccess[] = [];
  if (!unshared.has("user")) {
    if (uid !== undefined && uid !== caller.euid) {
      needs.push({ kind: "identity", id: "uid", from: uid, count: 1 });
    }
    if (gid !== undefined && gid !== caller.egid) {
      needs.push({ kind: "identity", id: "gid", from: gid, count: 1 });
    }
  }
  needs.push({ kind: "run", program });
  for (const name of variables) needs.push({ kind: "env", name });
  return needs;
}

/** Returns the first of the accesses that differ in the step alone. */
function distinct(needs: readonly HostAccess[]): readonly HostAccess[] {
  const known = new Map<string, HostAccess>();
  for (const need of needs) {
    const { step: _, stepIndex: __, ...subject } = need;
    const key = JSON.stringify(subject);
    if (!known.has(key)) known.set(key, need);
  }
  return [...known.values()];
}
