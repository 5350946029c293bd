/**
 * Programs that end at once: the way to the thread pool and back would take longer than they do.
 *
 * @module
 */

import { POLLIN, ppoll } from "../ffi/calls/polling.ts";
import { P_PIDFD, siginfoOutput, waitid, WEXITED } from "../ffi/calls/processes.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { END } from "../ffi/engine/program.ts";
import { reactor } from "../ffi/reactor.ts";
import { readSome } from "../ffi/engine/transfer.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import { conclude } from "../launch/collect.ts";
import type { CommandOutput } from "../launch/output.ts";
import { statusIn } from "../launch/status.ts";
import { concat } from "../ffi/concat.ts";

/** For how many milliseconds the script's thread waits: about as long as a launch holds it. */
const PATIENCE_MS = 1;

/**
 * Collects what the program has written, where it ends at once and nobody else is left who has its
 * streams; otherwise nothing is changed. Where others are waited for too, nobody is kept waiting.
 */
export async function collectPromptly(
  launched: LaunchedProcess,
  descriptors: readonly (number | undefined)[],
  timeout = Infinity,
): Promise<CommandOutput | undefined> {
  // The processes that may be left in a group take time to end.
  if (launched.cgroup !== undefined || !await reactor().mayBlock()) return undefined;
  const { pidfd } = launched;
  const info = siginfoOutput();
  // Who asks for nothing is told that the other side is closed, and no more (poll(2), POLLHUP).
  const closed = descriptors.flatMap((fd) =>
    fd === undefined ? [] : [ppoll([{ fd, events: 0 }], 0)]
  );
  const waits = [ppoll([{ fd: pidfd, events: POLLIN }], Math.min(PATIENCE_MS, timeout)), ...closed];
  const outcome = syscalls([
    ...waits.map((call) => ({ call, accept: UNANSWERED, onZero: END, onAccepted: END })),
    { call: waitid(P_PIDFD, pidfd, info, WEXITED), accept: UNANSWERED },
  ]);
  const status = statusIn(outcome.output(info));
  if (status === undefined) return undefined;
  const [, stdout, stderr] = descriptors.map((fd) => fd === undefined ? undefined : readAll(fd));
  return conclude(launched, descriptors, status, stdout, stderr);
}

/** What keeps a wait from being answered. */
const UNANSWERED = ["EINTR", "ENOMEM"] as const;

/** What is left in a pipe that nobody writes to any more. */
function readAll(fd: number): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const bytes = readSome(fd);
    if (bytes === undefined || bytes.length === 0) return concat(parts);
    parts.push(bytes);
  }
}
