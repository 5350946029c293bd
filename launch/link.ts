/**
 * A whole launch as one program: what the script's thread does around the clone, the stages of the
 * container with their steps, and the way into the program at the end.
 *
 * What runs between the clone and execve(2) shares the script's memory, so it is nothing but these
 * calls; they allocate nothing and touch nothing but their own table.
 *
 * @module
 */

import { type Call, Output, OutputField, pointerList, ResultOf } from "../ffi/call.ts";
import { EFD_CLOEXEC } from "../ffi/calls/events.ts";
import {
  close,
  close_range,
  CLOSE_RANGE_CLOEXEC,
  dup3,
  eventfd2,
  write,
} from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import { passCredentials, socketpair } from "../ffi/calls/sockets.ts";
import { clone3, CLONE_CLEAR_SIGHAND } from "../ffi/calls/clone3.ts";
import {
  clone,
  CLONE_NEWCGROUP,
  CLONE_PARENT,
  CLONE_VFORK,
  CLONE_VM,
  unshare,
} from "../ffi/calls/namespaces.ts";
import {
  CHANGEABLE_SIGNALS,
  execveat,
  exit_group,
  pidfd_open,
  PR_GET_DUMPABLE,
  PR_SET_DUMPABLE,
  prctl,
  rt_sigaction,
  rt_sigprocmask,
} from "../ffi/calls/processes.ts";
import { LOCKLESS, lockProcess, unlockProcess } from "../ffi/process_lock.ts";
import { END, Label, type ProgramRecord } from "../ffi/engine/program.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { CONTAINER_SOCKET, SCRIPT_SOCKET, SYNC_SOCKETS } from "../plan/parent_work.ts";
import { EXIT_CHILD } from "../plan/process.ts";
import { type ExecCandidate, type ExecSpec, openNull, tieToScript, writeOrder } from "./exec.ts";
import { CHILD_EDGES, ProgramWriter, type Section } from "./program_writer.ts";

/** A launch, laid out, with the calls and outputs that have to be looked at afterwards. */
export interface LaunchProgram {
  readonly parts: readonly (ProgramRecord | Label)[];
  /** Whether the script's thread sleeps until the program has begun. */
  readonly vfork: boolean;
  /** The part of the launch that each call belongs to which is no step's. */
  readonly chapters: ReadonlyMap<Call, Section>;
  /** What makes the container's first process. */
  readonly clone: Call;
  /** What makes the sockets of the script and the container, where they are needed. */
  readonly sockets: Call | undefined;
  /** What opens the container's pidfd, where the thread has slept. */
  readonly pidfd: Call | undefined;
  /**
   * What the memory's dumpability was, where the launch changes it: to be restored once the program
   * has begun, and the process's lock to be given up.
   */
  readonly dumpable: Call | undefined;
  /** The attempts at the program, in the order of PATH. */
  readonly attempts: readonly ExecCandidate[];
}

/** Lays a launch out. */
export function link(plan: PlanBuilder, order: ExecSpec): LaunchProgram {
  const writer = new ProgramWriter();
  const vfork = plan.syncPoints.length === 0;
  const needsSockets = !vfork || order.terminal?.place === "container" ||
    plan.listener !== undefined;
  const labels = plan.processes.map((_, index) => new Label(`process ${index + 1}`));
  const [restore, closing] = [new Label("restore"), new Label("closing")];
  const mask = new Output(8, "&mask");

  writer.chapter = "script";
  const sockets = needsSockets
    ? writer.add(socketpair(SYNC_SOCKETS), { onFailure: END })
    : undefined;
  if (!vfork) writer.add(passCredentials(SCRIPT_SOCKET, true), { onFailure: closing });
  let dumpable: Call | undefined;
  // Of these launches there is one at a time, also among Workers, which share the memory as well.
  const [changes, minds] = [changesDumpability(plan, order), mindsDumpability(plan)];
  if (changes || minds) writer.add(lockProcess(), { accept: LOCKLESS, onFailure: closing });
  if (changes || (minds && !vfork)) {
    dumpable = writer.add(prctl(PR_GET_DUMPABLE), { onFailure: closing });
    // Who sees the container must not get at the memory that it shares with the script, nor at the
    // script's program by /proc/PID/exe (CVE-2019-5736).
    if (plan.state.exposed) writer.add(prctl(PR_SET_DUMPABLE, 0), { onFailure: closing });
  }
  // A handler of the script's must not run in the container, on its memory.
  writer.add(rt_sigprocmask("all", mask), { onFailure: closing });
  writer.chapter = "clone";
  const cloned = writer.add(cloneStage(plan, order, 0, vfork ? CLONE_VFORK : 0), {
    onZero: labels[0]!,
    onFailure: restore,
  });
  writer.chapter = "script";
  writer.place(restore);
  writer.add(rt_sigprocmask(mask, null));
  writer.place(closing);
  if (minds && dumpable === undefined) {
    const unlocked = new Label("unlocked");
    writer.add(unlockProcess(), { accept: LOCKLESS, onFailure: unlocked });
    writer.place(unlocked);
  }
  if (needsSockets) writer.add(close(CONTAINER_SOCKET));
  let pidfd: Call | undefined;
  if (vfork) {
    pidfd = writer.add(pidfd_open(new OutputField(plan.main.pid, 0, "pid"), 0));
  }
  writer.end();

  let attempts: readonly ExecCandidate[] = [];
  plan.processes.forEach((stage, index) => {
    writer.place(labels[index]!);
    writer.chapter = "begin";
    if (index === 0) {
      defaultSignals(writer, order);
      if (needsSockets) writer.add(close(SCRIPT_SOCKET), CHILD_EDGES);
      if (order.stdio.includes("null")) writer.add(openNull, CHILD_EDGES);
    }
    if (plan.processes[index - 1]?.then !== "init") tieToScript(writer, plan, order);
    if (index === firstOf(plan)) enterGroup(writer, plan, order);
    for (const part of stage.parts) writer.part(part);
    if (stage.then === "exec") {
      writer.chapter = "program";
      attempts = writeOrder(writer, plan, order);
      return;
    }
    writer.chapter = "clone";
    const flags = CLONE_VFORK | (stage.then === "exit" ? CLONE_PARENT : 0);
    const cloned = writer.add(cloneStage(plan, order, index + 1, flags), {
      ...CHILD_EDGES,
      onZero: labels[index + 1]!,
    });
    if (stage.then === "exit") writer.add(exit_group(0));
    else becomeInit(writer, plan, order, cloned);
  });
  writer.chapter = "failure";
  writer.place(EXIT_CHILD);
  writer.add(exit_group(127));
  return {
    parts: writer.parts,
    vfork,
    chapters: writer.chapters,
    clone: cloned,
    sockets,
    pidfd,
    dumpable,
    attempts,
  };
}

