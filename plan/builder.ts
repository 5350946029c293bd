/**
 * A plan while the steps are lowered: the calls so far, and the script's part of the launch.
 *
 * @module
 */

import { type Call, call, type Fd, Output, ResultOf, Slot } from "../ffi/call.ts";
import { close, umask } from "../ffi/calls/files.ts";
import { PR_SET_NO_NEW_PRIVS, prctl } from "../ffi/calls/processes.ts";
import type { GroupLimits } from "../ffi/cgroups/limits.ts";
import { type Edges, Label } from "../ffi/engine/program.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import type { LazyFixes } from "../ffi/fix.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import type { Host } from "../host/host.ts";
import type { ResolvedPath } from "../host/resolve_path.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import { climbs, normalize } from "../recipe/path.ts";
import type { HostAccess, HostAccessKind } from "./access/access.ts";
import { AccessRecorder } from "./access/recorder.ts";
import type { ConsoleTerminal } from "./console.ts";
import { ContainerPath } from "./container_path.ts";
import { copyFields } from "./copy_fields.ts";
import { HostFacts } from "./host_facts.ts";
import { HostPath } from "./host_path.ts";
import {
  CONTAINER_SOCKET,
  type InheritedFd,
  type Placeholder,
  type SyncPoint,
} from "./parent_work.ts";
import { OpenDirectories } from "./open_directories.ts";
import { PlannedState } from "./planned_state.ts";
import {
  EXIT_CHILD,
  newProcess,
  type PlannedCall,
  type PlannedRecord,
  type ProcessPlan,
} from "./process.ts";
import { type MountDescription, touches } from "./mount_table.ts";
import { StepCursor } from "./step_cursor.ts";
import { UntrustedDirectories } from "./untrusted.ts";

/** What is set up in a network namespace of the container: `lo` alone, or `lo` with a proxy. */
export type NetworkService = "loopback" | "proxy";

/** The options of a plan. */
export interface PlanOptions {
  /** What is set up in a network namespace that the recipe creates. */
  readonly network?: NetworkService | undefined;
  /**
   * Whether the launcher is a process of the container's alone, as a box is: what comes before the
   * namespaces can be done in it.
   */
  readonly ownLauncher?: boolean | undefined;
  /** Throws unless an access is granted that is made while the plan is, and not only when it runs. */
  readonly admit?: ((access: HostAccess) => void) | undefined;
  /** Whether the container has a session of its own, and runs on when the script ends. */
  readonly detached?: boolean | undefined;
  /** Whether whoever launches the container keeps a record of it, so that it needs no marker. */
  readonly recorded?: boolean | undefined;
  /**
   * What is done outside once the container has its namespaces, before it gets another root, for the
   * process with this pid.
   */
  readonly beforeRoot?: ((pid: number) => void) | undefined;
  /**
   * Whether the program's terminal is the container's /dev/console too, and the user who owns it.
   */
  readonly console?: { readonly owner: number } | undefined;
  /**
   * Takes the listener of a filter that asks one (SCMP_ACT_NOTIFY), and the pid of the process, as
   * soon as the filter is in force: what the launch calls after that may be asked about. It is closed
   * then.
   */
  readonly takeListener?: ((listener: number, pid: number) => void) | undefined;
  /** Whether the script is told of the calls that could be denied. */
  readonly audit?: boolean | undefined;
}

/** A filter with a listener. */
export interface Notifier {
  /** The call that sets it. */
  readonly call: Call;
  readonly filter: Uint8Array<ArrayBuffer>;
  /** Who takes the listener at once; without it, the script has it while the program runs. */
  readonly take?: PlanOptions["takeListener"];
}

/**
 * How a time namespace is entered by a process that shares its memory with no other (setns(2)): it has
 * executed something by then, where it would have to copy all of the script's before.
 */
