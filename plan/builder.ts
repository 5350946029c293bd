/**
 * What the lowerings write with: the calls so far, and what the launch has to do beside them.
 *
 * @module
 */

import { type Call, call, type Fd, Output, ResultOf, Slot } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  fchdir,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openat,
} from "../ffi/calls/files.ts";
import { PR_SET_NO_NEW_PRIVS, prctl } from "../ffi/calls/processes.ts";
import type { GroupLimits } from "../ffi/cgroups/limits.ts";
import { type Edges, Label } from "../ffi/engine/program.ts";
import type { LazyFixes } from "../ffi/fix.ts";
import type { Host } from "../host/host.ts";
import type { ResolvedPath } from "../host/resolve_path.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import { AccessRecorder } from "./access/recorder.ts";
import { ContainerPath } from "./container_path.ts";
import { HostPath } from "./host_path.ts";
import {
  CONTAINER_SOCKET,
  type InheritedFd,
  type ParentAction,
  type SyncPoint,
} from "./parent_work.ts";
import { PlannedState } from "./planned_state.ts";
import { EXIT_CHILD, newProcess, type PlannedCall, type ProcessPlan } from "./process.ts";
import type { MountDescription, PlannedMount } from "./mount_table.ts";
import { StepCursor } from "./step_cursor.ts";

/** What a network of the container's own serves: the loopback interface, and a proxy on it. */
export type NetworkService = "loopback" | "proxy";

/** What a command wants of a plan beside its steps. */
export interface PlanOptions {
  /** What is set up in a network namespace that the recipe makes. */
  readonly network?: NetworkService | undefined;
}

/** How a call goes on, and what its errors mean. */
export interface CallOptions extends Edges {
  readonly fixes?: LazyFixes | undefined;
}

const NO_OPTIONS: CallOptions = {};

/** A directory that is open, and the mount that it is on. */
interface OpenDirectory {
  readonly mount: PlannedMount;
  readonly fd: ResultOf;
}

/**
 * How many descriptors a plan leaves to execve(2) to close; those beyond are closed one by one, as
 * a process may have 1024 in all (RLIMIT_NOFILE, the usual soft limit).
 */
const UNCLOSED_FDS = 128;

/** Where a step's calls are written. */
export class PlanBuilder {
  /** The machine that the plan is for. */
  readonly host: Host;
  readonly options: PlanOptions;
  /** The steps, and which of them is being lowered. */
  readonly cursor: StepCursor;
  /** What the container has become by now. */
  readonly state: PlannedState;
  /** What the steps reach of the host. */
  readonly access: AccessRecorder;
  /** The processes so far; steps write to the last. */
  readonly processes: ProcessPlan[] = [newProcess()];
  /** Calls that are made last, when nothing is left to do but to begin the program. */
  readonly beforeProgram: PlannedCall[] = [];
  /** Descriptors that the script opens for the container. */
  readonly inheritedFds: InheritedFd[] = [];
  /** The points at which the container waits for the script, in their order. */
  readonly syncPoints: SyncPoint[] = [];
  /** A socket of the container's network that is sent to the script, which accepts connections. */
  listener: ResultOf | undefined;
  /** Flags that the first clone(2) takes, so that no unshare(2) is needed. */
  cloneFlags = 0;
  /** The kinds of namespaces that those flags make. */
  readonly clonedKinds: Set<NamespaceKind> = new Set();
  /** The step that those flags serve first. */
  cloneStep: number | undefined;
  /** The signal that the container gets when the script ends, by number; 0 for none. */
  deathSignal = 9;
  /** Whether the first process only keeps the script out of the OOM killer's reach. */
  oomShield = false;
  /** Whether calls open files of /proc/self, which root owns while the process is undumpable. */
  opensProcSelf = false;
  /** Whether the plan depends on the host by more than the caller, its working directory and paths. */
  isMomentary = false;
  readonly #resolved = new Map<string, ResolvedPath>();
  #hostPaths: readonly ResolvedPath[] = [];
  #scriptDirectory: string | undefined;
  readonly #directories = new Map<string, OpenDirectory>();
  /** The directories that were opened in calls that may be skipped, with those before. */
  #opened: [path: string, before: OpenDirectory | undefined][] | undefined;
  #limits: { readonly stepIndex: number; readonly limits: GroupLimits } | undefined;
  #released = 0;
  /** Whether descriptors are closed at once: an open file keeps a mount busy (umount(2)). */
  readonly #closesAtOnce: boolean;
  /** Where the process works at first, opened; `"lost"` where nothing goes back there. */
  #workingDirectory: ResultOf | "lost" | undefined;
  #inOtherDirectory = false;

