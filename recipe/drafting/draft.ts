/**
 * The plan while the steps are writing it: the calls so far, and the state that the container will
 * be in when they have been made.
 *
 * @module
 */

import { type Call, call, Output, OutputField, type ResultOf } from "../../ffi/call.ts";
import { PR_SET_NO_NEW_PRIVS, prctl } from "../../ffi/calls/processes.ts";
import { type Edges, Label, type ProgramRecord } from "../../ffi/program.ts";
import type { GroupLimits } from "../../ffi/cgroups/limits.ts";
import { type Caller, callerOf } from "./caller.ts";
import type { Gate } from "../gate/gate.ts";
import { Powers } from "../gate/powers.ts";
import { Ground, isWithin, normalize } from "./ground.ts";
import type { NamespaceKind } from "../namespaces.ts";
import { RecipeError } from "../recipe_error.ts";

/**
 * The calls of one process on the way to the program. A recipe needs a further process where one
 * cannot enter a namespace itself, only its children can (pid_namespaces(7)), and for its init.
 */
export interface Stage {
  readonly parts: (ProgramRecord | Label)[];
  /** Receives the process's pid, as its parent sees it. */
  readonly pid: Output;
  /** What this process does once the next stage has begun: end, or go on as the init. */
  then: "exec" | "exit" | "init";
  /** Whether it has a copy of its maker's memory, and does not share it. */
  ownMemory: boolean;
}

/** A place where the container waits until the script has done something for it from outside. */
export interface Meeting {
  readonly stepIndex: number;
  /** The call by which the container says that it waits. */
  readonly arrival: Call;
  /** What the script does for the process with this pid. */
  acts(pid: string): readonly MeetingAct[];
}

/** What a script does at a meeting: calls of its own, a program that it runs, or what lasts. */
export type MeetingAct =
  | { readonly calls: readonly Call[] }
  | { readonly program: string; readonly args: readonly string[] }
  | Upkeep;

/** What a script keeps up for as long as the container runs. */
export interface Upkeep {
  /** What it does, in words for the plan. */
  readonly does: readonly string[];
  /** Begins it for the process with this pid. */
  begin(pid: number): Ending;
}

/** Ends what was kept up for a container. */
export type Ending = () => void;

/** A descriptor that the script opens for a step before there is a container, which inherits it. */
export interface Handed {
  readonly stepIndex: number;
  /** What opens it. */
  readonly call: Call;
  /** Receives its number. */
  readonly descriptor: Output;
  /** Looks, once it is open, whether it is what the step was planned for; throws where it is not. */
  check?(): void;
}

/** The socket pair of the meetings: the script's end, and the container's. */
export const MEETING_SOCKETS: Output = new Output(8, "&sockets");
/** The script's end. */
export const SCRIPT_SOCKET: OutputField = new OutputField(MEETING_SOCKETS, 0, "sockets[0]");
/** The container's end. */
export const CONTAINER_SOCKET: OutputField = new OutputField(MEETING_SOCKETS, 4, "sockets[1]");

/** What a container has open of its networks. */
export interface NetworkSockets {
  /** A socket of the network namespace that it is in, once a step has needed one. */
  inside?: ResultOf;
  /** A descriptor of that namespace, once a step has needed one. */
  namespace?: ResultOf;
  /** A socket of the one that it has come from, unless that is the host's. */
  outside?: ResultOf;
}

