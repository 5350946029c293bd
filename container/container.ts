/**
 * A running container, with the shape of `Deno.ChildProcess`.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { pidfd_send_signal, SIGNALS } from "../ffi/calls/processes.ts";
import type { Usage } from "../ffi/cgroups/usage.ts";
import { syscall } from "../ffi/syscalls.ts";
import { ifThere } from "../ffi/missing.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { type ProcessIdentity, processIdentity } from "../ffi/proc/process_identity.ts";
import { namespaces } from "../ffi/proc/process_namespaces.ts";
import type { Denials } from "../audit/denial.ts";
import type { UsedFiles } from "../audit/file_use.ts";
import type { Command } from "./command.ts";
import type { EnterOptions } from "./command_options.ts";
import { ContainerStreams } from "./container_streams.ts";
import { ENDED } from "./enter_steps.ts";
import { ContainerFiles } from "./files/container_files.ts";
import type { Place } from "./files/place.ts";
import type { StreamPumps } from "./passed_streams.ts";
import { pinNamespace, type PinnedNamespace } from "./pinned_namespace.ts";
import { programOf } from "./registry.ts";
import type { ContainerCgroup } from "../launch/cgroup.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import { askToEnd } from "../launch/ask_to_end.ts";
import { HeldEnd } from "../launch/held_end.ts";
import type { CommandOutput } from "../launch/output.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";
import { type CommandStatus, type ProcessEnd, reapStatus, statusSince } from "../launch/status.ts";
import type { Limits } from "../recipe/steps/limits.ts";
import type { FdStream } from "../ffi/fd_stream.ts";
import { shown } from "../recipe/shown.ts";
import { signalNumber } from "./signal_number.ts";
import type { OutputStream } from "./streams.ts";
import { after } from "./timer.ts";
import { endServices, type RunningService } from "../launch/running_service.ts";

/** The limits of a running container, and a callback for its end. */
export interface ContainerLimits {
  /** Ends the container when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** The time after which it is ended, in milliseconds. */
  readonly timeout?: number | undefined;
  /** How long it may go on after SIGTERM, in milliseconds, until SIGKILL. */
  readonly killAfter?: number | undefined;
  /** How many bytes of a stream `output()` collects before the container is killed. */
  readonly maxOutput?: number | undefined;
  /** What is told of it, if it is audited. */
  readonly audit?: { readonly denials: Denials; readonly uses?: UsedFiles | undefined } | undefined;
  /** Called once, after its end. */
  readonly ended?: () => Promise<void>;
}

/** Options of {@linkcode Container.stop}. */
export interface StopOptions {
  /** The signal that asks it to end. The default is SIGTERM. */
  readonly signal?: Deno.Signal | number;
  /**
   * How long it may go on then, in milliseconds, until SIGKILL; 0 sends SIGKILL at once. The default
   * is the `killAfter` of its command.
   */
  readonly grace?: number;
}

/** The processes of a container: its first one, and its program. */
export interface ContainerProcesses {
  readonly first: ProcessIdentity;
  readonly inside: ProcessIdentity;
}

/** The ways into a container. */
export interface Entrance {
  /** Makes a command that enters it. */
  command(processes: ContainerProcesses, program: string | URL, options: EnterOptions): Command;
  /** Whether something accepts connections to a port of its loopback addresses. */
  accepts(processes: ContainerProcesses, port: number): boolean;
  /** Returns its files, as they are to its program or to root in it. */
  place(processes: ContainerProcesses, user: "program" | "root"): Place;
}

/**
 * A running container: its program, and all processes that this has started. Made by `spawn()`.
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "pid"), mapRoot());
 * await using container = box.command("cat", { stdin: "piped", stdout: "piped" }).spawn();
 * const writer = container.stdin.getWriter();
 * await writer.write(new TextEncoder().encode("hello"));
 * await writer.close();
 * console.log(await container.stdout.text()); // hello
 * ```
 *
 * @example A program that the script does not wait for
 * ```ts
 * import { recipe } from "@ramekin/ramekin";
 *
 * await using watcher = recipe().command("sleep", { args: ["60"] }).spawn();
 * watcher.unref(); // the script may end before it, and the container ends with the script
 * watcher.ref(); // the script stays as long as the program, as at first
 * ```
 */
