/**
 * Makes calls in a container without a program in it: a process of the engine's enters by the steps
 * of a plan, makes the calls, sends what it has opened, and exits. It shares the script's memory
 * meanwhile, as a launch does before its program, and has nothing to execute.
 *
 * @module
 */

import { type Call, ResultOf } from "../ffi/call.ts";
import { close, dup3, O_CLOEXEC } from "../ffi/calls/files.ts";
import { exit_group, kill, pidfd_open, POLLIN, ppoll, SIGNALS } from "../ffi/calls/processes.ts";
import { sendDescriptor } from "../ffi/calls/sockets.ts";
import { engine, place, RunResult, sizeWith } from "../ffi/engine/engine.ts";
import { failureOf } from "../ffi/engine/failure.ts";
import {
  assemble,
  Label,
  PENDING,
  type ProgramRecord,
  type SyscallProgram,
} from "../ffi/engine/program.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import type { LazyFixes } from "../ffi/fix.ts";
import { prepareLock } from "../ffi/process_lock.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { CONTAINER_SOCKET, SYNC_SOCKETS } from "../plan/parent_work.ts";
import { execSpec } from "./exec.ts";
import { failureError, heldUpError, orEnded } from "./explain.ts";
import { closeInheritedFds, openInheritedFds } from "./inherited_fds.ts";
import { type Alteration, openUserNamespace } from "./launcher.ts";
import { link, recordOf } from "./link.ts";
import { CHILD_EDGES } from "./program_writer.ts";
import { scriptFacts, scriptPidfd } from "./runtime_fds.ts";
import { PATIENCE } from "./held_end.ts";
import { ScriptFrame } from "./script_frame.ts";
import { shapeOf } from "./shape.ts";
import { bindingsOf, type LaunchValues, SCRIPT_PIDFD } from "./slots.ts";
import { reapTraced } from "./reap.ts";
import { receiveFd } from "./sync.ts";

/** A call that is made in a container. */
export interface VisitCall extends Pick<ProgramRecord, "call" | "accept" | "onAccepted"> {
  readonly fixes?: LazyFixes | undefined;
  /** Whether its result is a descriptor that the script gets too. */
  readonly sends?: boolean;
}

/** What calls have brought. */
export interface Visited {
  readonly result: RunResult;
  /** The descriptors that were sent, by the calls that have opened them. */
  readonly fds: ReadonlyMap<Call, number>;
}

const NO_PROGRAM = execSpec("", {
  environment: { inherited: [], changes: new Map() },
  searchPath: "",
  stdio: [],
});

/** How many messages with a descriptor a socket holds for certain, which nobody reads meanwhile. */
export const MOST_SENT = 32;

/** How calls are made in a container. */
export interface VisitOptions {
  /** How many milliseconds it waits where a program of the container may stop the process. */
  readonly patience?: number;
  /** Changes the program before it runs: the fault tests make its calls fail. */
  readonly alter?: Alteration;
}

/**
 * Makes the calls in a process that has the steps of the plan behind it. The script's thread blocks
 * meanwhile.
 *
 * @throws {SyscallError} with the call that failed; no descriptor is left open then
 */
