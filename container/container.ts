/**
 * A container that runs, with the shape of `Deno.ChildProcess`.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { pidfd_send_signal, SIGNALS } from "../ffi/calls/processes.ts";
import type { Usage } from "../ffi/cgroups/usage.ts";
import { syscall } from "../ffi/syscalls.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { type ProcessIdentity, processIdentity } from "../ffi/proc/process_identity.ts";
import { namespaces } from "../ffi/proc/process_namespaces.ts";
import type { Command } from "./command.ts";
import type { CommandOptions } from "./command_options.ts";
import { pinNamespace, type PinnedNamespace } from "./pinned_namespace.ts";
import type { ContainerCgroup } from "../launch/cgroup.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import { type CommandOutput, commandOutput } from "../launch/output.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";
import { type CommandStatus, reapStatus } from "../launch/status.ts";
import type { Limits } from "../recipe/steps/limits.ts";
import { FdStream } from "../ffi/fd_stream.ts";
import { inputStream, type OutputStream, outputStream } from "./streams.ts";
import { endServices, type RunningService } from "../launch/running_service.ts";

/** What ends a container, beside itself. */
export interface ContainerLimits {
  /** Kills the container when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** After how many milliseconds it is killed. */
  readonly timeout?: number | undefined;
  /** Called once, when it has ended. */
  readonly ended?: () => Promise<void>;
}

/** Makes a command that joins all of a process. */
export type Enter = (
  target: ProcessIdentity,
  program: string | URL,
  options: CommandOptions,
) => Command;

/**
 * A container that runs: its program, and all that this has started. Made by `spawn()`.
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
 * @example A program that nobody waits for
 * ```ts
 * import { recipe } from "@ramekin/ramekin";
 *
 * await using watcher = recipe().command("sleep", { args: ["60"] }).spawn();
 * watcher.unref(); // the script may end before it, and the container ends with the script
 * watcher.ref(); // the script stays as long as the program, as at first
 * ```
 */
export class Container implements AsyncDisposable {
  /** The pid of the container's first process, as this script sees it. */
  readonly pid: number;
  /** Resolves when the program has ended. */
  readonly status: Promise<CommandStatus>;
  readonly #pidfd: number;
  readonly #enter: Enter;
  readonly #exit: Watch;
  readonly #cgroup: ContainerCgroup | undefined;
  readonly #services: readonly RunningService[];
  readonly #channels: readonly (FdStream | undefined)[];
  #stdin: WritableStream<Uint8Array> | undefined;
  readonly #outputs: (OutputStream | undefined)[] = [];
  #ended = false;
  #timedOut = false;
  #killed = false;
  #identity: ProcessIdentity | undefined;

  /** Use `spawn()`. */
  constructor(
    launched: LaunchedProcess,
    descriptors: readonly (number | undefined)[],
    limits: ContainerLimits,
    enter: Enter,
  ) {
    this.pid = launched.pid;
    this.#enter = enter;
    this.#pidfd = launched.pidfd;
    this.#cgroup = launched.cgroup;
    this.#services = launched.services;
    this.#exit = reactor().watch(launched.pidfd);
    this.#channels = descriptors.map((fd) => fd === undefined ? undefined : new FdStream(fd));
    this.status = this.#wait(limits);
  }

  /**
   * The same as `pid`; `pidsIn` tells what it is in the container.
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
   * What tells the container's first process from all others, as data: what `join` makes of a
   * container.
   *
   * @example One container joins another, which is told as data
   * ```ts
   * import { join, mapRoot, recipe, unshare } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const first = recipe(unshare("user", "net"), mapRoot());
   * await using container = first.command("sleep", { args: ["60"] }).spawn();
   * assertEquals(join(container, "user", "net").target, container.identity);
   * ```
   *
   * @throws {TypeError} when the container has ended
   */
  get identity(): ProcessIdentity {
    this.#needsToRun();
    // Its number is nobody else's before its end has been waited for.
    return this.#identity ??= processIdentity(this.pid);
  }

  /**
   * The ids of the namespaces that the container's first process is in, by their kinds; it shares
   * those with the script that are the same as `linux.namespaces()` has.
   *
   * @throws {TypeError} when the container has ended
   */
  get namespaces(): Readonly<Partial<Record<NamespaceKind, number>>> {
    this.#needsToRun();
    const ids = namespaces(this.pid);
    return Object.fromEntries(
      NAMESPACE_KINDS.map((kind) => [kind, ids[kind]]).filter(([, id]) => id !== undefined),
    );
  }

  /**
   * A program in this container, with the options and methods of `recipe.command`: in all its
   * namespaces, its root, working directory and cgroups, as root of its user namespace; with the
   * environment and within the limits that the recipe sets: `capabilities`, `clearEnv`, `landlock`,
   * `noNewPrivileges`, `rlimit`, `seccomp`, `setEnv`. For less than that, or more, see `join`.
   * Nothing runs yet.
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
   * @throws {TypeError} when the container has ended
   * @throws {SyscallError} `EACCES` where its first process has become another user
   */
  enter(program: string | URL, options: CommandOptions = {}): Command {
    return this.#enter(this.identity, program, options);
  }

  /**
   * Pins a namespace of the container's first process beyond its end, by a mount on a new file,
   * for `join(path)` here or in another script. For root only: it is a mount outside of any
   * container. A pid namespace can be pinned, but has no more processes once its PID 1 has ended.
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
   * @throws {TypeError} when the container has ended
   * @throws {SyscallError} `EPERM` for an ordinary user, `EEXIST` where the file is there already,
   * `EINVAL` for a mount namespace where mounts are not private
   */
  pin(kind: NamespaceKind, path: string): PinnedNamespace {
    this.#needsToRun();
    return pinNamespace(this.pid, kind, path);
  }