/** The stage that begins as the container: with its namespaces, and in its control group. */
function firstOf(plan: PlanBuilder): number {
  return plan.oomShield ? 1 : 0;
}

/**
 * Whether the launch makes the memory undumpable that it shares with the script (prctl(2)): because
 * others can see the container, or the program the process that has made it, or by changing ids.
 */
function changesDumpability(plan: PlanBuilder, order: ExecSpec): boolean {
  return plan.state.exposed || plan.processes.length > 1 ||
    order.uid !== undefined || order.gid !== undefined ||
    makesCall(plan, ({ name }) => CHANGES_IDS.has(name));
}

/** Whether it fails where another launch does: the files in /proc of who is undumpable are root's. */
function mindsDumpability(plan: PlanBuilder): boolean {
  return makesCall(
    plan,
    ({ args }) =>
      args.some((argument) => typeof argument === "string" && argument.startsWith("/proc/self/")),
  );
}

function makesCall(plan: PlanBuilder, fits: (call: Call) => boolean): boolean {
  return plan.processes.some(({ parts }) =>
    parts.some((part) => "call" in part && fits(part.call))
  );
}

const CHANGES_IDS: ReadonlySet<string> = new Set(["setresuid", "setresgid"]);

function cloneStage(plan: PlanBuilder, order: ExecSpec, index: number, ways: number): Call {
  const { pid, ownMemory } = plan.processes[index]!;
  const isContainer = index === firstOf(plan);
  const cgroupEntry = isContainer ? order.cgroupEntry : undefined;
  // The root of a cgroup namespace is the group of its maker, which has to be in it by then.
  const later = cgroupEntry === undefined ? 0 : CLONE_NEWCGROUP;
  const flags = ways | (ownMemory ? 0 : CLONE_VM) |
    (isContainer ? plan.cloneFlags & ~later : 0);
  const resets = index === 0 && order.resources.ignored !== undefined;
  if (!resets && cgroupEntry?.directory === undefined) return clone(flags, pid);
  return clone3(flags + (resets ? CLONE_CLEAR_SIGHAND : 0), pid, cgroupEntry?.directory);
}

/** Enters the groups that the process was not made in. */
function enterGroup(writer: ProgramWriter, plan: PlanBuilder, { cgroupEntry }: ExecSpec): void {
  if (cgroupEntry === undefined) return;
  writer.chapter = "limits";
  for (const file of cgroupEntry.files) writer.add(write(file, MYSELF, MYSELF.length), CHILD_EDGES);
  if ((plan.cloneFlags & CLONE_NEWCGROUP) !== 0) {
    writer.add(unshare(CLONE_NEWCGROUP), CHILD_EDGES);
  }
}

/** "0" stands for the process that writes it. */
const MYSELF = new Uint8Array([48]);

/** The step that a call serves, if it does. */
export function stepOf(
  call: Call,
  plan: PlanBuilder,
  { clone, chapters }: Pick<LaunchProgram, "clone" | "chapters">,
): number | undefined {
  if (call === clone) return plan.cloneStep;
  return chapters.get(call) === "limits" ? plan.limits?.stepIndex : plan.planned(call)?.stepIndex;
}

/**
 * The program is to begin with no signal ignored, as execve(2) would leave them; and no handler of the
 * script's may run before, on its memory.
 */
function defaultSignals(writer: ProgramWriter, { resources }: ExecSpec): void {
  for (const signal of resources.ignored ?? CHANGEABLE_SIGNALS) {
    writer.add(rt_sigaction(signal, "SIG_DFL"), CHILD_EDGES);
  }
}

/** The process goes on as the init, which learns from descriptor 0 which child it waits for. */
function becomeInit(
  writer: ProgramWriter,
  plan: PlanBuilder,
  order: ExecSpec,
  cloned: Call,
): void {
  writer.chapter = "init";
  writer.add(close_range(0, 0xffff_ffff, CLOSE_RANGE_CLOEXEC), CHILD_EDGES);
  const event = writer.add(eventfd2(new ResultOf(cloned, "pid"), EFD_CLOEXEC), CHILD_EDGES);
  writer.add(dup3(new ResultOf(event, "event"), 0, 0), CHILD_EDGES);
  tieToScript(writer, plan, order);
  const argv = pointerList(["init"], '["init"]');
  const none = pointerList([], "[]");
  writer.add(execveat(order.resources.init, "", argv, none, AT_EMPTY_PATH), CHILD_EDGES);
}