/** Where a step's calls are written; see {@linkcode StepDefinition.plan}. */
export class Draft {
  /** The stages so far; steps write to the last. */
  readonly stages: Stage[] = [newStage()];
  /** The kinds of namespaces that are no longer the host's. */
  readonly own: Set<NamespaceKind> = new Set();
  /** Which paths are the recipe's and which are the host's. */
  readonly ground: Ground = new Ground();
  /** What the steps leave the program of its capabilities. */
  readonly powers: Powers = new Powers();
  /** Notes what the steps reach for of the host, where that is to be known. */
  readonly gate: Gate | undefined;
  /** Changes of the environment. */
  readonly environment: Map<string, string> = new Map();
  /** Meetings, in their order. */
  readonly meetings: Meeting[] = [];
  /** A socket of the container's network that is sent to the script, which accepts connections. */
  listener: ResultOf | undefined;
  /** What is open of the container's networks. */
  network: NetworkSockets = {};
  /** What the script opens for the container. */
  readonly handed: Handed[] = [];
  /** The kinds of namespaces that are others' too. */
  readonly joined: Set<NamespaceKind> = new Set();
  /** The step that made each call. */
  readonly stepOf: Map<Call, number> = new Map();
  /** Flags that the first clone(2) takes, so that no unshare(2) is needed. */
  cloneFlags = 0;
  /** The step that those flags serve first. */
  cloneStep: number | undefined;
  /** The signal that the container gets when the script ends, by number; 0 for none. */
  deathSignal = 9;
  /** Whether setgroups(2) is denied in the user namespace. */
  setgroupsDenied = false;
  /** Whether processes that nobody vouches for can see the container while it is being made. */
  exposed = false;
  /** Whether the program gets the variables of `environment` only, and none of the script's. */
  clearsEnvironment = false;
  /** Whether the program leads a session already. */
  sessionLeader = false;
  /** Whether the user namespace has its id maps. */
  idsMapped = false;
  /** Whether the user namespace lies in another one of the container's. */
  nestedUser = false;
  /** Who the process has become, in its user namespace; at first it is the caller. */
  ids: { readonly uid: number; readonly gid: number } | undefined;
  /** Calls that are made last, when nothing is left to do but to begin the program. */
  readonly beforeProgram: Call[] = [];
  /** Whether the program cannot gain privileges by execve(2). */
  gainsNoPrivileges = false;
  /** The multiplexer of the container's own terminals, where it has them: `/dev/ptmx`. */
  terminals: string | undefined;
  /** Whether the first stage is there only to keep the script out of reach; see {@linkcode limitTo}. */
  shielded = false;
  #limits: { readonly stepIndex: number; readonly limits: GroupLimits } | undefined;
  #caller: Caller | undefined;
  #index = 0;
  readonly #steps: readonly { readonly step: string }[];

  /** A draft of these steps, which {@linkcode draftOf} lets write to it. */
  constructor(steps: readonly { readonly step: string }[], gate?: Gate) {
    this.#steps = steps;
    this.gate = gate;
  }

  /** The next step begins to write. */
  begin(index: number): void {
    this.#index = index;
  }

  /** The position of the step that is writing. */
  get index(): number {
    return this.#index;
  }