export interface TimeEntry {
  /** The call that enters all namespaces at once, and the one without that of the time. */
  readonly joint: Call;
  readonly others: Call;
  /** The file of the namespace. */
  readonly file: ResultOf;
  /** The calls that enter it later. */
  readonly later: readonly PlannedCall[];
}

/** The edges of a call, and the fixes for its errors. */
export interface CallOptions extends Edges {
  readonly fixes?: LazyFixes | undefined;
}

const NO_OPTIONS: CallOptions = {};

/** What launches have found of the host that a plan was made for otherwise. */
interface Found {
  link: boolean;
  miss: boolean;
}

/**
 * The number of descriptors that a plan leaves for execve(2) to close, which is more than a sandbox
 * has; and where the script may have few (RLIMIT_NOFILE), as it needs some itself. Any further one is
 * closed by a call. To close a mount that is attached nowhere takes a grace period of RCU; the init does
 * it while the program runs already.
 */
const UNCLOSED_FDS = { many: 192, few: 32 } as const;

/**
 * The most calls of a plan, and the most UTF-16 units of the paths that they are made for. The recipe
 * may be anybody's, and nothing is granted to it yet.
 */
const [MAX_CALLS, MAX_PATHS] = [100_000, 4 * 1024 * 1024];

/** The steps that can follow a filter under which privileges can be gained. */
const LAST_STEPS: ReadonlySet<string> = new Set(["setUser", "capabilities", "noNewPrivileges"]);

/** Collects the calls of the steps. */
export class PlanBuilder {
  /** The machine that the plan is for. */
  readonly host: Host;
  /** What the plan has asked of that machine. */
  readonly facts: HostFacts;
  readonly options: PlanOptions;
  /** The steps, and the position of the current one. */
  readonly cursor: StepCursor;
  /** The container as the steps so far have made it. */
  readonly state: PlannedState;
  /** The directories that are open, for lookups beneath them. */
  readonly directories: OpenDirectories;
  /** The access of the steps to the host. */
  readonly access: AccessRecorder;
  /** The processes so far; calls are added to the last. */
  readonly processes: ProcessPlan[] = [newProcess()];
  /** Calls of a launcher of the container's own, before the first clone. */
  readonly launcherParts: (PlannedRecord | Label)[] = [];
  /** Calls of such a launcher once the container has ended; none of them is a failure. */
  readonly finalParts: (PlannedRecord | Label)[] = [];
  /** Calls that are made directly before execve(2). */
  readonly beforeProgram: PlannedCall[] = [];
  /** Descriptors that the script opens for the container. */
  readonly inheritedFds: InheritedFd[] = [];
  /** The files that the script makes on the host, as there are mounts on them while it runs. */
  readonly placeholders: Placeholder[] = [];
  /** The points at which the container waits for the script, in order. */
  readonly syncPoints: SyncPoint[] = [];
  /** The call that lets the steps make files with the modes that they say, whatever the umask is. */
  readonly clearUmask: Call = umask(0);
  /** The umask of the script. */
  readonly scriptUmask: ResultOf = new ResultOf(this.clearUmask, "umask");
  /** The processes whose namespaces are joined. */
  readonly joined: { readonly identity: ProcessIdentity; readonly stepIndex: number }[] = [];
  /** How a time namespace is entered by the executable that executes the program, if it can be. */
  timeEntry: TimeEntry | undefined;
  /** A listening socket of the container's network, which is sent to the script. */
  listener: ResultOf | undefined;
  /** The call whose result is sent to the script, to be told of calls; and the filter as it decides. */
  notifier: Notifier | undefined;
  /** The terminal of the program, where that is open before the container gets its root. */
  console: ConsoleTerminal | undefined;
  /** The filters that deny what executes the sealed executable, which sets them itself. */
  readonly lateFilters: Set<Call> = new Set();
  /** The namespace flags of the first clone(2), which save an unshare(2). */
  cloneFlags = 0;
  /** The kinds of namespaces that these flags create. */
  readonly clonedKinds: Set<NamespaceKind> = new Set();
  /** The position of the first step with such flags. */
  cloneStep: number | undefined;
  /** The number of the signal that the container gets when the script ends; 0 for none. */
  deathSignal = 9;
  /**
   * Whether the first process is not the container's yet: it protects the script from the OOM
   * killer, or has dropped the script's groups.
   */
  hasForerunner = false;
  /**
   * Whether calls open files of /proc/self, which root owns while the process is undumpable
   * (proc(5)).
   */
  opensProcSelf = false;
  /** Whether the plan depends on more of the host than {@linkcode isCurrent} checks. */
  isMomentary = false;
  /** What launches have found, of this plan and of those that share its first steps. */
  readonly #found: Found;
  #isFound = false;
  #calls = 0;
  #paths = 0;
  #untrusted: UntrustedDirectories | undefined;
  #isFinishing = false;
  #limits: { readonly stepIndex: number; readonly limits: GroupLimits } | undefined;
  #released = 0;
  /**
   * Whether descriptors are closed at once, because an open file keeps a mount busy (umount(2)).
   */
  readonly closesAtOnce: boolean;