  /**
   * What the program reads.
   *
   * @throws {TypeError} where that is not piped
   */
  get stdin(): WritableStream<Uint8Array> {
    return this.#stdin ??= inputStream(this.#channel(0));
  }

  /**
   * What the program writes to its standard output.
   *
   * @throws {TypeError} where it is not piped
   */
  get stdout(): OutputStream {
    return this.#outputs[1] ??= outputStream(this.#channel(1));
  }

  /**
   * What the program writes to its standard error.
   *
   * @throws {TypeError} where it is not piped
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
    return this.#outputs[2] ??= outputStream(this.#channel(2));
  }

  /**
   * Waits for the end of the program, and answers how it has ended and what it has written.
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
   * @throws {TypeError} where one of its streams is being read already
   */
  async output(): Promise<CommandOutput> {
    if (this.#channels[0] !== undefined && this.#stdin === undefined) this.#channels[0].close();
    const [status, stdout, stderr] = await Promise.all([
      this.status,
      this.#collect(1),
      this.#collect(2),
    ]);
    return commandOutput(status, stdout, stderr);
  }

  /**
   * Sends a signal to the container's first process. Where that is the program itself, as PID 1 it
   * ignores the signals that it does not handle, SIGKILL apart; with the step `init` it gets them.
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
   * @throws {TypeError} when the container has ended, or for a signal that Linux does not have
   */
  kill(signal: Deno.Signal = "SIGTERM"): void {
    this.#needsToRun();
    const number = SIGNALS[signal as keyof typeof SIGNALS];
    if (number === undefined) throw new TypeError(`Linux has no signal ${signal}`);
    syscall(pidfd_send_signal(this.#pidfd, number));
    if (number === SIGNALS.SIGKILL) this.#cgroup?.killed();
  }

  /**
   * What the container uses of the machine; once it has ended, what it has used.
   *
   * @throws {TypeError} where the recipe has no step `limits`
   */
  usage(): Usage {
    return this.#group.usage();
  }

  /**
   * Changes limits; those that are left out stay as they are.
   *
   * @example More processes, while it runs; then the container stands still for a moment
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
   * @throws {TypeError} when the container has ended, or the recipe has no step `limits`
   * @throws {RecipeError} where a limit is wrong
   * @throws {UnsupportedError} where it cannot be set here
   * @throws {SyscallError} naming the file that says no: `EBUSY` where more is in use than is to be
   */
  update(limits: Limits): void {
    this.#runningGroup.update(limits);
  }

  /**
   * Freezes all processes of the container, which do not notice; resolves when they stand still.
   *
   * @throws {TypeError} when the container has ended, or the recipe has no step `limits`
   */
  async pause(): Promise<void> {
    await this.#runningGroup.pause();
  }

  /**
   * Lets the processes go on that `pause()` has frozen.
   *
   * @throws {TypeError} when the container has ended, or the recipe has no step `limits`
   */
  resume(): void {
    this.#runningGroup.resume();
  }

  /** Lets the container keep the event loop alive, as it does at first. */
  ref(): void {
    for (const wait of this.#waits()) wait.ref();
  }

  /** Keeps the container from keeping the event loop alive. */
  unref(): void {
    for (const wait of this.#waits()) wait.unref();
  }

  /** Kills the container (SIGKILL), closes its streams, and waits until nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.kill("SIGKILL");
    await this.status;
    for (const channel of this.#channels) channel?.close();
  }

  async #wait({ signal, timeout, ended }: ContainerLimits): Promise<CommandStatus> {
    const kill = () => {
      if (this.#ended) return;
      this.#killed = true;
      this.kill("SIGKILL");
    };
    if (signal?.aborted === true) kill();
    signal?.addEventListener("abort", kill);
    const timer = timeout === undefined ? undefined : setTimeout(() => {
      this.#timedOut = !this.#ended;
      kill();
    }, timeout);
    let status: CommandStatus | undefined;
    while (status === undefined) {
      await this.#exit.ready("readable");
      status = reapStatus(this.#pidfd);
    }
    this.#ended = true;
    if (timer !== undefined) clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
    this.#exit.close();
    syscall(close(this.#pidfd));
    if (this.#cgroup !== undefined) status = { ...status, ...await this.#cgroup.end() };
    endServices(this.#services);
    if (this.#killed) this.#channels.forEach((channel) => channel?.stopAtEof());
    await ended?.();
    return this.#timedOut ? { ...status, timedOut: true } : status;
  }

  #needsToRun(): void {
    if (this.#ended) throw new TypeError("the container has ended already");
  }

  get #group(): ContainerCgroup {
    if (this.#cgroup !== undefined) return this.#cgroup;
    throw new TypeError(
      "the container has no control group of its own; the step limits({}) gives it one",
    );
  }

  get #runningGroup(): ContainerCgroup {
    this.#needsToRun();
    return this.#group;
  }

  #channel(fd: 0 | 1 | 2): FdStream {
    const channel = this.#channels[fd];
    if (channel === undefined) {
      const name = ["stdin", "stdout", "stderr"][fd];
      throw new TypeError(`Cannot get '${name}': '${name}' is not piped`);
    }
    return channel;
  }

  async #collect(fd: 1 | 2): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const channel = this.#channels[fd];
    if (channel === undefined) return undefined;
    const stream = this.#outputs[fd];
    if (stream !== undefined) return await stream.bytes();
    const bytes = await channel.readAll();
    channel.close();
    return bytes;
  }

  /** What may keep the event loop alive. */
  #waits(): readonly (Watch | FdStream)[] {
    return [this.#exit, ...this.#channels.filter((channel) => channel !== undefined)];
  }
}
