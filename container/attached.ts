/**
 * A running container that another script has made.
 *
 * @module
 */

import { at_fdcwd, close } from "../ffi/calls/files.ts";
import { pidfd_open, pidfd_send_signal, SIGNALS } from "../ffi/calls/processes.ts";
import { groupOf } from "../ffi/cgroups/found.ts";
import type { Group } from "../ffi/cgroups/group.ts";
import type { Usage } from "../ffi/cgroups/usage.ts";
import { ifThere } from "../ffi/missing.ts";
import { type ProcessIdentity, processIdentity } from "../ffi/proc/process_identity.ts";
import { otherNamespaces } from "../ffi/proc/process_namespaces.ts";
import { HIDDEN_PROCESS } from "../ffi/proc/proc_dir.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { readLinks } from "../ffi/files/read_links.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { syscall } from "../ffi/syscalls.ts";
import { hasEnded } from "../host/join_target.ts";
import { liveHost } from "../host/live_host.ts";
import { askToEnd } from "../launch/ask_to_end.ts";
import { visit } from "../launch/visit.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import { checkLimits } from "../plan/steps/limits.ts";
import { shown } from "../recipe/shown.ts";
import type { Step } from "../recipe/steps.ts";
import type { Limits } from "../recipe/steps/limits.ts";
import type { Command } from "./command.ts";
import { checkEnteringUser, type EnterOptions } from "./command_options.ts";
import { environmentIn, limitsOf, rootLimitsOf } from "./confinement.ts";
import type { StopOptions } from "./container.ts";
import { ENDED, orEnded } from "./enter_steps.ts";
import { ContainerFiles } from "./files/container_files.ts";
import { IN_ROOT, type Place } from "./files/place.ts";
import { Recipe } from "./recipe.ts";
import { programOf, type RunningContainer, runningContainers } from "./registry.ts";
import { signalNumber } from "./signal_number.ts";
import { after } from "./timer.ts";

/** What is attached to. */
export type AttachTarget = number | string | ProcessIdentity;

/** Options of {@linkcode attach}. */
export interface AttachOptions {
  /**
   * Whether it may be a container of another user's script, or one of a script in a container, or by
   * its pid any process.
   */
  readonly any?: boolean;
}

/**
 * Attaches to a running container that another script has made: by the pid of its first process or
 * of its program, by its identity, or by the name that its script has given it, which is that of the
 * program that it runs. The list of them is `runningContainers()`.
 *
 * What a process says of its containers counts only if its script is this user's, outside of all
 * containers, and no more restricted than this process; `any` lifts that.
 *
 * @throws {TypeError} if there is no such container, or there are several of the name
 * @throws {SyscallError} `EMFILE` if no more files may be open
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { attach, mapRoot, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
 * const made = box.command("sleep", { args: ["60"] }).spawn(); // by another script, as a rule
 *
 * using container = attach(made.pid);
 * await container.fs.writeTextFile("/mnt/menu", "leek soup");
 * await container.enter("cat", { args: ["/mnt/menu"] }).spawn().status; // leek soup
 * await container.stop();
 * ```
 */
export function attach(
  target: AttachTarget,
  { any = false }: AttachOptions = {},
): AttachedContainer {
  const found = runningContainers().filter(({ own }) => own || any).filter(isMeant(target));
  const [first, ...others] = found;
  const what = typeof target === "object" ? target.pid : target;
  if (first === undefined) {
    const process = any && typeof target !== "string" ? processOf(target) : undefined;
    if (process !== undefined) return AttachedContainer.open(process, process.started);
    throw new TypeError(
      `no running container of a script of this user's is ${
        shown(what)
      }; runningContainers() has ` +
        "the list",
    );
  }
  if (others.length > 0) {
    throw new TypeError(
      `there are ${found.length} containers with the name ${shown(what)}: ` +
        found.map(({ pid }) => pid).join(", "),
    );
  }
  const started = typeof target === "object" && target.pid === first.pid
    ? target.started
    : undefined;
  return AttachedContainer.open(first, started);
}

/** A process that is no container; `undefined` if it has ended. */
function processOf(
  target: number | ProcessIdentity,
): ProcessIdentity & { readonly name: string } | undefined {
  const wanted = typeof target === "number" ? target : target.pid;
  return ifThere(() => {
    const { pid, started } = processIdentity(wanted);
    if (typeof target === "object" && target.started !== started) return undefined;
    return { pid, started, name: readWholeText(at_fdcwd, `/proc/${pid}/comm`).trimEnd() };
  }, HIDDEN_PROCESS);
}

