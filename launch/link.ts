/**
 * Links a launch into one program: the frame, the processes of the container with the calls of
 * their steps, and the calls up to execve(2).
 *
 * The container shares its parent's memory between the clone and execve(2). It makes only these
 * calls, which allocate nothing and write to nothing but the program's own memory.
 *
 * @module
 */

import { type Call, pointerList, ResultOf } from "../ffi/call.ts";
import { clone3, CLONE_CLEAR_SIGHAND } from "../ffi/calls/clone3.ts";
import { EFD_CLOEXEC } from "../ffi/calls/events.ts";
import { chdir, close_range, CLOSE_RANGE_CLOEXEC, dup3, eventfd2 } from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import {
  clone,
  CLONE_NEWCGROUP,
  CLONE_PARENT,
  CLONE_VFORK,
  CLONE_VM,
  unshare,
} from "../ffi/calls/namespaces.ts";
import { execveat, exit_group, setsid } from "../ffi/calls/processes.ts";
import { ALL_PROCESSORS, sched_setaffinity } from "../ffi/calls/processors.ts";
import { writeTextTo } from "../ffi/calls/write_text.ts";
import { Label } from "../ffi/engine/program.ts";
import type { Fixes } from "../ffi/fix.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { CGROUP_DENIED, FILTERED, PROCESS_LIMIT } from "../plan/fixes.ts";
import { namespaceFixes } from "../plan/namespace_fixes.ts";
import { EXIT_CHILD } from "../plan/process.ts";
import { openNull, type ProgramEnd, writeExec } from "./enter_program.ts";
import type { Frame } from "./frame.ts";
import { CHILD_EDGES, type LaunchRecord, ProgramWriter } from "./program_writer.ts";
import { copiesMemory, type LaunchShape } from "./shape.ts";
import { CGROUP_DIRECTORY, cgroupFile, INIT_IMAGE } from "./slots.ts";

/** The linked program of a launch, with the calls whose results are read afterwards. */
export interface LaunchProgram extends ProgramEnd {
  readonly parts: readonly (LaunchRecord | Label)[];
  /** The call that makes the container's first process. */
  readonly clone: Call;
}

/**
 * Links a plan and a frame into the program of a launch.
 *
 * @param writeEnd writes what the last process does after its steps: by default, execute the program
 */
export function link(
  plan: PlanBuilder,
  shape: LaunchShape,
  frame: Frame,
  writeEnd: typeof writeExec = writeExec,
): LaunchProgram {
  const writer = new ProgramWriter();
  const labels = plan.processes.map((_, index) => new Label(`process ${index + 1}`));
  const first = cloneProcess(plan, shape, 0, frame);
  frame.enclose(writer, first, labels[0]!);
  let end: ProgramEnd = { candidates: [], executes: [] };
  plan.processes.forEach((process, index) => {
    writer.place(labels[index]!);
    writer.section = "begin";
    if (index === 0) {
      frame.begin(writer);
      writer.add(plan.clearUmask, CHILD_EDGES);
      if (shape.stdio.includes("null")) writer.add(openNull, CHILD_EDGES);
    }
    if (plan.processes[index - 1]?.then !== "init") frame.tie(writer);
    if (index === plan.firstIndex) {
      if (plan.options.detached === true) writer.add(setsid(), CHILD_EDGES);
      enterCgroup(writer, plan, shape);
    }
    for (const part of process.parts) {
      const isJoint = shape.entersTime === true && "call" in part &&
        part.call === plan.timeEntry!.joint;
      writer.part(isJoint ? { ...part, call: plan.timeEntry!.others } : part);
    }
    if (process.then === "exec") {
      writer.section = "program";
      end = writeEnd(writer, plan, shape, frame);
      return;
    }
    writer.section = "clone";
    const cloned = writer.add(cloneProcess(plan, shape, index + 1, undefined), {
      ...CHILD_EDGES,
      onZero: labels[index + 1]!,
      fixes: CLONE_FIXES,
    });
    if (process.then === "exit") writer.add(exit_group(0));
    else becomeInit(writer, cloned, frame);
  });
  frame.aside?.(writer);
  writer.section = "failure";
  writer.place(EXIT_CHILD);
  writer.add(exit_group(127));
  return { parts: writer.parts, clone: first, ...end };
}

