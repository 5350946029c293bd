/**
 * The meetings of a launch: the container waits, the script does its part, the container goes on.
 *
 * @module
 */

import { type Call, Output } from "../ffi/call.ts";
import { read, write } from "../ffi/calls/files.ts";
import { perform, performAll } from "../ffi/perform.ts";
import { Label } from "../ffi/program.ts";
import type { Draft, Meeting, Stage } from "./draft.ts";
import { stepError } from "./explain.ts";

/** Does the script's part of each meeting; returns early when the container has failed. */
export function holdMeetings(
  draft: Draft,
  socket: number,
  pidOf: (stage: Stage) => number,
  runProgram: (program: string, args: readonly string[]) => void,
): void {
  for (const meeting of draft.meetings) {
    // The container's side is closed when it has failed; what has failed is in its table.
    if (!waitForByte(socket)) return;
    for (const act of meeting.acts(String(pidOf(meeting.stage)))) {
      if ("calls" in act) makeCalls(act.calls, draft, meeting);
      else runProgram(act.program, act.args);
    }
    // Nobody is there any more where the container was killed meanwhile.
    performAll([{ call: write(socket, new Uint8Array(1), 1), accept: ["EPIPE"] }]);
  }
}

/** Waits until the container has begun with the program or has ended: its side is closed then. */
export function waitForEnd(socket: number): void {
  while (waitForByte(socket));
}

/** Makes the calls; the last one, which closes what they have opened, also where one has failed. */
function makeCalls(calls: readonly Call[], draft: Draft, meeting: Meeting): void {
  const last = new Label("last");
  const parts = calls.slice(0, -1).map((call) => ({ call, onFailure: last }));
  try {
    performAll([...parts, last, { call: calls.at(-1)! }]);
  } catch (error) {
    throw stepError(error, draft, meeting.stepIndex);
  }
}

/** Whether the other side has sent a byte, and not closed. */
function waitForByte(socket: number): boolean {
  return perform(read(socket, new Output(1), 1)) > 0;
}
