/**
 * Waiting for a few descriptors. See ppoll(2).
 *
 * @module
 */

import { type Call, call, type ShowSlot, Slot, type SlotCell, Struct } from "../call.ts";
import { timespecOf } from "../timespec.ts";

const SIGSET_SIZE = 8;

/** The descriptor can be read. */
export const POLLIN = 1;
/** The descriptor can be written. */
export const POLLOUT = 4;
/** Nobody has the other end of the pipe any more. It is always waited for. */
export const POLLERR = 8;

/** A descriptor and the events to wait for: struct pollfd. A slot for the descriptor takes 4 bytes. */
export interface PollFd {
  readonly fd: number | Slot;
  readonly events: number;
}

/**
 * Waits for descriptors, negative ones left out: for some milliseconds, without end, or for what
 * struct timespec says. See ppoll(2).
 */
export function ppoll(fds: readonly PollFd[], timeout: number | undefined | Struct): Call {
  const bytes = new Uint8Array(fds.length * 8);
  const view = new DataView(bytes.buffer);
  const cells: SlotCell[] = [];
  fds.forEach(({ fd, events }, index) => {
    if (fd instanceof Slot) cells.push({ offset: index * 8, slot: fd });
    else view.setInt32(index * 8, fd, true);
    view.setInt16(index * 8 + 4, events, true);
  });
  const text = (show: ShowSlot) =>
    `[${fds.map(({ fd }) => fd instanceof Slot ? show(fd) : fd).join(", ")}]`;
  const list = new Struct(bytes, text, [], cells);
  return call(
    "ppoll",
    list,
    fds.length,
    timeout instanceof Struct ? timeout : timespec(timeout),
    null,
    SIGSET_SIZE,
  );
}

function timespec(milliseconds: number | undefined): Struct | null {
  if (milliseconds === undefined) return null;
  const { seconds, nanoseconds } = timespecOf(milliseconds);
  const words = new BigInt64Array([BigInt(seconds), BigInt(nanoseconds)]);
  return new Struct(new Uint8Array(words.buffer), `{${milliseconds} ms}`);
}