  /** @param begun the plan of the first steps, which stays as it is */
  constructor(
    steps: readonly { readonly step: string }[],
    host: Host,
    options: PlanOptions = {},
    begun?: PlanBuilder,
  ) {
    if (begun !== undefined) copyFields(begun, this);
    this.host = host;
    this.options = options;
    this.cursor = new StepCursor(steps, begun?.cursor);
    this.state = new PlannedState(host, begun?.state);
    this.facts = new HostFacts(host, begun?.facts);
    this.directories = new OpenDirectories(this, begun?.directories);
    this.access = new AccessRecorder(this.cursor, this.state, this.facts, begun?.access);
    this.#found = begun === undefined ? { link: false, miss: false } : begun.#found;
    this.closesAtOnce = begun?.closesAtOnce ?? this.cursor.includes("unmount");
    if (begun === undefined) {
      if (options.detached === true) this.#detach();
      return;
    }
    this.processes = begun.processes.map((process) => ({ ...process, parts: [...process.parts] }));
    this.#calls = begun.#calls;
    this.#paths = begun.#paths;
    this.#isFinishing = begun.#isFinishing;
    this.#limits = begun.#limits;
    this.#released = begun.#released;
  }

  #detach(): void {
    this.deathSignal = 0;
    this.access.lifetime = { kind: "lifetime" };
    [this.state.sessionLeader, this.state.ownSession] = [true, true];
  }

  /** Whether a new plan of the same steps would be the same. */
  get isCurrent(): boolean {
    return !this.isMomentary && !this.#found.link && !this.#found.miss &&
      this.facts.hold(this.state.caller);
  }

  /**
   * Whether this plan, of the first steps, is that of others which begin with them.
   *
   * @param count how many there are
   */
  fits(steps: readonly { readonly step: string }[], count: number): boolean {
    return this.cursor.fits(new StepCursor(steps), count);
  }

  /** Notes that a launch has found that a resolved path has become a link. */
  becomeStale(): void {
    this.#found.link = true;
  }

  /** Notes that a launch has missed a file that the plan has found by a search. */
  becomeMissed(): void {
    this.#found.miss = true;
  }

  /** Whether a launch has missed such a file. */
  get hasMissed(): boolean {
    return this.#found.miss;
  }

  /** Whether the last calls come behind a filter under which privileges can be gained. */
  get isFinishing(): boolean {
    return this.#isFinishing;
  }

  /** The process that calls are added to. */
  get process(): ProcessPlan {
    return this.processes.at(-1)!;
  }

  /** The process that lives as long as the container: the init, or the program. */
  get main(): ProcessPlan {
    return this.processes.find((process) => process.then === "init") ?? this.process;
  }

  /** Whether the container has an init. */
  get hasInit(): boolean {
    return this.main.then === "init";
  }

  /** Whether there is no call yet, so that the first clone(2) can create namespaces. */
  get untouched(): boolean {
    return this.process === this.processes[this.firstIndex] && this.process.parts.length === 0;
  }

  /** The position of the first process with the container's namespaces and control group. */
  get firstIndex(): number {
    return this.hasForerunner ? 1 : 0;
  }

  /** Adds namespace flags to the first clone(2). */
  cloneWith(flags: number, kinds: ReadonlySet<NamespaceKind>): void {
    this.cloneFlags |= flags;
    this.cloneStep ??= this.cursor.index;
    for (const kind of kinds) if (kind !== "time") this.clonedKinds.add(kind);
  }

  /**
   * Has the calls of later steps made last, behind those that restrict the program. Only steps that
   * open nothing can follow.
   */
  finishes(): void {
    this.#isFinishing = true;
    const { cursor } = this;
    const other = cursor.findLater((name) => !LAST_STEPS.has(name));
    if (other !== undefined) {
      this.refuse(`${other} cannot come after it, only ${[...LAST_STEPS].join(", ")}`);
    }
  }

  /** Adds a call and returns it, so that later calls can refer to its result. */
  call(call: Call, options: CallOptions = NO_OPTIONS): Call {
    if (this.#isFinishing) {
      this.beforeExec(call, options.fixes, options.accept);
      return call;
    }
    return this.#callIn(this.process, call, options);
  }

  /** Adds a call that is made before the container has namespaces. */
  callBefore(call: Call, options: CallOptions = NO_OPTIONS): Call {
    const { launcherParts } = this;
    const before = this.options.ownLauncher === true
      ? { parts: launcherParts }
      : this.#forerunner();
    return this.#callIn(before, call, options);
  }

  /** Adds a call that a launcher of the container's own makes once the container has ended. */
  callAtEnd(call: Call, options: CallOptions): void {
    this.#callIn({ parts: this.finalParts }, call, options);
  }

  #callIn({ parts }: Pick<ProcessPlan, "parts">, call: Call, options: CallOptions): Call {
    const { accept, onZero, onAccepted, onFailure = EXIT_CHILD, onSuccess, fixes } = options;
    const stepIndex = this.cursor.index;
    if (++this.#calls > MAX_CALLS) this.refuse(`a plan has at most ${MAX_CALLS} calls`);
    parts.push({
      call,
      accept,
      onZero,
      onAccepted,
      onFailure,
      onSuccess,
      stepIndex,
      fixes,
      isFound: this.#isFound,
    });
    return call;
  }

  /** Counts a path of the container that calls are made for. */
  countPath(path: string): void {
    this.#paths += path.length;
    if (this.#paths > MAX_PATHS) {
      this.refuse(`the paths of a plan have at most ${MAX_PATHS} letters`);
    }
  }

  /** Adds calls with the same fixes. */
  calls(calls: readonly Call[], fixes?: LazyFixes): void {
    for (const call of calls) this.call(call, { fixes });
  }

  /** Adds a call that opens a descriptor, and returns the descriptor. */
  open(call: Call, text: string, options: CallOptions = {}): ResultOf {
    return new ResultOf(this.call(call, options), text);
  }

  /** Places a label, to which edges of other calls can jump. */
  place(label: Label): void {
    this.process.parts.push(label);
  }

  /** Whether the calls that are added now may be skipped. */
  get isSkippable(): boolean {
    return this.directories.maySkip;
  }

  /** Adds calls that may be skipped by a jump to the label after them. */
  skippable(name: string, write: (end: Label) => void): void {
    const end = new Label(name);
    this.directories.whereSkippable(() => write(end));
    this.place(end);
  }

  /** Ends the use of a descriptor; execve(2) closes it, or a call if there are many. */
  release(fd: Fd): void {
    const most = this.state.caller.mayOpenMany ? UNCLOSED_FDS.many : UNCLOSED_FDS.few;
    if (this.closesAtOnce || ++this.#released > most) this.call(close(fd));
  }

  /**
   * Adds calls for files that the plan has found by a search. Where one of them is gone when the
   * container is made, a new plan is made, which may do without it.
   */
  forFound(write: () => void): void {
    const outer = this.#isFound;
    this.#isFound = true;
    write();
    this.#isFound = outer;
  }

  /** Closes a descriptor at once: execve(2) refuses a file that is open for writing (ETXTBSY). */
  closeWritten(fd: Fd): void {
    this.call(close(fd));
  }

  /** Closes a descriptor and jumps to the label, as close(2) of an open descriptor returns 0. */
  goTo(label: Label, fd: Fd): void {
    this.call(close(fd), { onZero: label });
  }

  /**
   * Adds a call that restricts the program and would restrict the rest of the launch too. It is
   * made last, whatever the position of its step.
   */
  beforeExec(call: Call, fixes?: LazyFixes, accept?: readonly ErrnoName[]): void {
    this.beforeProgram.push({ call, stepIndex: this.cursor.index, fixes, accept });
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

  /** Refuses the step unless the container has a namespace of this kind. */
  needs(kind: NamespaceKind, otherwise: string): void {
    if (this.state.unshared.has(kind)) return;
    this.refuse(`${otherwise}; put unshare("${kind}") before it`);
  }

  /**
   * Refuses the step if the namespace of this kind belongs to an outer user namespace of the
   * container: the kernel denies what changes it (EPERM), whatever capabilities the process has.
   */
  requireRights(kind: NamespaceKind): void {
    if (!this.state.isBeyondRights(kind)) return;
    this.refuse(
      `the ${kind} namespace belongs to a user namespace that a later unshare("user") has left; put ` +
        "the step before that. A sandbox ends so: give its options what it is to have (bind, tmpfs, " +
        "overlay, hostname, net)",
    );
  }

  /**
   * Refuses the step if the container is in another pid namespace than the script. The kernel would
   * then report the pid of a new process in that namespace, which the script cannot use.
   */
  needsHostPids(): void {
    if (!this.state.unshared.has("pid")) return;
    this.refuse(
      "the container is in a pid namespace of its own already; for one within it, " +
        "run a second recipe in the container",
    );
  }

  /** Refuses the step unless the path is on a filesystem that the recipe has mounted. */
  requireContainerMount(path: string): void {
    this.needs("mount", `${path} would be made on the host`);
    if (this.state.mounts.isContainerMount(this.path(path).canonical)) return;
    this.refuse(
      `${path} is on the host, and would remain there; ` +
        "mount a tmpfs or an overlay there first, or pass { host: true }",
    );
  }

  /** Records an access that is made while the plan is: it has to be granted before. */
  recordBeforehand(access: HostAccessKind): void {
    this.access.record(access);
    this.options.admit?.(this.access.recorded.at(-1)!.access);
  }

  /** Adds a mount of the current step to the mount table. */
  mounted(description: MountDescription): void {
    this.requireRights("mount");
    const { target, type, source } = description;
    // A mask only hides, and what is mounted on itself was there.
    if (type !== "mask" && source !== target) this.access.recordMountPoint(target);
    this.access.kernelFiles.cover(description.target);
    this.state.mounts.mounted({ ...description, stepIndex: this.cursor.index });
  }

  /** Returns a path of the container's file tree as of the current step. */
  path(target: string): ContainerPath {
    return new ContainerPath(this, target);
  }

  /** Returns a path that is looked up at the current root or working directory. */
  currentPath(path: string): ContainerPath {
    return new ContainerPath(this, path, "current");
  }

  /** Returns the source of a bind or a copy: a file of the host, or one of the container's. */
  source(source: string, optional = false): HostPath | ContainerPath {
    const path = HostPath.of(this, source, optional);
    if (path !== undefined) return path;
    if (source.startsWith("/") && !climbs(source)) return new ContainerPath(this, source);
    // What is opened by the words of such a path is not what they lead to on the host.
    return this.refuse(
      `the source ${source} leads over a mount, a root or a working directory of the recipe; name ` +
        'it by an absolute path without ".."',
    );
  }

  /**
   * Resolves a path of the host that is opened then. Refuses one that leads over a link which an
   * untrusted program may have made; as an optional one it is missing.
   */
  resolveTrusted(path: string, optional = false): ResolvedPath {
    const resolved = this.facts.resolve(path);
    // Where links lead is not known yet, so none is followed that a program may have made.
    if (resolved.late === true && this.#isUntrusted(resolved.path)) {
      return { ...resolved, late: false };
    }
    // Most paths lead over no link, whatever is untrusted.
    if (resolved.path === normalize(path)) return resolved;
    const found = this.#untrustedDirectories().linkOn(resolved);
    if (found === undefined) return resolved;
    if (optional) return { ...resolved, type: undefined };
    return this.refuse(
      `on the way to ${path} the symbolic link ${found.link} is followed, which a program may have ` +
        `put in ${found.directory}, as the recipe lets it change that; name a path that does not ` +
        "lead over the link",
    );
  }

  #isUntrusted(path: string): boolean {
    return this.cursor.isUntrusted ||
      this.cursor.untrustedSources.some((source) => touches(path, normalize(source)));
  }

  #untrustedDirectories(): UntrustedDirectories {
    return this.#untrusted ??= new UntrustedDirectories(
      this.facts,
      this.cursor.untrustedSources.map((source) =>
        source.startsWith("/") ? source : `${this.facts.workingDirectory()}/${source}`
      ),
    );
  }

  /** Adds a process, which later calls are made in; the previous one exits, or becomes the init. */
  fork(then: "exit" | "init"): void {
    this.directories.returnToWorking();
    this.process.then = then;
    this.processes.push(newProcess());
    this.state.sessionLeader = false;
  }

  /** Has the script open a descriptor before the launch, which the container inherits. */
  inheritFd(
    call: Call,
    text: string,
    { through, check, fixes, idMap }: Omit<InheritedFd, "stepIndex" | "call" | "slot"> = {},
  ): Slot {
    const slot = new Slot(text);
    const stepIndex = this.cursor.index;
    this.inheritedFds.push({ stepIndex, call, slot, through, fixes, check, idMap });
    return slot;
  }

  /** Has the container wait here until the script has done these actions. */
  syncWithParent(parentActions: SyncPoint["parentActions"]): void {
    const byte = new Output(1, "&byte");
    const arrival = this.call(call("write", CONTAINER_SOCKET, byte, 1));
    // A script that aborts the launch closes its end: the read returns 0, and the container exits.
    this.call(call("read", CONTAINER_SOCKET, byte, 1), { onZero: EXIT_CHILD });
    this.syncPoints.push({ stepIndex: this.cursor.index, arrival, parentActions });
    this.#shield();
  }

  /** The limits of the container's control group, and their step; `undefined` without a group. */
  get limits(): { readonly stepIndex: number; readonly limits: GroupLimits } | undefined {
    return this.#limits;
  }

  /** Gives the container a control group with limits. */
  limitTo(limits: GroupLimits): void {
    if (this.#limits !== undefined) {
      this.refuse("limits() can be used once; it applies to the whole container");
    }
    this.#limits = { stepIndex: this.cursor.index, limits };
    this.#shield();
  }

  /**
   * The OOM killer of a group kills every process that shares the memory of its victim, which the
   * script does until execve(2). It spares a vfork parent. A script with sync points is not one, so
   * an extra process is.
   */
  #shield(): void {
    if (this.#limits !== undefined && this.syncPoints.length > 0) this.#forerunner();
  }

  /** Returns the process that makes the container's first one. */
  #forerunner(): ProcessPlan {
    if (!this.hasForerunner) this.processes.unshift({ ...newProcess(), then: "exit" });
    this.hasForerunner = true;
    return this.processes[0]!;
  }
}