function isMeant(target: AttachTarget): (container: RunningContainer) => boolean {
  if (typeof target === "string") {
    // A program can call itself by the name of another container.
    return ({ name, namedBy }) => namedBy === "script" && name === target;
  }
  const wanted = typeof target === "object" ? target.pid : target;
  return ({ pid, program }) => pid === wanted || program === wanted;
}

/**
 * A running container that another script has made, by {@linkcode attach}. It does not end with this
 * object, whose end only closes a descriptor.
 *
 * @example What it uses, a pause, and its end
 * ```ts
 * import { attach, limits, recipe, UnsupportedError } from "@ramekin/ramekin";
 *
 * try {
 *   const made = recipe(limits({ pids: 100 })).command("sleep", { args: ["60"] }).spawn();
 *   using container = attach(made.identity);
 *   console.log(container.pid, container.name, container.usage().pids);
 *   container.update({ pids: 50 });
 *   container.pause();
 *   container.resume();
 *   container.kill("SIGTERM");
 *   await container.ended;
 *   console.log(container.hasEnded, container.identity.pid); // true ...
 * } catch (error) {
 *   if (!(error instanceof UnsupportedError)) throw error;
 *   console.log(error.message); // no group that this user may change
 * }
 * ```
 */
export class AttachedContainer implements Disposable {
  /** The pid and the start time of its first process. */
  readonly identity: ProcessIdentity;
  /** Its name: that of the program that its script has started. */
  readonly name: string;
  readonly #pidfd: number;
  readonly #group: Group | undefined;
  /** What waits for its end, once somebody does. */
  #exit: { readonly watch: Watch; readonly ended: Promise<void> } | undefined;
  #isClosed = false;

  private constructor(identity: ProcessIdentity, name: string, pidfd: number) {
    this.identity = identity;
    this.name = name;
    this.#pidfd = pidfd;
    this.#group = ifThere(() => groupOf(identity.pid), HIDDEN_PROCESS);
  }

  /** Use {@linkcode attach}. */
  static open(
    { pid, name }: Pick<RunningContainer, "pid" | "name">,
    started: number | undefined,
  ): AttachedContainer {
    const pidfd = ifThere(() => syscall(pidfd_open(pid, 0)), ["ESRCH"]);
    if (pidfd === undefined) throw new TypeError(ENDED);
    try {
      // By the descriptor: another process may have the pid by now.
      const identity = processIdentity({ number: pidfd });
      if ((started ?? identity.started) !== identity.started) throw new TypeError(ENDED);
      return new AttachedContainer(identity, name, pidfd);
    } catch (error) {
      syscall(close(pidfd));
      throw error;
    }
  }

  /** The pid of its first process, as this script sees it. */
  get pid(): number {
    return this.identity.pid;
  }

  /** Whether it has ended. */
  get hasEnded(): boolean {
    return hasEnded(this.identity);
  }

