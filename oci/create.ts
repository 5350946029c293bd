/**
 * Makes a container that waits to be started.
 *
 * @module
 */

import { Struct } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  F_DUPFD_CLOEXEC,
  fcntl,
  O_CLOEXEC,
  O_RDWR,
  openat,
} from "../ffi/calls/files.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { processIdentity } from "../ffi/proc/process_identity.ts";
import type { ExecSpec, HandedFd, Terminal } from "../launch/exec.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import { Launcher } from "../launch/launcher.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import { checkedSteps } from "../recipe/check.ts";
import { join } from "../recipe/steps/join.ts";
import { caller } from "./caller.ts";
import { applyDevices } from "./cgroups/devices.ts";
import { makeGroups, pidsIn } from "./cgroups/group.ts";
import { mountedHierarchies } from "./cgroups/hierarchies.ts";
import { applyResources } from "./cgroups/resources.ts";
import { makeStaged, needsStage, removeStaged } from "./config/devices.ts";
import { type ConfigRecipe, recipeOf, rootOf } from "./config/recipe.ts";
import { withIdMaps } from "./config/namespaces.ts";
import { kindIssue } from "./config/kinds.ts";
import { withoutNulls } from "./config/nulls.ts";
import { parseConfig } from "./config/text.ts";
import type { Config, HookKind } from "./spec.ts";
import { sendTo } from "./console.ts";
import { destroy } from "./destroy.ts";
import { HookError, OciError, unsupported, wordsFor } from "./errors.ts";
import { runEachHook, runHooks } from "./hooks.ts";
import { addressesOf } from "./interface_addresses.ts";
import { withNotify } from "./notify.ts";
import type { Runtime } from "./runtime.ts";
import { ContainerRecord, type ContainerState, type FixedState, OCI_VERSION } from "./state.ts";
import { listenerOf } from "./seccomp_listener.ts";
import { giveStreams } from "./stream_owner.ts";
import { waitingProgram } from "./waiting_program.ts";

/** What a container is made with. */
export interface CreateOptions {
  readonly bundle: string;
  /** The path of config.json. */
  readonly config: string;
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
  /** A terminal that the caller joins with its own, in place of the socket. */
  readonly terminal?: Terminal | undefined;
  /** How many descriptors from 3 on the program gets. */
  readonly preserveFds: number;
}

/** A container that waits to be started. */
export interface Created {
  readonly record: ContainerRecord;
  readonly launched: LaunchedProcess;
}

/** Makes a container; nothing is left of it if that fails. */
export function create(runtime: Runtime, id: string, options: CreateOptions): Created {
  const config = configFor(options);
  const record = ContainerRecord.make(runtime, id);
  try {
    const draft = draftOf(runtime, record, config, options);
    const launched = launch(draft);
    complete(draft, launched);
    return { record, launched };
  } catch (error) {
    throw undone(error, record, config, options);
  }
}

/** Reads the config.json of a container that is to be made. */
export function configFor(options: CreateOptions): Config {
  const ids = { uid: Deno.uid()!, gid: Deno.gid()! };
  const config = withIdMaps(readConfig(options.config), ids);
  checkTerminal(config, options);
  return config;
}

/** Removes what is left of a container that could not be made, and returns the error to throw. */
export function undone(
  error: unknown,
  record: ContainerRecord,
  config: Config,
  { bundle }: CreateOptions,
): OciError {
  // Before it is removed: the words may come from files of the container.
  const failure = new OciError(wordsFor(error, config.process?.args?.[0]));
  destroy(record);
  if (isOfHook(error)) {
    const fixed = fixedState(record.id, config, bundle);
    runEachHook(config, "poststop", { ...fixed, pid: 0, status: "stopped" });
  }
  return failure;
}

/** Whether a hook has failed, at a point of a launch. */
function isOfHook(error: unknown): boolean {
  return error instanceof HookError || error instanceof Error && isOfHook(error.cause);
}

function checkTerminal(
  { process }: Config,
  { consoleSocket, terminal }: CreateOptions,
): void {
  const isWanted = process?.terminal === true;
  if (isWanted && consoleSocket === undefined && terminal === undefined) {
    throw new OciError("process.terminal: use --console-socket, as nobody else has the other side");
  }
  if (!isWanted && consoleSocket !== undefined) {
    throw new OciError("--console-socket: the process has no terminal");
  }
}

