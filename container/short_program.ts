/**
 * Collects the output of programs that end within a millisecond, without the reactor: its thread
 * takes longer to respond.
 *
 * @module
 */

import { POLLIN, ppoll } from "../ffi/calls/polling.ts";
import { Slot, Struct } from "../ffi/call.ts";
import { Routine } from "../ffi/routine.ts";
import { END } from "../ffi/engine/program.ts";
import { reactor } from "../ffi/reactor.ts";
import { MOST_READ, readSome } from "../ffi/engine/transfer.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import { conclude } from "../launch/collect.ts";
import { type CommandOutput, OutputCollector } from "../launch/output.ts";
import { endIn, reaping } from "../launch/status.ts";

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
  const patience = Math.min(PATIENCE_MS, timeout) * 1e6;
  const pipes = descriptors.filter((fd) => fd !== undefined);
  const status = endIn(WAITING[pipes.length]!.run(launched.pidfd, patience, ...pipes));
  if (status === undefined) return undefined;
  const streams = descriptors.map((fd, stream) =>
    fd === undefined ? undefined : readAll(fd, new OutputCollector(stream, maxOutput))
  );
  return conclude(launched, descriptors, status, streams);
}

const PIDFD = new Slot("pidfd", 4), NANOSECONDS = new Slot("nanoseconds");
const TIMEOUT = new Struct(new Uint8Array(16), "&timeout", [], [{ offset: 8, slot: NANOSECONDS }]);

/** Wait for the end of a program with so many pipes, and reap it if these have ended too. */
const WAITING = [0, 1, 2, 3].map((count) => {
  const pipes = Array.from({ length: count }, (_, index) => new Slot(`pipe ${index}`, 4));
  // With no events requested, ppoll(2) returns only if the other end is closed (POLLHUP).
  const waits = [
    ppoll([{ fd: PIDFD, events: POLLIN }], TIMEOUT),
    ...pipes.map((fd) => ppoll([{ fd, events: 0 }], 0)),
  ];
  // After these errors the reactor waits instead.
  const undecided = { accept: ["EINTR", "ENOMEM"], onZero: END, onAccepted: END } as const;
  return new Routine([PIDFD, NANOSECONDS, ...pipes], [
    ...waits.map((call) => ({ call, ...undecided })),
    reaping(PIDFD),
  ]);
});

/** Reads the rest of a pipe whose other end is closed. */
function readAll(fd: number, collected: OutputCollector): OutputCollector {
  for (;;) {
    const bytes = readSome(fd);
    if (bytes === undefined) return collected;
    collected.add(bytes);
    if (bytes.length < MOST_READ) return collected;
  }
}