  /** Resolves when it has ended, and keeps the script running until then. Its status is its script's. */
  get ended(): Promise<void> {
    this.#requireOpen();
    if (this.#exit === undefined) {
      const watch = reactor().watch(this.#pidfd);
      this.#exit = { watch, ended: watch.ready("readable").then(() => {}) };
    }
    return this.#exit.ended;
  }

  /**
   * Returns a command for a program in this container, as `container.enter()` does. What restricts
   * its program is taken from the kernel: user, groups, capabilities, umask, no new privileges. Of a
   * filter of system calls the kernel says only that there is one, so that of a sandbox is used; and
   * nothing of rules of Landlock, which do not apply then. It gets no variables of this process's
   * environment, and those of the container's program where that has a user and a mount namespace of
   * its own.
   *
   * @throws {TypeError} if the container has ended, also when the command is run
   * @throws {SyscallError} `EACCES` if it is another user's, `EBUSY` if it is paused
   */
  enter(
    program: string | URL,
    { user = "program", env, ...options }: EnterOptions = {},
  ): Command {
    checkEnteringUser(user);
    return this.#running(({ pid, started }) => {
      const isRoot = user === "root";
      const steps: Step[] = [
        {
          step: "join",
          target: { pid, started },
          root: true,
          cwd: true,
          cgroup: true,
          credentials: isRoot ? "root" : "process",
        },
        { step: "clearEnv" },
        { step: "setEnv", variables: { ...environmentIn(pid, isRoot), ...env } },
        // A program without a terminal of its own must not type into this one's (TIOCSTI).
        { step: "newSession" },
        ...limitsOf(pid, isRoot),
      ];
      return new Recipe(steps).command(program, options);
    });
  }

  /**
   * The container's files: see {@linkcode ContainerFiles}. They are looked up as its program's user
   * and with its capabilities, but not under rules of Landlock, which the kernel does not show.
   *
   * @throws {TypeError} when it is used: if the container has ended, or has no root of its own, so
   * that its files are those of this machine
   */
  get fs(): ContainerFiles {
    return new ContainerFiles((user) => this.#place(user));
  }

  #place(user: "program" | "root"): Place {
    const plan = this.#running((target) => {
      const { pid } = target;
      requireOwnRoot(pid);
      const isRoot = user === "root";
      const join: Step = {
        step: "join",
        target,
        kinds: otherNamespaces(pid, ["user", "mount"]),
        root: true,
        credentials: isRoot ? "root" : "process",
      };
      return planRecipe([join, ...(isRoot ? rootLimitsOf(pid) : [])]);
    });
    return {
      resolve: IN_ROOT,
      named: (path) => `${path} in the container`,
      make: (calls) => this.#running(() => visit(plan, calls)),
    };
  }

  /**
   * Sends a signal to its first process.
   *
   * @throws {TypeError} if it has ended, or for a signal that Linux does not have
   * @throws {SyscallError} `EPERM` if it is another user's
   */
  kill(signal: Deno.Signal | number = "SIGTERM"): void {
    this.#requireRunning();
    syscall(pidfd_send_signal(this.#pidfd, signalNumber(signal)));
  }

  /**
   * Asks it to end, as `container.stop()` does, and resolves once it has.
   *
   * @throws {TypeError} for a signal that Linux does not have
   * @throws {SyscallError} `EPERM` if it is another user's
   */
  async stop({ signal = "SIGTERM", grace }: StopOptions = {}): Promise<void> {
    const number = signalNumber(signal);
    this.#requireOpen();
    if (this.hasEnded) return;
    const { pid } = this;
    const rest = askToEnd({ pid, pidfd: this.#pidfd, cgroup: undefined }, grace, number);
    const stop = rest === undefined ? undefined : after(rest, () => {
      if (!this.hasEnded) syscall(pidfd_send_signal(this.#pidfd, SIGNALS.SIGKILL));
    });
    await this.ended;
    stop?.();
  }

  /**
   * Returns what it uses of the machine.
   *
   * @throws {TypeError} if it has no control group of its own: the step `limits`
   */
  usage(): Usage {
    return this.#control().usage();
  }

  /**
   * Changes limits; those that are left out stay as they are. Its script is not told.
   *
   * @throws {TypeError} if it has ended, or has no control group of its own
   * @throws {RecipeError} if a limit is invalid
   * @throws {UnsupportedError} if it cannot be set here
   * @throws {SyscallError} `EACCES` if the group is another user's
   */
  update(limits: Limits): void {
    this.#requireRunning();
    this.#control().update(checkLimits(limits, liveHost()));
  }

  /**
   * Freezes its processes until `resume()`, also if this script ends.
   *
   * @throws {TypeError} if it has ended, or has no control group of its own
   * @throws {SyscallError} `EACCES` if the group is another user's
   */
  pause(): void {
    this.#requireRunning();
    this.#control().freeze(true);
  }

  /**
   * Thaws its processes.
   *
   * @throws {TypeError} if it has ended, or has no control group of its own
   */
  resume(): void {
    this.#requireRunning();
    this.#control().freeze(false);
  }

  /** Leaves the container alone, and closes the descriptor of it. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#exit?.watch.close();
    syscall(close(this.#pidfd));
  }

  #control(): Group {
    if (this.#group !== undefined) return this.#group;
    throw new TypeError(
      "the container has no control group of its own; the step limits({}) gives it one",
    );
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new TypeError("this has left the container already");
  }

  #requireRunning(): void {
    this.#requireOpen();
    if (this.hasEnded) throw new TypeError(ENDED);
  }

  /** Does something with its program; its error says so if the container has ended. */
  #running<T>(act: (program: ProcessIdentity) => T): T {
    this.#requireRunning();
    try {
      return act(processIdentity(programOf(this.pid)));
    } catch (error) {
      throw orEnded(error, this.identity);
    }
  }
}

/** Throws where the files of a process are those that this one sees. */
function requireOwnRoot(pid: number): void {
  if (otherNamespaces(pid, ["mount"]).length > 0) return;
  const [root, own] = readLinks([`/proc/${pid}/root`, "/proc/self/root"]);
  if (root !== own) return;
  throw new TypeError(
    "the container has no root of its own: its files are those of this machine, and what keeps its " +
      "program from some of them cannot be seen from here",
  );
}
