/**
 * The listener of a container's filter: takes calls, reads what they point to, and answers them.
 *
 * @module
 */

import { call, Output, Slot, Struct } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import { POLLIN } from "../ffi/calls/polling.ts";
import {
  ANSWER,
  answerNotification,
  answerValues,
  isNotificationValid,
  notificationOutput,
  type NotifiedCall,
  readNotification,
  receiveNotification,
  wakeOnOneProcessor,
} from "../ffi/calls/seccomp_notifications.ts";
import { Routine } from "../ffi/routine.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";

/** The most bytes that are read at once; the memory of a program ends at a page. */
const [LONGEST, PAGE] = [4096, 4096];

/** Why a call cannot be taken or answered any more: its thread was killed, or it was interrupted. */
const GONE = ["ENOENT", "EINPROGRESS", "EINTR"] as const;

/** What there is to take. */
export type Next = NotifiedCall | "nothing" | "ended";

/** The listener of one container. */
export class Listener {
  readonly #fd: number;
  readonly #wait: Routine;
  readonly #polled: Output;
  readonly #receive: Routine;
  readonly #notification = notificationOutput();
  readonly #answer: Routine;
  readonly #read: Routine;
  readonly #memory = new Output(LONGEST, "&memory");
  readonly #copied;
  readonly #valid;

  /** Takes ownership of the descriptor. */
  constructor(fd: number) {
    this.#fd = fd;
    const poll = new DataView(new ArrayBuffer(8));
    poll.setInt32(0, fd, true);
    poll.setInt16(4, POLLIN, true);
    this.#polled = new Output(8, "&poll", new Uint8Array(poll.buffer));
    const time = new Struct(new Uint8Array(16), "&time", [], [{ offset: 8, slot: NANOSECONDS }]);
    const wait = call("ppoll", this.#polled, 1, time, null, 8);
    this.#wait = new Routine([NANOSECONDS], [{ call: wait, accept: ["EINTR"] }]);
    const receive = receiveNotification(fd, this.#notification);
    this.#receive = new Routine([], [{ call: receive, accept: GONE }]);
    const { low, high, error, flags } = ANSWER;
    this.#answer = new Routine([low, high, error, flags], [
      { call: answerNotification(fd), accept: GONE },
    ]);
    this.#copied = call("process_vm_readv", PID, this.#local, 1, REMOTE, 2, 0);
    this.#valid = isNotificationValid(fd);
    this.#read = new Routine([PID, ...PLACES, low, high], [
      { call: this.#copied, accept: ["EFAULT", "EPERM", "ESRCH", "EINVAL"] },
      { call: this.#valid, accept: ["ENOENT"] },
    ]);
    // An older kernel only takes longer.
    syscalls([{ call: wakeOnOneProcessor(fd), accept: ["EINVAL", "ENOTTY"] }]);
  }

  get #local(): Struct {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint32(8, LONGEST, true);
    return new Struct(bytes, "&local", [{ offset: 0, to: this.#memory }]);
  }

  /** Takes the next call, for which it waits so long. */
  next(milliseconds: number): Next {
    const polled = this.#wait.run(Math.floor(milliseconds * 1e6)).output(this.#polled);
    const events = polled.getInt16(6, true);
    if ((events & POLLIN) === 0) return events === 0 ? "nothing" : "ended";
    return readNotification(this.#receive.run().output(this.#notification)) ?? "nothing";
  }

  /** Lets a call be made, or fail with this errno. */
  answer(notified: NotifiedCall, errno?: number): void {
    this.#answer.run(...answerValues(notified, errno));
  }

  /**
   * Returns memory of the program that makes a call, as much as can be read; none where the program
   * has ended, as its number may be another's by now.
   */
  read(notified: NotifiedCall, address: bigint, size = LONGEST): Uint8Array<ArrayBuffer> {
    const from = Number(address), wanted = Math.min(size, LONGEST);
    const first = Math.min(wanted, PAGE - from % PAGE);
    const places = [from, first, from + first, wanted - first];
    const result = this.#read.run(notified.pid, ...places, ...notified.id);
    const count = Number(result.result(this.#copied));
    if (count <= 0 || result.result(this.#valid) !== 0n) return new Uint8Array();
    const { buffer, byteOffset } = result.output(this.#memory);
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, count).slice();
  }

  /** Closes the listener: calls that wait fail (`ENOSYS`). */
  close(): void {
    syscall(close(this.#fd));
  }
}

const NANOSECONDS = new Slot("nanoseconds");
const PID = new Slot("pid");
/** Two places in the memory of the program, as the second one may be missing. */
const PLACES = ["address", "length", "next address", "rest"].map((name) => new Slot(name));
const REMOTE = new Struct(
  new Uint8Array(32),
  "&remote",
  [],
  PLACES.map((slot, index) => ({ offset: index * 8, slot })),
);