/** Reads config.json. */
export function readConfig(path: string): Config {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new OciError(`${path}: no such file or directory`);
    }
    throw error;
  }
  try {
    const config = parseConfig(text);
    const issue = kindIssue(config);
    if (issue !== undefined) throw new SyntaxError(issue);
    return withoutNulls(config);
  } catch (error) {
    throw new OciError(`${path} is not valid: ${(error as Error).message}`);
  }
}

/** A container that lacks its process. */
export interface Draft {
  readonly record: ContainerRecord;
  readonly config: Config;
  readonly options: CreateOptions;
  readonly made: ConfigRecipe;
  readonly fixed: FixedState;
  /** Where its devices were made. */
  readonly stage: string | undefined;
}

/** Makes the control groups of a container, and its recipe. */
export function draftOf(
  runtime: Runtime,
  record: ContainerRecord,
  config: Config,
  options: CreateOptions,
): Draft {
  const { bundle } = options;
  const able = caller();
  const mounted = mountedHierarchies();
  const hierarchies = runtime.cgroups ? mounted : [];
  const path = groupPath(config, record.id);
  const planned = hierarchies.map((hierarchy) => ({ hierarchy, path: hierarchy.top + path }));
  requireUnused(path, planned.map(({ path }) => path));
  record.recordGroups(planned);
  const groups = makeGroups(hierarchies, path, able.isRoot);
  applyResources(groups, config.linux?.resources ?? {});
  applyDevices(groups, able.isRoot ? config.linux?.resources?.devices ?? [] : [], "defaults");
  const stage = able.mayMakeDevices && needsStage(config) ? record.directory : undefined;
  if (stage !== undefined) makeStaged(config, stage);
  const made = recipeOf(withNotify(config, record), {
    addresses: addressesOf,
    bundle,
    hierarchies: mounted,
    groups,
    stage,
    ...able,
  });
  const fixed = fixedState(record.id, config, bundle);
  return { record, config, options, made, fixed, stage };
}

/** Records a container whose process waits, and tells whoever wants to know of it. */
export function complete(
  { record, config, options, fixed, stage }: Draft,
  launched: Pick<LaunchedProcess, "pid" | "pidfd" | "terminal">,
): void {
  if (stage !== undefined) removeStaged(config, stage);
  try {
    record.record(fixed, processIdentity(launched.pid), config);
    if (launched.terminal !== undefined && options.consoleSocket !== undefined) {
      sendTo(options.consoleSocket, launched.terminal);
    }
    if (options.pidfdSocket !== undefined) sendTo(options.pidfdSocket, launched.pidfd);
    if (options.pidFile !== undefined) writePidFile(options.pidFile, launched.pid);
  } catch (error) {
    Deno.kill(launched.pid, "SIGKILL");
    throw error;
  }
}

/** Engines name the group; others get one by the container's id. */
function groupPath({ linux = {} }: Config, id: string): string {
  const { cgroupsPath } = linux;
  if (cgroupsPath === undefined || cgroupsPath === "") return `/ramekin-${id}`;
  if (/^[^/]*:[^/]*:[^/]*$/.test(cgroupsPath)) {
    unsupported(
      "linux.cgroupsPath",
      `"${cgroupsPath}" is a unit of systemd, which nobody is asked for over D-Bus; use ` +
        "--cgroup-manager=cgroupfs, of podman and of this runtime",
    );
  }
  const names = cgroupsPath.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) unsupported("linux.cgroupsPath", 'it may not contain ".."');
  if (names.length === 0) unsupported("linux.cgroupsPath", "it is the group of all processes");
  // The record has a group a line, and whatever is in these is killed in the end.
  if (cgroupsPath.includes("\n")) unsupported("linux.cgroupsPath", "no group has a line end");
  return `/${names.join("/")}`;
}

/** Refuses groups with processes of others, which would end with the container. */
function requireUnused(path: string, groups: readonly string[]): void {
  const count = pidsIn(groups).length;
  if (count === 0) return;
  unsupported("linux.cgroupsPath", `the control group ${path} is in use: ${count} processes`);
}