  /** Who will run the recipe. */
  get caller(): Caller {
    return this.#caller ??= callerOf();
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

  /** The name of the step with this number. */
  stepName(index: number): string {
    return this.#steps[index]!.step;
  }

  /** Whether no call has been written yet: then namespaces can still be made by the first clone. */
  get untouched(): boolean {
    return this.stages.length === 1 && this.stage.parts.length === 0;
  }

  /** Leaves namespaces to the first clone. */
  cloneWith(flags: number): void {
    this.cloneFlags |= flags;
    this.cloneStep ??= this.#index;
  }

  /** Adds a call and answers it, so that later calls can refer to its result. */
  call(call: Call, edges: Edges = {}): Call {
    this.stage.parts.push({ call, ...edges });
    this.stepOf.set(call, this.#index);
    return call;
  }

  /**
   * Adds a call that limits the program, and with it the launch: it is made when all else is done,
   * wherever its step stands.
   */
  lastly(call: Call): void {
    this.beforeProgram.push(call);
    this.stepOf.set(call, this.#index);
  }

  /** Keeps the program from gaining privileges, as the kernel wants it of who limits programs. */
  gainNoPrivileges(): void {
    if (this.gainsNoPrivileges) return;
    this.gainsNoPrivileges = true;
    this.lastly(prctl(PR_SET_NO_NEW_PRIVS, 1));
  }

  /** Has the script open something for the container, before there is one. */
  hand(call: Call, text: string, check?: () => void): OutputField {
    const descriptor = new Output(4, `&${text}`);
    this.handed.push({ stepIndex: this.#index, call, descriptor, ...(check && { check }) });
    return new OutputField(descriptor, 0, text);
  }

  /** A place that edges of earlier calls can go on to. */
  place(label: Label): void {
    this.stage.parts.push(label);
  }

  /** Refuses the step, unless the container has a namespace of this kind by now. */
  needs(kind: NamespaceKind, otherwise: string): void {
    if (this.own.has(kind)) return;
    this.refuse(`${otherwise}; put unshare("${kind}") before it`);
  }

  /**
   * Refuses the step, if the container is in another pid namespace than the script: the kernel then
   * tells the number of a new process as it is there, and the script could not find it.
   */
  needsHostPids(): void {
    if (!this.own.has("pid")) return;
    this.refuse(
      "the container is in a pid namespace of its own already; for one within it, " +
        "run a second recipe in the container",
    );
  }

  /** Refuses the step, unless the path is on a filesystem that the recipe has made. */
  needsOwnGround(path: string): void {
    this.needs("mount", `${path} would be made on the host`);
    if (this.ground.isOwn(path)) return;
    this.refuse(
      `${path} is the host's, and would stay there; ` +
        "mount a tmpfs or an overlay there first, or say { host: true }",
    );
  }

  /** Refuses the step that is writing. */
  refuse(message: string): never {
    throw new RecipeError(message, {
      step: this.#steps[this.#index]!.step,
      stepIndex: this.#index,
    });
  }

  /**
   * The directory that a later step will make the root, if the path lies in it. What lies there may
   * be anybody's, so paths in it are resolved as if it already were the root.
   */
  rootOf(path: string): string | undefined {
    const root = this.nextRoot;
    const target = normalize(path);
    return root !== undefined && root !== "/" && target !== root && isWithin(target, root)
      ? root
      : undefined;
  }

  /** The directory that a later step will make the root. */
  get nextRoot(): string | undefined {
    const next = this.#steps.slice(this.#index + 1).find((step) =>
      step.step === "pivotRoot" || step.step === "chroot"
    );
    return next && normalize((next as unknown as { path: string }).path);
  }

  /** Whether a step of this name stands before the one that is writing. */
  standsBehind(step: string): boolean {
    return this.#steps.slice(0, this.#index).some((earlier) => earlier.step === step);
  }

  /** Whether a step of this name will write later. */
  comesLater(step: string): boolean {
    return this.#steps.slice(this.#index + 1).some((later) => later.step === step);
  }

  /** Goes on in a new process; the one so far ends, or stays as the init. */
  fork(then: "exit" | "init"): void {
    this.stage.then = then;
    this.stages.push(newStage());
    this.sessionLeader = false;
  }

  /** The container waits here until the script has done its part. */
  meet(acts: (pid: string) => readonly MeetingAct[]): void {
    const byte = new Output(1, "&byte");
    const arrival = this.call(call("write", CONTAINER_SOCKET, byte, 1));
    // A script that has given up closes its end: then 0 is read, and the container ends too.
    this.call(call("read", CONTAINER_SOCKET, byte, 1), { onZero: GIVE_UP });
    this.meetings.push({ stepIndex: this.#index, arrival, acts });
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
    this.#limits = { stepIndex: this.#index, limits };
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

/** Where a process of the container goes on that has to end without a word. */
export const GIVE_UP: Label = new Label("give up");

function newStage(): Stage {
  return { parts: [], pid: new Output(4, "&pid"), then: "exec", ownMemory: false };
}