export class Container implements AsyncDisposable {
  readonly #pid: number;
  readonly #status: Promise<CommandStatus>;
  readonly #pidfd: number;
  readonly #startedAt: number;
  readonly #entrance: Entrance;
  readonly #exit: Watch;
  readonly #cgroup: ContainerCgroup | undefined;
  readonly #services: readonly RunningService[];
  readonly #streams: ContainerStreams;
  readonly #killAfter: number | undefined;
  readonly #audit: ContainerLimits["audit"];
  #ended = false;
  #timedOut = false;
  /** Whether it was asked to end, or killed. */
  #isEnding = false;
  #stopGrace: (() => void) | undefined;
  #identity: ProcessIdentity | undefined;

  /** Use `spawn()`. */
  constructor(
    launched: LaunchedProcess,
    descriptors: readonly (number | undefined)[],
    limits: ContainerLimits,
    entrance: Entrance,
    pumps?: StreamPumps,
  ) {
    this.#pid = launched.pid;
    this.#entrance = entrance;
    this.#pidfd = launched.pidfd;
    this.#startedAt = launched.startedAt;
    this.#cgroup = launched.cgroup;
    this.#services = launched.services;
    this.#exit = reactor().watch(launched.pidfd, "readable");
    const { maxOutput } = limits;
    const kill = () => this.#killNow();
    this.#streams = new ContainerStreams({ descriptors, pumps, maxOutput, kill });
    this.#killAfter = limits.killAfter;
    this.#audit = limits.audit;
    this.#status = this.#wait(limits);
    // A script that does not wait for it must not be ended by an error of the container's.
    this.#status.catch(() => {});
  }

  /** The pid of the container's first process, as this script sees it. */
  get pid(): number {
    return this.#pid;
  }

  /** Resolves when the program has ended. */
  get status(): Promise<CommandStatus> {
    return this.#status;
  }

  /**
   * The same as `pid`; `pidsIn` returns the pid in the container.
   *
   * @example
   * ```ts
   * import { mapRoot, pidsIn, recipe, unshare } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const box = recipe(unshare("user", "pid"), mapRoot());
   * await using container = box.command("sleep", { args: ["60"] }).spawn();
   * assertEquals(pidsIn(container.hostPid).at(-1), 1);
   * ```
   */
  get hostPid(): number {
    return this.pid;
  }

  /**
   * The pid and the start time of the container's first process, which identify it. `join` turns a
   * container into this.
   *
   * @example A step that joins a container holds its identity
   * ```ts
   * import { join, mapRoot, recipe, unshare } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const first = recipe(unshare("user", "net"), mapRoot());
   * await using container = first.command("sleep", { args: ["60"] }).spawn();
   * assertEquals(join(container, "user", "net").target, container.identity);
   * ```
   *
   * @throws {TypeError} if the container has ended
   */
  get identity(): ProcessIdentity {
    this.#requireRunning();
    // The pid is not reused before the process is reaped (waitid(2)).
    return this.#identity ??= processIdentity(this.pid);
  }

  /**
   * The ids of the namespaces of the container's first process, by kind. Those that equal an id of
   * `linux.namespaces()` are shared with the script.
   *
   * @throws {TypeError} if the container has ended
   */
  get namespaces(): Readonly<Partial<Record<NamespaceKind, number>>> {
    this.#requireRunning();
    const ids = namespaces(this.pid);
    return Object.fromEntries(
      NAMESPACE_KINDS.map((kind) => [kind, ids[kind]]).filter(([, id]) => id !== undefined),
    );
  }

  /**
   * Returns a command for a program in this container, with the options and methods of
   * `recipe.command`. Nothing runs yet.
   *
   * The program runs in all namespaces of the container's program, with its root, working directory,
   * cgroups, user, groups and capabilities. These steps of the recipe apply to it too: `clearEnv`,
   * `landlock`, `newSession`, `noNewPrivileges`, `rlimit`, `seccomp`, `setEnv`, `umask`, and
   * `capabilities` with `user: "root"`. For other combinations, see `join`.
   *
   * @example
   * ```ts
   * import { hostname, mapRoot, recipe, unshare } from "@ramekin/ramekin";
   *
   * const box = recipe(unshare("user", "uts"), mapRoot(), hostname("a-cooler-hostname"));
   * await using container = box.command("sleep", { args: ["60"] }).spawn();
   * const { stdout } = await container.enter("hostname").output();
   * console.log(new TextDecoder().decode(stdout)); // a-cooler-hostname
   * ```
   *
   * @example As root, in a container whose program is another user
   * ```ts
   * import { mapIds, recipe, setUser, unshare } from "@ramekin/ramekin";
   *
   * const ids = [{ inside: 0, outside: 100000, count: 65536 }];
   * const box = recipe(unshare("user"), mapIds({ uids: ids, gids: ids }), setUser({ uid: 33 }));
   *
   * async function idsIn(): Promise<string[]> {
   *   await using container = box.command("sleep", { args: ["60"] }).spawn();
   *   const commands = [container.enter("id"), container.enter("id", { user: "root" })];
   *   const outputs = await Promise.all(commands.map((command) => command.output()));
   *   return outputs.map(({ stdout }) => new TextDecoder().decode(stdout));
   * }
   * console.log(box.steps.length);
   * ```
   *
   * @throws {TypeError} if the container has ended, also when the command is run
   * @throws {SyscallError} `EACCES` if its program has changed to another user, `EBUSY` if the
   * container is paused, also when the command is run
   */
  enter(program: string | URL, options: EnterOptions = {}): Command {
    return this.#entrance.command(this.#processes(), program, options);
  }

