/**
 * Waiting for a few descriptors. See ppoll(2).
 *
 * @module
 */

import { type Call, call, Struct } from "../call.ts";

const SIGSET_SIZE = 8;

/** The descriptor can be read. */
export const POLLIN = 1;

/** A descriptor and the events to wait for: struct pollfd. */
export interface PollFd {
  readonly fd: number;
  readonly events: number;
}

/** Waits for events of descriptors; `undefined` is without a timeout. See ppoll(2). */
export function ppoll(fds: readonly PollFd[], milliseconds: number | undefined): Call {
  const bytes = new Uint8Array(fds.length * 8);
  const view = new DataView(bytes.buffer);
  fds.forEach(({ fd, events }, index) => {
    view.setInt32(index * 8, fd, true);
    view.setInt16(index * 8 + 4, events, true);
  });
  const list = new Struct(bytes, () => `[${fds.map(({ fd }) => fd).join(", ")}]`);
  return call("ppoll", list, fds.length, timespec(milliseconds), null, SIGSET_SIZE);
}

function timespec(milliseconds: number | undefined): Struct | null {
  if (milliseconds === undefined) return null;
  const seconds = Math.floor(milliseconds / 1000);
  const nanoseconds = Math.round((milliseconds - seconds * 1000) * 1e6);
  const words = new BigInt64Array([BigInt(seconds), BigInt(nanoseconds)]);
  return new Struct(new Uint8Array(words.buffer), `{${milliseconds} ms}`);
}
