/**
 * Hooks: programs that engines have run at points of a container's life, with its state on the
 * standard input.
 *
 * @module
 */

import { at_fdcwd, close, lseek, memfd_create, MFD_CLOEXEC, write } from "../ffi/calls/files.ts";
import { pidfd_send_signal, POLLIN, ppoll, SIGNALS } from "../ffi/calls/processes.ts";
import { environmentStrings } from "../ffi/environment.ts";
import { readBeginningText } from "../ffi/files/read_file.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { type ExecSpec, execSpec } from "../launch/exec.ts";
import { Launcher } from "../launch/launcher.ts";
import { reapStatus } from "../launch/status.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import { checkedSteps } from "../recipe/check.ts";
import type { Step } from "../recipe/steps.ts";
import { textOf } from "./cgroups/group.ts";
import type { Config, ConfigHook, HookKind } from "./spec.ts";
import { HookError, wordsFor } from "./errors.ts";
import type { listenerOf } from "./seccomp_listener.ts";
import type { ContainerState } from "./state.ts";

/** Where hooks run, if not on the host. */
export interface HookPlace {
  /** The steps by which they enter the container's namespaces. */
  readonly steps: readonly Step[];
  /** The container's first process: its pid in there is what they are told. */
  readonly pid: number;
  /** The environment of those that have none of their own: that of the runtime is the host's. */
  readonly env?: readonly string[] | undefined;
  /** The directory that they begin in; that of config.json, if that is still there, on the host. */
  readonly cwd?: string | undefined;
  /** What passes on the listener of a filter. */
  readonly taking?: ReturnType<typeof listenerOf>;
}

/** Runs the hooks of a kind, one after the other, until one fails. */
export function runHooks(
  config: Config,
  kind: HookKind,
  state: ContainerState,
  place?: HookPlace,
): void {
  for (const run of hookRuns(config, kind, state, place)) run();
}

/** Runs all hooks of a kind, and returns what those that failed said. */
export function runEachHook(config: Config, kind: HookKind, state: ContainerState): string[] {
  return hookRuns(config, kind, state).flatMap((run) => {
    try {
      run();
      return [];
    } catch (error) {
      return [wordsFor(error)];
    }
  });
}

function hookRuns(
  config: Config,
  kind: HookKind,
  state: ContainerState,
  place?: HookPlace,
): readonly (() => void)[] {
  const hooks = config.hooks?.[kind] ?? [];
  if (hooks.length === 0) return [];
  const launcher = new Launcher(planRecipe(checkedSteps(place?.steps ?? []), place?.taking));
  const told = place === undefined ? state : { ...state, pid: pidInside(place.pid) };
  return hooks.map((hook, index) => () => {
    const field = `hooks.${kind}[${index}]`;
    if (!hook.path?.startsWith("/")) throw new HookError(`${field}.path: it has to be absolute`);
    const { env = place?.env, ...rest } = hook;
    const cwd = place?.cwd ?? (isDirectory(state.bundle) ? state.bundle : undefined);
    runHook(launcher, { ...rest, ...(env && { env }) }, field, {
      state: JSON.stringify(told),
      cwd,
    });
  });
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Returns the pid of a process in its own pid namespace. */
function pidInside(pid: number): number {
  const pids = /^NSpid:(.*)$/m.exec(textOf(`/proc/${pid}/status`) ?? "")?.[1]?.trim().split(/\s+/);
  return Number(pids?.at(-1) ?? pid);
}

function runHook(
  launcher: Launcher,
  hook: ConfigHook,
  field: string,
  { state, cwd }: { readonly state: string; readonly cwd: string | undefined },
): void {
  const { path, args = [path], env, timeout } = hook;
  const input = memoryFile(state);
  const complaints = memoryFile("");
  try {
    const [argv0 = path, ...rest] = args;
    const spec = execSpec(path, {
      argv0,
      args: rest,
      ...(cwd !== undefined && { cwd }),
      environment: env === undefined
        ? { inherited: environmentStrings(), changes: new Map() }
        : { inherited: [], changes: environmentOf(env) },
      stdio: [{ fd: input }, "null", { fd: complaints }],
    });
    const pidfd = startHook(launcher, spec, `${field}: ${path}`);
    const ended = waitFor(pidfd, timeout);
    if (!ended) syscall(pidfd_send_signal(pidfd, SIGNALS.SIGKILL));
    const { code } = reapStatus(pidfd, true)!;
    syscall(close(pidfd));
    if (ended && code === 0) return;
    const why = ended ? `exit status ${code}` : `it has run longer than ${timeout} seconds`;
    const said = beginningOf(complaints).trim();
    throw new HookError(`${field}: ${path}: ${why}${said && `: ${said}`}`);
  } finally {
    syscall(close(input));
    syscall(close(complaints));
  }
}

function startHook(launcher: Launcher, spec: ExecSpec, name: string): number {
  try {
    return launcher.spawn(spec).pidfd;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new HookError(`${name}: no such file or directory`);
    }
    throw new HookError(`${name}: ${wordsFor(error)}`);
  }
}

/** Makes a file in memory, to be read from its start. */
function memoryFile(text: string): number {
  const fd = syscall(memfd_create("ramekin-hook", MFD_CLOEXEC));
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 0) syscall(write(fd, bytes, bytes.length));
  syscall(lseek(fd, 0, 0));
  return fd;
}

/** How much is read of what a hook has said: a program of the container can say without end. */
const MOST_SAID = 4096;

function beginningOf(fd: number): string {
  return readBeginningText(at_fdcwd, `/proc/thread-self/fd/${fd}`, MOST_SAID).slice(0, MOST_SAID);
}

/** Waits for the end of a process; returns `false` if that takes longer than the seconds given. */
function waitFor(pidfd: number, seconds: number | undefined): boolean {
  const end = seconds === undefined ? Infinity : performance.now() + seconds * 1000;
  for (;;) {
    const left = end - performance.now();
    if (left <= 0) return false;
    const poll = ppoll(
      [{ fd: pidfd, events: POLLIN }],
      left === Infinity ? undefined : Math.ceil(left),
    );
    if (syscalls([{ call: poll, accept: ["EINTR"] }]).result(poll) > 0n) return true;
  }
}

function environmentOf(env: readonly string[]): ReadonlyMap<string, string> {
  return new Map(env.map((entry) => {
    const at = entry.indexOf("=");
    return at === -1 ? [entry, ""] as const : [entry.slice(0, at), entry.slice(at + 1)] as const;
  }));
}
