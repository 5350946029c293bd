/**
 * What the steps write with: the calls so far, and what the launch has to do beside them.
 *
 * @module
 */

import { type Call, call, Output, type ResultOf, Slot } from "../ffi/call.ts";
import { PR_SET_NO_NEW_PRIVS, prctl } from "../ffi/calls/processes.ts";
import type { GroupLimits } from "../ffi/cgroups/limits.ts";
import type { Edges, Label } from "../ffi/engine/program.ts";
import { type AccessOptions, AccessRecorder } from "./access/recorder.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import { PlannedState } from "./planned_state.ts";
import {
  CONTAINER_SOCKET,
  type InheritedFd,
  type ParentAction,
  type SyncPoint,
} from "./parent_work.ts";
import { StepCursor } from "./step_cursor.ts";
import { EXIT_CHILD, newProcess, type ProcessPlan } from "./process.ts";

/** Where a step's calls are written; see {@linkcode StepDefinition.plan}. */
export class PlanBuilder {
  /** The steps, and which of them is writing. */
  readonly cursor: StepCursor;
  /** What the container has become by now. */
  readonly state: PlannedState = new PlannedState();
  /** Notes what the steps reach for of the host, where that is to be known. */
  readonly access: AccessRecorder | undefined;
  /** The stages so far; steps write to the last. */
  readonly processes: ProcessPlan[] = [newProcess()];
  /** The step that made each call. */
  readonly stepOf: Map<Call, number> = new Map();
  /** Calls that are made last, when nothing is left to do but to begin the program. */
  readonly beforeProgram: Call[] = [];
  /** What the script opens for the container. */
  readonly inheritedFds: InheritedFd[] = [];
  /** Meetings, in their order. */
  readonly syncPoints: SyncPoint[] = [];
  /** A socket of the container's network that is sent to the script, which accepts connections. */
  listener: ResultOf | undefined;
  /** Flags that the first clone(2) takes, so that no unshare(2) is needed. */
  cloneFlags = 0;
  /** The step that those flags serve first. */
  cloneStep: number | undefined;
  /** The signal that the container gets when the script ends, by number; 0 for none. */
  deathSignal = 9;
  /** Whether the first stage is there only to keep the script out of reach; see {@linkcode limitTo}. */
  oomShield = false;
  #limits: { readonly stepIndex: number; readonly limits: GroupLimits } | undefined;

  /**
   * A plan of these steps, which {@linkcode draftOf} lets write to it.
   *
   * @param access whether it is to be known what they reach for of the host
   */
  constructor(steps: readonly { readonly step: string }[], access?: AccessOptions) {
    this.cursor = new StepCursor(steps);
    this.access = access && new AccessRecorder(this.cursor, this.state, access);
  }

  /** The stage that is being written. */
  get process(): ProcessPlan {
    return this.processes.at(-1)!;
  }

  /** The process that lives as long as the container: its init, or the program. */
  get main(): ProcessPlan {
    return this.processes.find((stage) => stage.then === "init") ?? this.process;
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
  cloneWith(flags: number): void {
    this.cloneFlags |= flags;
    this.cloneStep ??= this.cursor.index;
  }

  /** Adds a call and answers it, so that later calls can refer to its result. */
  call(call: Call, edges: Edges = {}): Call {
    this.process.parts.push({ call, ...edges });
    this.stepOf.set(call, this.cursor.index);
    return call;
  }

  /** A place that edges of earlier calls can go on to. */
  place(label: Label): void {
    this.process.parts.push(label);
  }

  /**
   * Adds a call that limits the program, and with it the launch: it is made when all else is done,
   * wherever its step stands.
   */
  beforeExec(call: Call): void {
    this.beforeProgram.push(call);
    this.stepOf.set(call, this.cursor.index);
  }

  /** Keeps the program from gaining privileges, as the kernel wants it of who limits programs. */
  gainNoPrivileges(): void {
    if (this.state.gainsNoPrivileges) return;
    this.state.gainsNoPrivileges = true;
    this.beforeExec(prctl(PR_SET_NO_NEW_PRIVS, 1));
  }

  /** Refuses the step that is writing. */
  refuse(message: string): never {
    this.cursor.refuse(message);
  }

  /** Refuses the step, unless the container has a namespace of this kind by now. */
  needs(kind: NamespaceKind, otherwise: string): void {
    if (this.state.own.has(kind)) return;
    this.refuse(`${otherwise}; put unshare("${kind}") before it`);
  }

  /**
   * Refuses the step, if the container is in another pid namespace than the script: the kernel then
   * tells the number of a new process as it is there, and the script could not find it.
   */
  needsHostPids(): void {
    if (!this.state.own.has("pid")) return;
    this.refuse(
      "the container is in a pid namespace of its own already; for one within it, " +
        "run a second recipe in the container",
    );
  }

  /** Refuses the step, unless the path is on a filesystem that the recipe has made. */
  requireContainerMount(path: string): void {
    this.needs("mount", `${path} would be made on the host`);
    if (this.state.mounts.isContainerMount(path)) return;
    this.refuse(
      `${path} is the host's, and would stay there; ` +
        "mount a tmpfs or an overlay there first, or say { host: true }",
    );
  }

  /** Goes on in a new process; the one so far ends, or stays as the init. */
  fork(then: "exit" | "init"): void {
    this.process.then = then;
    this.processes.push(newProcess());
    this.state.sessionLeader = false;
  }

  /** Has the script open something for the container, before there is one. */
  inheritFd(call: Call, text: string, check?: () => void): Slot {
    const slot = new Slot(text);
    const stepIndex = this.cursor.index;
    this.inheritedFds.push({ stepIndex, call, slot, ...(check && { check }) });
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
   * the script does until the program has begun. It spares those whose maker sleeps meanwhile
   * (CLONE_VFORK); and as a script that meets its container cannot, another process sleeps for it.
   */
  #shield(): void {
    if (this.oomShield || this.#limits === undefined || this.syncPoints.length === 0) return;
    this.oomShield = true;
    this.processes.unshift({ ...newProcess(), then: "exit" });
  }
}