function fixedState(id: string, config: Config, bundle: string): FixedState {
  return {
    ociVersion: config.ociVersion ?? OCI_VERSION,
    id,
    bundle,
    rootfs: rootOf(config, bundle),
    created: new Date().toISOString(),
    owner: "",
    annotations: config.annotations ?? {},
  };
}

/** Starts the process that waits. */
function launch({ record, config, made, options, fixed }: Draft): LaunchedProcess {
  const { environment } = made.program;
  const listening = Number(Deno.env.get("LISTEN_FDS") ?? 0) || 0;
  const count = options.preserveFds + listening;
  const fds = preserved(count);
  const opened = fds.map(({ fd }) => fd);
  try {
    const plan = planRecipe(checkedSteps(made.steps), {
      recorded: true,
      ...(config.process?.terminal === true && {
        console: { owner: config.process.user?.uid ?? 0 },
      }),
      ...listenerOf(config.linux ?? {}, (pid) => ({ ...fixed, pid, status: "creating" })),
      ...(hasHooks(config) && {
        beforeRoot: (pid: number) => runEarlyHooks(config, { ...fixed, pid, status: "creating" }),
      }),
    });
    const waiting = waitingProgram(record, made, {
      number: 3 + count,
      environment: listening === 0 ? environment : new Map([
        ...environment,
        ["LISTEN_FDS", String(listening)],
        // The program is not there yet: its pid in the container's namespace (sd_listen_fds(3)).
        ["LISTEN_PID", "1"],
      ]),
    });
    opened.push(waiting.fifo, waiting.image);
    giveStreams(config, config);
    return new Launcher(plan).spawn({
      ...waiting.spec,
      ...streamsOf(config, options.terminal),
      fds: [...fds, { number: 3 + count, fd: waiting.fifo }],
      image: waiting.image,
    });
  } finally {
    for (const fd of opened) syscall(close(fd));
  }
}

/**
 * Duplicates the descriptors that the program gets, beyond all of their numbers. Those that are not
 * open are left out, and what Deno has opened at such a number, which execve(2) closes.
 */
export function preserved(count: number): HandedFd[] {
  return Array.from({ length: count }, (_, index) => 3 + index).flatMap((number) => {
    const look = fcntl(number, F_GETFD, 0);
    const flags = syscalls([{ call: look, accept: ["EBADF"] }]).result(look);
    if (flags !== 0n) return [];
    return [{ number, fd: syscall(fcntl(number, F_DUPFD_CLOEXEC, 4 + count)) }];
  });
}

const F_GETFD = 1;

/** The streams are the caller's, or those of a terminal, of the container's own /dev/pts. */
export function streamsOf(
  { process }: Pick<Config, "process">,
  given?: Terminal,
): Pick<ExecSpec, "stdio"> & { readonly terminal?: Terminal } {
  const stdio = ["inherit", "inherit", "inherit"] as const;
  if (process?.terminal !== true) return { stdio };
  if (given !== undefined) return { stdio, terminal: given };
  const { height = 0, width = 0 } = process.consoleSize ?? {};
  const size = new Uint8Array(8);
  const view = new DataView(size.buffer);
  view.setUint16(0, height, true);
  view.setUint16(2, width, true);
  const reserved = syscall(openat(at_fdcwd, "/dev/null", O_RDWR | O_CLOEXEC));
  const terminal = { place: "container", reserved, size: new Struct(size, "&size") } as const;
  return { stdio, terminal };
}

const EARLY_HOOKS: readonly HookKind[] = ["prestart", "createRuntime", "createContainer"];

function hasHooks({ hooks = {} }: Config): boolean {
  return EARLY_HOOKS.some((kind) => (hooks[kind]?.length ?? 0) > 0);
}

function runEarlyHooks(config: Config, state: ContainerState): void {
  runHooks(config, "prestart", state);
  runHooks(config, "createRuntime", state);
  runHooks(config, "createContainer", state, {
    steps: [join(state.pid, { credentials: "keep" })],
    pid: state.pid,
  });
}

/** Writes a pid as engines read it: no line end, and whole from the beginning. */
export function writePidFile(path: string, pid: number): void {
  // No name that somebody can foresee, and lay a link at.
  const temporary = `${path}.${crypto.randomUUID()}`;
  Deno.writeTextFileSync(temporary, String(pid), { mode: 0o644, createNew: true });
  Deno.renameSync(temporary, path);
}
