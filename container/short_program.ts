/**
 * Collects the output of programs that end within a millisecond, without the reactor: its thread
 * takes longer to respond.
 *
 * @module
 */

import { POLLIN, ppoll } from "../ffi/calls/polling.ts";
import { P_PIDFD, rusageOutput, siginfoOutput, waitid, WEXITED } from "../ffi/calls/processes.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { END } from "../ffi/engine/program.ts";
import { reactor } from "../ffi/reactor.ts";
import { readSome } from "../ffi/engine/transfer.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import { conclude } from "../launch/collect.ts";
import { type CommandOutput, OutputCollector } from "../launch/output.ts";
import { statusIn } from "../launch/status.ts";

/** How long the script's thread blocks, in milliseconds: about as long as a launch blocks it. */
const PATIENCE_MS = 1;

/**
 * Collects the program's output if it ends within a millisecond and no other process has its
 * streams; otherwise returns `undefined` and changes nothing. Does not block if the event loop has
 * other work.
 */
export async function collectPromptly(
  launched: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
  timeout = Infinity,
  maxOutput?: number,
): Promise<CommandOutput | undefined> {
  // Processes that are left in a control group take longer to end.
  if (launched.cgroup !== undefined || !await reactor().mayBlock()) return undefined;
  const { pidfd } = launched;
  const info = siginfoOutput(), usage = rusageOutput();
  // With no events requested, ppoll(2) returns only if the other end is closed (POLLHUP).
  const closed = descriptors.flatMap((fd) =>
    fd === undefined ? [] : [ppoll([{ fd, events: 0 }], 0)]
  );
  const waits = [ppoll([{ fd: pidfd, events: POLLIN }], Math.min(PATIENCE_MS, timeout)), ...closed];
  const outcome = syscalls([
    ...waits.map((call) => ({ call, accept: UNDECIDED, onZero: END, onAccepted: END })),
    { call: waitid(P_PIDFD, pidfd, info, WEXITED, usage), accept: UNDECIDED },
  ]);
  const status = statusIn(outcome.output(info), outcome.output(usage));
  if (status === undefined) return undefined;
  const streams = descriptors.map((fd, stream) =>
    fd === undefined ? undefined : readAll(fd, new OutputCollector(stream, maxOutput))
  );
  return conclude(launched, descriptors, status, streams);
}

/** The errors after which the reactor waits instead. */
const UNDECIDED = ["EINTR", "ENOMEM"] as const;

/** Reads the rest of a pipe whose other end is closed. */
function readAll(fd: number, collected: OutputCollector): OutputCollector {
  for (;;) {
    const bytes = readSome(fd);
    if (bytes === undefined || bytes.length === 0) return collected;
    collected.add(bytes);
  }
}
