/**
 * What the steps write with: the calls so far, and what the launch has to do beside them.
 *
 * @module
 */

import { type Call, call, Output, OutputField, type ResultOf } from "../../ffi/call.ts";
import { PR_SET_NO_NEW_PRIVS, prctl } from "../../ffi/calls/processes.ts";
import type { GroupLimits } from "../../ffi/cgroups/limits.ts";
import type { Edges, Label } from "../../ffi/program.ts";
import { Gate, type GateOptions } from "../gate/gate.ts";
import type { NamespaceKind } from "../namespaces.ts";
import { ContainerState } from "./container_state.ts";
import { CONTAINER_SOCKET, type Handed, type Meeting, type MeetingAct } from "./script_part.ts";
import { Sequence } from "./sequence.ts";
import { GIVE_UP, newStage, type Stage } from "./stage.ts";

/** Where a step's calls are written; see {@linkcode StepDefinition.plan}. */
export class Draft {
  /** The steps, and which of them is writing. */
  readonly sequence: Sequence;
  /** What the container has become by now. */
  readonly container: ContainerState = new ContainerState();
  /** Notes what the steps reach for of the host, where that is to be known. */
  readonly gate: Gate | undefined;
  /** The stages so far; steps write to the last. */
  readonly stages: Stage[] = [newStage()];
  /** The step that made each call. */
  readonly stepOf: Map<Call, number> = new Map();
  /** Calls that are made last, when nothing is left to do but to begin the program. */
  readonly beforeProgram: Call[] = [];
  /** What the script opens for the container. */
  readonly handed: Handed[] = [];
  /** Meetings, in their order. */
  readonly meetings: Meeting[] = [];
  /** A socket of the container's network that is sent to the script, which accepts connections. */
  listener: ResultOf | undefined;
  /** Flags that the first clone(2) takes, so that no unshare(2) is needed. */
  cloneFlags = 0;
  /** The step that those flags serve first. */
  cloneStep: number | undefined;
  /** The signal that the container gets when the script ends, by number; 0 for none. */
  deathSignal = 9;
  /** Whether the first stage is there only to keep the script out of reach; see {@linkcode limitTo}. */
  shielded = false;
  #limits: { readonly stepIndex: number; readonly limits: GroupLimits } | undefined;

  /**
   * A draft of these steps, which {@linkcode draftOf} lets write to it.
   *
   * @param gate whether it is to be known what they reach for of the host
   */
  constructor(steps: readonly { readonly step: string }[], gate?: GateOptions) {
    this.sequence = new Sequence(steps);
    this.gate = gate && new Gate(this.sequence, this.container, gate);
  }

  /** The stage that is being written. */
  get stage(): Stage {
    return this.stages.at(-1)!;
  }

  /** The process that lives as long as the container: its init, or the program. */
  get main(): Stage {
    return this.stages.find((stage) => stage.then === "init") ?? this.stage;
  }

  /** Whether a process stays behind as the init. */
  get hasInit(): boolean {
    return this.main.then === "init";
  }

  /** Whether no call has been written yet: then namespaces can still be made by the first clone. */
  get untouched(): boolean {
    return this.stages.length === 1 && this.stage.parts.length === 0;
  }

  /** Leaves namespaces to the first clone. */
  cloneWith(flags: number): void {
    this.cloneFlags |= flags;
    this.cloneStep ??= this.sequence.index;
  }

  /** Adds a call and answers it, so that later calls can refer to its result. */
  call(call: Call, edges: Edges = {}): Call {
    this.stage.parts.push({ call, ...edges });
    this.stepOf.set(call, this.sequence.index);
    return call;
  }

  /** A place that edges of earlier calls can go on to. */
  place(label: Label): void {
    this.stage.parts.push(label);
  }

  /**
   * Adds a call that limits the program, and with it the launch: it is made when all else is done,
   * wherever its step stands.
   */
  lastly(call: Call): void {
    this.beforeProgram.push(call);
    this.stepOf.set(call, this.sequence.index);
  }

  /** Keeps the program from gaining privileges, as the kernel wants it of who limits programs. */
  gainNoPrivileges(): void {
    if (this.container.gainsNoPrivileges) return;
    this.container.gainsNoPrivileges = true;
    this.lastly(prctl(PR_SET_NO_NEW_PRIVS, 1));
  }

  /** Refuses the step that is writing. */
  refuse(message: string): never {
    this.sequence.refuse(message);
  }

  /** Refuses the step, unless the container has a namespace of this kind by now. */
  needs(kind: NamespaceKind, otherwise: string): void {
    if (this.container.own.has(kind)) return;
    this.refuse(`${otherwise}; put unshare("${kind}") before it`);
  }

  /**
   * Refuses the step, if the container is in another pid namespace than the script: the kernel then
   * tells the number of a new process as it is there, and the script could not find it.
   */
  needsHostPids(): void {
    if (!this.container.own.has("pid")) return;
    this.refuse(
      "the container is in a pid namespace of its own already; for one within it, " +
        "run a second recipe in the container",
    );
  }

  /** Refuses the step, unless the path is on a filesystem that the recipe has made. */
  needsOwnGround(path: string): void {
    this.needs("mount", `${path} would be made on the host`);
    if (this.container.ground.isOwn(path)) return;
    this.refuse(
      `${path} is the host's, and would stay there; ` +
        "mount a tmpfs or an overlay there first, or say { host: true }",
    );
  }

  /** Goes on in a new process; the one so far ends, or stays as the init. */
  fork(then: "exit" | "init"): void {
    this.stage.then = then;
    this.stages.push(newStage());
    this.container.sessionLeader = false;
  }

  /** Has the script open something for the container, before there is one. */
  hand(call: Call, text: string, check?: () => void): OutputField {
    const descriptor = new Output(4, `&${text}`);
    const stepIndex = this.sequence.index;
    this.handed.push({ stepIndex, call, descriptor, ...(check && { check }) });
    return new OutputField(descriptor, 0, text);
  }

  /** The container waits here until the script has done its part. */
  meet(acts: (pid: string) => readonly MeetingAct[]): void {
    const byte = new Output(1, "&byte");
    const arrival = this.call(call("write", CONTAINER_SOCKET, byte, 1));
    // A script that has given up closes its end: then 0 is read, and the container ends too.
    this.call(call("read", CONTAINER_SOCKET, byte, 1), { onZero: GIVE_UP });
    this.meetings.push({ stepIndex: this.sequence.index, arrival, acts });
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
    this.#limits = { stepIndex: this.sequence.index, limits };
    this.#shield();
  }

  /**
   * Where memory is short in a group, the kernel kills a process with all that share its memory, as
   * the script does until the program has begun. It spares those whose maker sleeps meanwhile
   * (CLONE_VFORK); and as a script that meets its container cannot, another process sleeps for it.
   */
  #shield(): void {
    if (this.shielded || this.#limits === undefined || this.meetings.length === 0) return;
    this.shielded = true;
    this.stages.unshift({ ...newStage(), then: "exit" });
  }
}