  /**
   * The container's files, as its program sees them, without a program in it: see
   * {@linkcode ContainerFiles}.
   *
   * @example A file of this machine, there and back
   * ```ts
   * import { mapRoot, recipe, tmpfs, unshare } from "@ramekin/ramekin";
   *
   * const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
   * await using container = box.command("sleep", { args: ["60"] }).spawn();
   * await container.fs.copyIn("/etc/hostname", "/mnt/name");
   * console.log(await container.fs.readTextFile("/mnt/name"));
   * ```
   */
  get fs(): ContainerFiles {
    return new ContainerFiles((user) => this.#entrance.place(this.#processes(), user));
  }

  /**
   * Whether a program in the container's network accepts connections to a port of TCP, at 127.0.0.1
   * or ::1: a server is ready then. The connection is closed at once. No program is needed for it.
   *
   * @example
   * ```ts
   * import { loopback, mapRoot, recipe, unshare } from "@ramekin/ramekin";
   *
   * const box = recipe(unshare("user", "net"), mapRoot(), loopback());
   * await using container = box.command("sleep", { args: ["60"] }).spawn();
   * console.log(container.accepts(6379)); // false
   * ```
   *
   * @throws {TypeError} if the container has ended, or for a port that there is not
   */
  accepts(port: number): boolean {
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new TypeError(`the port should be a number from 1 to 65535, not ${shown(port)}`);
    }
    return this.#entrance.accepts(this.#processes(), port);
  }