export function visit(
  plan: PlanBuilder,
  parts: readonly (VisitCall | Label)[],
  { patience = PATIENCE, alter }: VisitOptions = {},
): Visited {
  const calls = parts.filter((part): part is VisitCall => !(part instanceof Label));
  prepareLock();
  const shape = { ...shapeOf(NO_PROGRAM, 0, undefined, false), visits: true } as const;
  const frame = new ScriptFrame(plan, shape, scriptFacts());
  const end = exit_group(0);
  const layout = link(plan, shape, frame, (writer) => {
    writer.section = "program";
    frame.beforeExec(writer);
    for (const planned of plan.beforeProgram) writer.part(planned);
    for (const part of parts) {
      if (part instanceof Label) {
        writer.place(part);
        continue;
      }
      const { call, sends, accept = [], fixes, onAccepted } = part;
      const passed = new Label("nothing to send");
      const edges = sends === true && accept.length > 0 ? { onAccepted: passed } : { onAccepted };
      writer.add(call, { ...CHILD_EDGES, accept, fixes, ...edges });
      if (sends !== true) continue;
      // The message holds the descriptor's number, which has to be known before.
      writer.add(dup3(new ResultOf(call, "fd"), SCRIPT_PIDFD, O_CLOEXEC), CHILD_EDGES);
      writer.add(sendDescriptor(CONTAINER_SOCKET, SCRIPT_PIDFD), CHILD_EDGES);
      writer.place(passed);
    }
    writer.add(end);
    return { candidates: [], executes: [end] };
  });
  const program = assemble(layout.parts, engine().architecture);
  alter?.(program, layout);
  const inheritedFds = openInheritedFds(plan, openUserNamespace);
  let result: RunResult;
  try {
    const values = { spec: NO_PROGRAM, paths: [], scriptPidfd: scriptPidfd(), inheritedFds };
    result = frame.vfork
      ? engine().run(program, bindingsOf(values))
      : runWatched(program, values, plan, patience);
  } finally {
    closeInheritedFds(inheritedFds);
  }
  frame.guard.restore(result);
  if (frame.vfork) reapAll(plan, result);
  return received(result, frame, () => {
    const failure = failureOf(result);
    if (failure !== undefined) {
      const { stepIndex, fixes } = recordOf(failure.call, layout);
      throw orEnded(failureError(failure, { plan, stepIndex, fixes }), plan);
    }
    if (result.result(end) !== PENDING) {
      throw orEnded(frame.vfork ? killed() : heldUpError(), plan);
    }
    return calls.filter(({ call, sends }) => sends === true && result.result(call) >= 0n);
  });
}

/**
 * Runs it in memory of its own, as the script does not sleep until the processes have ended, and kills
 * those that take too long.
 */
function runWatched(
  program: SyscallProgram,
  values: LaunchValues,
  { processes }: PlanBuilder,
  patience: number,
): RunResult {
  const bindings = bindingsOf(values);
  const loaded = engine();
  const memory = loaded.allocate(sizeWith(program, bindings));
  try {
    place(program, memory, bindings);
    loaded.runIn(memory);
    const result = new RunResult(program, memory.view);
    for (const { pid } of processes) {
      const number = result.output(pid).getInt32(0, true);
      if (number > 0) endWithin(patience, number);
    }
    return result.copy();
  } finally {
    loaded.release(memory);
  }
}

/** Waits for the end of a child, and kills it where that does not come in time. */
function endWithin(milliseconds: number, pid: number): void {
  const pidfd = syscall(pidfd_open(pid, 0));
  const end = performance.now() + milliseconds;
  try {
    // A signal interrupts it that the script handles, as that of the child's end.
    for (let isInterrupted = true; isInterrupted;) {
      const left = Math.max(0, Math.ceil(end - performance.now()));
      const ended = ppoll([{ fd: pidfd, events: POLLIN }], left);
      const result = syscalls([{ call: ended, accept: ["EINTR"] }]).result(ended);
      if (result === 0n) syscall(kill(pid, SIGNALS.SIGKILL));
      isInterrupted = result < 0n;
    }
  } finally {
    syscall(close(pidfd));
    reapTraced(pid);
  }
}

/** Waits for the processes of the visit, which have ended. */
function reapAll({ processes }: PlanBuilder, result: RunResult): void {
  for (const { pid } of processes) {
    const number = result.output(pid).getInt32(0, true);
    if (number > 0) reapTraced(number);
  }
}

/** Receives what was sent, and closes the socket, with which what is not received is closed too. */
function received(
  result: RunResult,
  { sockets, pidfd }: ScriptFrame,
  sent: () => readonly VisitCall[],
): Visited {
  const hasSockets = sockets !== undefined && result.result(sockets) === 0n;
  const socket = hasSockets ? result.output(SYNC_SOCKETS).getInt32(0, true) : undefined;
  const fds = new Map<Call, number>();
  try {
    for (const { call } of sent()) {
      const fd = receiveFd(socket!);
      if (fd === undefined) throw killed();
      fds.set(call, fd);
    }
    return { result, fds };
  } catch (error) {
    for (const fd of fds.values()) syscall(close(fd));
    throw error;
  } finally {
    if (socket !== undefined) syscall(close(socket));
    if (pidfd !== undefined && result.result(pidfd) > 0n) {
      syscall(close(Number(result.result(pidfd))));
    }
  }
}

function killed(): SyscallError {
  return new SyscallError({
    syscall: "clone",
    errno: ERRNO.EINTR,
    hint: "the process that looked into the container was killed; does it have enough memory?",
  });
}