/** Returns the record of a call. */
export function recordOf(call: Call, { parts }: Pick<LaunchProgram, "parts">): LaunchRecord {
  return parts.find((part): part is LaunchRecord => "call" in part && part.call === call)!;
}

/** Returns the call that makes a process; the frame makes the first, each process the next. */
function cloneProcess(
  plan: PlanBuilder,
  shape: LaunchShape,
  index: number,
  frame: Frame | undefined,
): Call {
  const process = plan.processes[index]!;
  const isContainer = index === plan.firstIndex;
  const cgroup = isContainer ? shape.cgroup : undefined;
  // The root of a cgroup namespace is the cgroup of its creator, which has to be in the container's
  // by then (cgroup_namespaces(7)).
  const later = cgroup === undefined ? 0 : CLONE_NEWCGROUP;
  const isSibling = plan.processes[index - 1]?.then === "exit";
  const flags = (frame?.vfork ?? true ? CLONE_VFORK : 0) |
    (!copiesMemory(process, shape) && (frame?.sharesMemory ?? true) ? CLONE_VM : 0) |
    (isSibling ? CLONE_PARENT : 0) |
    (isContainer ? plan.cloneFlags & ~later : 0);
  const clears = frame?.clearsHandlers === true ? CLONE_CLEAR_SIGHAND : 0;
  const directory = cgroup?.directory === true ? CGROUP_DIRECTORY : undefined;
  if (clears === 0 && directory === undefined) return clone(flags, process.pid);
  return clone3(flags + clears, process.pid, directory);
}

/**
 * Writes the calls that enter the control groups, unless clone3(2) has made the process in them.
 */
function enterCgroup(writer: ProgramWriter, plan: PlanBuilder, { cgroup }: LaunchShape): void {
  if (cgroup === undefined) return;
  writer.section = "limits";
  const options = {
    ...CHILD_EDGES,
    stepIndex: plan.limits!.stepIndex,
    fixes: { EACCES: CGROUP_DENIED },
  };
  for (let index = 0; index < cgroup.files; index++) {
    writer.add(writeTextTo(cgroupFile(index), MYSELF), options);
  }
  // Since Linux 6.2 the processors that the script is kept to are remembered, and the container would
  // run on those of its group that are among them (sched_setaffinity(2)).
  if (plan.limits!.limits.cpuset !== undefined) {
    writer.add(sched_setaffinity(0, ALL_PROCESSORS), options);
  }
  if ((plan.cloneFlags & CLONE_NEWCGROUP) !== 0) writer.add(unshare(CLONE_NEWCGROUP), options);
}

/** The fixes for a clone(2) without namespaces. */
const CLONE_FIXES: Fixes = {
  EAGAIN: PROCESS_LIMIT,
  EACCES: "this user may not move processes into the container's control group",
  EPERM: FILTERED,
};

/** Returns the fixes for the clone of the first process. */
export function firstCloneFixes({ clonedKinds, host }: PlanBuilder): Fixes {
  const fixes = clonedKinds.size === 0 ? {} : namespaceFixes(clonedKinds, host, false);
  return { ...CLONE_FIXES, ...fixes };
}

/** `"0"`: the process that writes it (cgroups(7)). */
const MYSELF = "0";

/** Writes the calls that become the init, which reads the pid of its child from descriptor 0. */
function becomeInit(writer: ProgramWriter, cloned: Call, frame: Frame): void {
  writer.section = "init";
  // The program may have entered another root by now. pivot_root(2) has moved the init to it, but not
  // its working directory, by which the old root would be found at /proc/1/cwd.
  writer.add(chdir("/"), CHILD_EDGES);
  writer.add(close_range(0, 0xffff_ffff, CLOSE_RANGE_CLOEXEC), CHILD_EDGES);
  const event = writer.add(eventfd2(new ResultOf(cloned, "pid"), EFD_CLOEXEC), CHILD_EDGES);
  writer.add(dup3(new ResultOf(event, "event"), 0, 0), CHILD_EDGES);
  frame.tie(writer);
  const argv = pointerList(["init"], '["init"]');
  const none = pointerList([], "[]");
  writer.add(execveat(INIT_IMAGE, "", argv, none, AT_EMPTY_PATH), {
    ...CHILD_EDGES,
    fixes: { EACCES: "memory files may not be executed here (sysctl vm.memfd_noexec)" },
  });
}