  /** A plan of these steps on this machine. */
  constructor(
    steps: readonly { readonly step: string }[],
    host: Host,
    options: PlanOptions = {},
  ) {
    this.host = host;
    this.options = options;
    this.cursor = new StepCursor(steps);
    this.#closesAtOnce = this.cursor.includes("unmount");
    this.state = new PlannedState(host);
    this.access = new AccessRecorder(this.cursor, this.state, this);
  }

  /** Whether the plan would be the same now. */
  get isCurrent(): boolean {
    if (this.isMomentary || this.state.caller !== this.host.credentials()) return false;
    const directory = this.#scriptDirectory;
    if (directory !== undefined && directory !== this.host.workingDirectory()) return false;
    // What the access list asks of the host comes when it is read.
    if (this.#hostPaths.length !== this.#resolved.size) {
      this.#hostPaths = [...this.#resolved.values()];
    }
    return this.host.unchanged(this.#hostPaths);
  }

  /** The process that is being written. */
  get process(): ProcessPlan {
    return this.processes.at(-1)!;
  }

  /** The process that lives as long as the container: its init, or the program. */
  get main(): ProcessPlan {
    return this.processes.find((process) => process.then === "init") ?? this.process;
  }

  /** Whether a process stays behind as the init. */
  get hasInit(): boolean {
    return this.main.then === "init";
  }

  /** Whether no call has been written yet: then namespaces can still be made by the first clone. */
  get untouched(): boolean {
    return this.processes.length === 1 && this.process.parts.length === 0;
  }

  /** Leaves namespaces to the first clone. */
  cloneWith(flags: number, kinds: ReadonlySet<NamespaceKind>): void {
    this.cloneFlags |= flags;
    this.cloneStep ??= this.cursor.index;
    for (const kind of kinds) if (kind !== "time") this.clonedKinds.add(kind);
  }

  /** Adds a call and returns it, so that later calls can refer to its result. */
  call(call: Call, options: CallOptions = NO_OPTIONS): Call {
    const { accept, onZero, onAccepted, onFailure = EXIT_CHILD, onSuccess, fixes } = options;
    const stepIndex = this.cursor.index;
    this.process.parts.push({
      call,
      accept,
      onZero,
      onAccepted,
      onFailure,
      onSuccess,
      stepIndex,
      fixes,
    });
    return call;
  }

  /** Adds calls that stand for one thing. */
  calls(calls: readonly Call[], fixes?: LazyFixes): void {
    for (const call of calls) this.call(call, { fixes });
  }

  /** Adds a call that opens a descriptor, and returns that. */
  open(call: Call, text: string, options: CallOptions = {}): ResultOf {
    return new ResultOf(this.call(call, options), text);
  }

  /** A place that edges of earlier calls can go on to. */
  place(label: Label): void {
    this.process.parts.push(label);
  }

  /** Whether what is written now may be skipped. */
  get isSkippable(): boolean {
    return this.#opened !== undefined;
  }

  /** Writes calls that may be skipped: edges of theirs lead to the label behind them. */
  skippable(name: string, write: (end: Label) => void): void {
    const end = new Label(name);
    this.rememberWorkingDirectory();
    const outer = this.#opened;
    const opened: [path: string, before: OpenDirectory | undefined][] = this.#opened = [];
    write(end);
    // What is opened in between is not open where that is skipped.
    for (const [path, before] of opened.reverse()) {
      const { fd } = this.#directories.get(path) ?? {};
      if (this.#closesAtOnce && fd !== undefined) this.call(close(fd));
      if (before === undefined) this.#directories.delete(path);
      else this.#directories.set(path, before);
    }
    this.#opened = outer;
    this.place(end);
  }

  /** A descriptor is not needed any more: execve(2) closes it, or if there are many, a call. */
  release(fd: Fd): void {
    if (this.#closesAtOnce || ++this.#released > UNCLOSED_FDS) this.call(close(fd));
  }

  /** Closes a descriptor now: no file that is open for writing can be executed (ETXTBSY). */
  closeWritten(fd: Fd): void {
    this.call(close(fd));
  }

  /** Goes on at the label: close(2) of an open descriptor returns 0. */
  goTo(label: Label, fd: Fd): void {
    this.call(close(fd), { onZero: label });
  }

  /** Closes the directories that are open to look beneath them, where they would keep a mount busy. */
  closeDirectories(): void {
    for (const { fd } of this.#directories.values()) this.call(close(fd));
    this.#directories.clear();
  }

  /**
   * Adds a call that limits the program, and with it the launch: it is made when all else is done,
   * wherever its step stands.
   */
  beforeExec(call: Call, fixes?: LazyFixes): void {
    this.beforeProgram.push({ call, stepIndex: this.cursor.index, fixes });
  }

  /** Sets no_new_privs, which seccomp and Landlock require. */
  setNoNewPrivileges(): void {
    if (this.state.gainsNoPrivileges) return;
    this.state.gainsNoPrivileges = true;
    this.beforeExec(prctl(PR_SET_NO_NEW_PRIVS, 1));
  }

  /** Refuses the current step. */
  refuse(message: string): never {
    this.cursor.refuse(message);
  }

  /** Refuses the step, unless the container has a namespace of this kind by now. */
  needs(kind: NamespaceKind, otherwise: string): void {
    if (this.state.unshared.has(kind)) return;
    this.refuse(`${otherwise}; put unshare("${kind}") before it`);
  }

  /**
   * Refuses the step, if the container is in another pid namespace than the script: the kernel then
   * reports the number of a new process as it is there, and the script could not find it.
   */
  needsHostPids(): void {
    if (!this.state.unshared.has("pid")) return;
    this.refuse(
      "the container is in a pid namespace of its own already; for one within it, " +
        "run a second recipe in the container",
    );
  }

  /** Refuses the step, unless the path is on a filesystem that the recipe has mounted. */
  requireContainerMount(path: string): void {
    this.needs("mount", `${path} would be made on the host`);
    if (this.state.mounts.isContainerMount(this.path(path).canonical)) return;
    this.refuse(
      `${path} is the host's, and would stay there; ` +
        "mount a tmpfs or an overlay there first, or say { host: true }",
    );
  }

  /** The current step has mounted something. */
  mounted(description: MountDescription): void {
    this.state.mounts.mounted({ ...description, stepIndex: this.cursor.index });
  }

  /** A path of the container's file tree, as it is at this step. */
  path(target: string): ContainerPath {
    return new ContainerPath(this, target);
  }

  /** A path that is looked up as it is, from the working directory where it is relative. */
  currentPath(path: string): ContainerPath {
    return new ContainerPath(this, path, "current");
  }

  /** What a step names to show or read: a file of the host, or one of the container's. */
  source(source: string): HostPath | ContainerPath {
    return HostPath.of(this, source) ?? new ContainerPath(this, source);
  }

  /** The working directory of the script, asked once for each plan. */
  workingDirectory(): string {
    return this.#scriptDirectory ??= this.host.workingDirectory();
  }

  /** Where a path of the host leads, asked once for each plan. */
  resolve(path: string): ResolvedPath {
    let resolved = this.#resolved.get(path);
    if (resolved === undefined) this.#resolved.set(path, resolved = this.host.resolve(path));
    return resolved;
  }

  /** A directory of the container, opened to look beneath it; once, as long as it is the same. */
  directory(path: string): ResultOf {
    const mount = this.state.mounts.mountOf(path);
    const known = this.#directories.get(path);
    if (known?.mount === mount) return known.fd;
    const fd = this.path(path).open(O_PATH | O_DIRECTORY, {
      fixes: () => ({
        ENOENT: `the directory ${path} does not exist; mkdir() makes it`,
        ENOTDIR: `${path} is not a directory`,
      }),
    });
    this.#opened?.push([path, known]);
    this.#directories.set(path, { mount, fd });
    return fd;
  }

  /**
   * Makes calls with an open directory as the working directory. mount(2) takes no descriptor, but
   * `"."`. The process stays there until {@linkcode returnToWorkingDirectory}.
   */
  inDirectory(directory: Fd, write: () => void): void {
    if (!this.#inOtherDirectory) this.rememberWorkingDirectory();
    this.#inOtherDirectory = true;
    this.call(fchdir(directory));
    write();
  }

  /** Goes back to where the process worked before {@linkcode inDirectory}. */
  returnToWorkingDirectory(): void {
    if (!this.#inOtherDirectory) return;
    this.#inOtherDirectory = false;
    if (this.#workingDirectory instanceof ResultOf) this.call(fchdir(this.#workingDirectory));
  }

  /** The working directory has been set by calls: there is nothing to go back to. */
  enteredWorkingDirectory(): void {
    this.#inOtherDirectory = false;
    this.#workingDirectory = undefined;
  }

  /** The container leaves its mount namespace: what is open of that is of no use in another. */
  leaveMountNamespace(): void {
    this.returnToWorkingDirectory();
    this.#workingDirectory = undefined;
    this.forgetDirectories();
  }

  /** Paths begin elsewhere from now on. */
  forgetDirectories(): void {
    this.#directories.clear();
  }

  /** Opens the working directory, if anything is going to need it. */
  rememberWorkingDirectory(): void {
    if (this.#workingDirectory !== undefined) return;
    // A later root has "/" as its working directory, if nothing looks at this one before.
    const { cursor } = this;
    if (cursor.nextRoot !== undefined && !cursor.comesLater("chdir")) {
      this.#workingDirectory = "lost";
      return;
    }
    const opened = openat(at_fdcwd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    this.#workingDirectory = this.open(opened, "<working directory>");
  }

  /** Goes on in a new process; the one so far ends, or stays as the init. */
  fork(then: "exit" | "init"): void {
    this.returnToWorkingDirectory();
    this.process.then = then;
    this.processes.push(newProcess());
    this.state.sessionLeader = false;
  }

  /** Has the script open something for the container, before there is one. */
  inheritFd(
    call: Call,
    text: string,
    { check, fixes }: Pick<InheritedFd, "check" | "fixes"> = {},
  ): Slot {
    const slot = new Slot(text);
    const stepIndex = this.cursor.index;
    this.inheritedFds.push({ stepIndex, call, slot, fixes, check });
    return slot;
  }

  /** The container waits here until the script has done its part. */
  syncWithParent(acts: (pid: string) => readonly ParentAction[]): void {
    const byte = new Output(1, "&byte");
    const arrival = this.call(call("write", CONTAINER_SOCKET, byte, 1));
    // A script that has given up closes its end: then 0 is read, and the container ends too.
    this.call(call("read", CONTAINER_SOCKET, byte, 1), { onZero: EXIT_CHILD });
    this.syncPoints.push({ stepIndex: this.cursor.index, arrival, acts });
    this.#shield();
  }

  /** The limits of the container's control group, where it is to have one, and their step. */
  get limits(): { readonly stepIndex: number; readonly limits: GroupLimits } | undefined {
    return this.#limits;
  }

  /** Gives the container a control group with limits. */
  limitTo(limits: GroupLimits): void {
    if (this.#limits !== undefined) {
      this.refuse("the container has its limits already; they hold for all of it");
    }
    this.#limits = { stepIndex: this.cursor.index, limits };
    this.#shield();
  }

  /**
   * Where memory is short in a group, the kernel kills a process with all that share its memory, as
   * the script does until the program has begun. It spares a vfork parent. A script with sync points
   * is not one, so an extra process is.
   */
  #shield(): void {
    if (this.oomShield || this.#limits === undefined || this.syncPoints.length === 0) return;
    this.oomShield = true;
    this.processes.unshift({ ...newProcess(), then: "exit" });
  }
}