  #processes(): ContainerProcesses {
    const first = this.identity;
    const inside = ifThere(() => processIdentity(programOf(first.pid)), ["ENOENT", "ESRCH"]);
    if (inside === undefined) throw new TypeError(ENDED);
    return { first, inside };
  }

  /**
   * Pins a namespace of the container's first process, which then exists after its end, by a mount
   * on a new file, for `join(path)` in this or another script. Needs CAP_SYS_ADMIN, because the
   * mount is outside of the container. A pinned pid namespace takes no new processes after the end
   * of its PID 1.
   *
   * @example For root: a network that outlives its container
   * ```ts
   * import { join, recipe, unshare } from "@ramekin/ramekin";
   *
   * async function showLinksAfterwards(): Promise<void> {
   *   const first = recipe(unshare("net")).command("sleep", { args: ["60"] }).spawn();
   *   using network = first.pin("net", "/run/kitchen-network");
   *   await first[Symbol.asyncDispose]();
   *   await recipe(join(network.path)).command("ip", { args: ["link"] }).spawn().status;
   * }
   * ```
   *
   * @throws {TypeError} if the container has ended
   * @throws {SyscallError} `EPERM` for an unprivileged user, `EEXIST` if the file exists, `EINVAL`
   * for a mount namespace if the mount of the file is not private
   */
  pin(kind: NamespaceKind, path: string): PinnedNamespace {
    this.#requireRunning();
    return pinNamespace(this.pid, kind, path);
  }

  /**
   * The program's standard input. Writing fails with `Deno.errors.BrokenPipe` where nobody reads it.
   *
   * @throws {TypeError} if it is not piped
   */
  get stdin(): WritableStream<Uint8Array> {
    return this.#streams.stdin;
  }

  /**
   * The program's standard output.
   *
   * @throws {TypeError} if it is not piped
   */
  get stdout(): OutputStream {
    return this.#streams.output(1);
  }

  /**
   * The program's standard error.
   *
   * @throws {TypeError} if it is not piped
   *
   * @example
   * ```ts
   * import { recipe } from "@ramekin/ramekin";
   *
   * const command = recipe().command("ls", { args: ["/nonesuch"], stderr: "piped" });
   * await using container = command.spawn();
   * console.log(await container.stderr.text()); // ls: cannot access '/nonesuch': ...
   * ```
   */
  get stderr(): OutputStream {
    return this.#streams.output(2);
  }

  /**
   * What its programs were denied, with the option `audit`: each file, address, host and call once,
   * and what would allow it.
   *
   * @example
   * ```ts
   * import { describeDenial, sandbox } from "@ramekin/ramekin";
   *
   * const command = sandbox().command("ls", { args: ["/home"], audit: true, stderr: "null" });
   * const container = command.spawn();
   * await container.status;
   * console.log(container.denials.list.map(describeDenial)); // ["ls: read /home (--allow-read=/home)"]
   * ```
   *
   * @throws {TypeError} without that option
   */
  get denials(): Denials {
    if (this.#audit !== undefined) return this.#audit.denials;
    throw new TypeError("the container is not audited; the option { audit: true } does that");
  }

  /**
   * The files that its programs have used, with the option `audit: "uses"`: each once for each use,
   * as they named it. `ramekin learn` makes a recipe of them.
   *
   * @example
   * ```ts
   * import { sandbox } from "@ramekin/ramekin";
   *
   * const box = sandbox({ read: ["/etc/debian_version"] });
   * const command = box.command("cat", { args: ["/etc/debian_version"], audit: "uses" });
   * const container = command.spawn();
   * await container.status;
   * const read = container.uses.list.filter(({ use }) => use === "read");
   * console.log(read.some(({ path }) => path === "/etc/debian_version")); // true
   * ```
   *
   * @throws {TypeError} without that option
   */
  get uses(): UsedFiles {
    const uses = this.#audit?.uses;
    if (uses !== undefined) return uses;
    throw new TypeError('the files are not noted; the option { audit: "uses" } does that');
  }

  /**
   * Waits for the end of the program, and returns its status and output. A piped standard input is
   * left open: the script closes it.
   *
   * @example
   * ```ts
   * import { recipe } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const container = recipe().command("echo", { args: ["soup"], stdout: "piped" }).spawn();
   * const { success, stdout } = await container.output();
   * assertEquals([success, new TextDecoder().decode(stdout)], [true, "soup\n"]);
   * ```
   *
   * @throws {TypeError} if one of its streams is or was read to its end elsewhere
   * @throws {OutputLimitError} if it writes more than `maxOutput`; the container is killed then
   */
  async output(): Promise<CommandOutput> {
    return await this.#streams.collect(this.status);
  }

  /**
   * Sends a signal to the container's first process. A program that is PID 1 ignores signals that
   * it does not handle, except SIGKILL and SIGSTOP (pid_namespaces(7)); with the step `init` it is
   * not PID 1.
   *
   * @example
   * ```ts
   * import { init, mapRoot, recipe, unshare } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const box = recipe(unshare("user", "pid"), mapRoot(), init());
   * await using container = box.command("sleep", { args: ["60"] }).spawn();
   * container.kill("SIGTERM");
   * assertEquals((await container.status).code, 128 + 15);
   * ```
   *
   * @param signal its name, or its number; 0 only checks
   * @throws {TypeError} if the container has ended, or for a signal that Linux does not have
   */
  kill(signal: Deno.Signal | number = "SIGTERM"): void {
    this.#requireRunning();
    const number = signalNumber(signal);
    syscall(pidfd_send_signal(this.#pidfd, number));
    if (number === SIGNALS.SIGKILL) this.#cgroup?.killed();
  }

  /**
   * Asks the container to end, and resolves with its status once it has: its first process gets a
   * signal, and SIGKILL after the grace, or at once if the signal would not reach it, as `killAfter`
   * has it. One that has ended already is as well.
   *
   * @example
   * ```ts
   * import { init, mapRoot, recipe, unshare } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const box = recipe(unshare("user", "pid"), mapRoot(), init());
   * const container = box.command("sleep", { args: ["60"] }).spawn();
   * assertEquals((await container.stop({ signal: "SIGINT", grace: 1000 })).code, 128 + 2);
   * ```
   *
   * @throws {TypeError} for a signal that Linux does not have, or a grace that is no time
   */
  async stop({ signal = "SIGTERM", grace = this.#killAfter }: StopOptions = {}): Promise<
    CommandStatus
  > {
    const number = signalNumber(signal);
    if (grace !== undefined && !(grace >= 0)) {
      throw new TypeError(`the grace should be a number of milliseconds, not ${shown(grace)}`);
    }
    this.#end(grace, number);
    return await this.status;
  }

  /**
   * Returns what the container uses of the machine, also after its end.
   *
   * @throws {TypeError} if the recipe has no step `limits`
   */
  usage(): Usage {
    return this.#group.usage();
  }

  /**
   * Changes limits; those that are left out stay as they are.
   *
   * @example More processes while it runs, and a pause
   * ```ts
   * import { limits, recipe, UnsupportedError } from "@ramekin/ramekin";
   *
   * const box = recipe(limits({ pids: 100 }));
   * try {
   *   await using container = box.command("sleep", { args: ["60"] }).spawn();
   *   container.update({ pids: 200 });
   *   await container.pause();
   *   container.resume();
   * } catch (error) {
   *   if (!(error instanceof UnsupportedError)) throw error;
   *   console.log(error.message); // no group that this user may change
   * }
   * ```
   *
   * @throws {TypeError} if the container has ended, or the recipe has no step `limits`
   * @throws {RecipeError} if a limit is invalid
   * @throws {UnsupportedError} if it cannot be set here
   * @throws {SyscallError} if a write to a file of the group fails: `EBUSY` if more is in use than
   * the new limit
   */
  update(limits: Limits): void {
    this.#runningGroup.update(limits);
  }

  /**
   * Freezes all processes of the container; resolves when they are frozen. If the script ends, by
   * whatever cause, they are thawed, so that they end with it.
   *
   * @throws {TypeError} if the container has ended, or the recipe has no step `limits`
   * @throws {SyscallError} `EAGAIN` at the limit of processes
   */
  async pause(): Promise<void> {
    await this.#runningGroup.pause();
  }

  /**
   * Thaws the processes that `pause()` has frozen.
   *
   * @throws {TypeError} if the container has ended, or the recipe has no step `limits`
   */
  resume(): void {
    this.#runningGroup.resume();
  }

  /** Makes the container keep the event loop alive, which is the default. */
  ref(): void {
    for (const wait of this.#waits()) wait.ref();
  }

  /** Lets the event loop end before the container does. */
  unref(): void {
    for (const wait of this.#waits()) wait.unref();
  }

  /**
   * Ends the container, by SIGTERM and later SIGKILL (the option `killAfter`), waits until it is
   * cleaned up, and closes its streams.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.status;
    for (const channel of this.#streams.open) channel.close();
  }

  async #wait({ signal, timeout, ended }: ContainerLimits): Promise<CommandStatus> {
    const end = () => this.#end();
    if (signal?.aborted === true) end();
    signal?.addEventListener("abort", end);
    const stopTimer = timeout === undefined ? undefined : after(timeout, () => {
      this.#timedOut = !this.#isEnding;
      end();
    });
    const reaped = await this.#reaped();
    const status = reaped && statusSince(this.#startedAt, reaped);
    stopTimer?.();
    this.#stopGrace?.();
    signal?.removeEventListener("abort", end);
    this.#exit.close();
    syscall(close(this.#pidfd));
    const inGroup = await this.#cgroup?.end();
    endServices(this.#services);
    this.#streams.ended();
    if (this.#isEnding) this.#streams.open.forEach((channel) => channel.stopAtEof());
    await ended?.();
    if (status === undefined) throw new HeldEnd().error;
    return { ...status, ...inGroup, ...(this.#timedOut && { timedOut: true }) };
  }

  /** Resolves when the process has ended; to `undefined` where what traces it keeps how. */
  async #reaped(): Promise<ProcessEnd | undefined> {
    for (const held = new HeldEnd();;) {
      await this.#exit.ready("readable");
      const end = reapStatus(this.#pidfd);
      // From the moment when it is reaped its pid may be another's.
      this.#ended = end !== undefined || held.isOver;
      if (this.#ended) return end;
      await held.pause();
    }
  }

  #requireRunning(): void {
    if (this.#ended) throw new TypeError(ENDED);
  }

  get #group(): ContainerCgroup {
    if (this.#cgroup !== undefined) return this.#cgroup;
    throw new TypeError(
      "the container has no control group of its own; the step limits({}) gives it one",
    );
  }

  get #runningGroup(): ContainerCgroup {
    this.#requireRunning();
    return this.#group;
  }

  /** Asks the program to end, and kills it later if it has not, or at once if it may not be asked. */
  #end(killAfter = this.#killAfter, signal?: number): void {
    if (this.#ended || this.#isEnding) return;
    this.#isEnding = true;
    const { pid } = this;
    const grace = askToEnd({ pid, pidfd: this.#pidfd, cgroup: this.#cgroup }, killAfter, signal);
    if (grace !== undefined) this.#stopGrace = after(grace, () => this.#killNow());
  }

  #killNow(): void {
    if (this.#ended) return;
    this.#isEnding = true;
    this.kill("SIGKILL");
  }

  /** Returns what may keep the event loop alive. */
  #waits(): readonly (Watch | FdStream)[] {
    return [this.#exit, ...this.#streams.open];
  }
}
