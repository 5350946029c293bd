/**
 * Receives what a program tells of itself, as sd_notify(3) has it.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import { at_fdcwd, close } from "../ffi/calls/files.ts";
import { senderOf, senderOutput } from "../ffi/calls/sockets.ts";
import { receiveMessage } from "../ffi/calls/unix_sockets.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { ifThere } from "../ffi/missing.ts";
import { HIDDEN_PROCESS } from "../ffi/proc/proc_dir.ts";
import { statField } from "../ffi/proc/process_identity.ts";
import { otherNamespaces } from "../ffi/proc/process_namespaces.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import type { RunningService } from "../launch/running_service.ts";

/** A message: variables and their values. */
export type Notification = Readonly<Record<string, string>>;

/** The longest message; what is beyond is cut off. */
const LONGEST = 4096;

/** How many messages are taken at once, so that a program that sends on and on stops nothing else. */
const AT_ONCE = 100;

/** Receives the messages of one container, without keeping the script running. */
export class NotifyListener implements RunningService {
  readonly #socket: number;
  readonly #first: number;
  readonly #hasOwnNetwork: boolean;
  readonly #watch: Watch;
  readonly #take: (message: Notification) => void;

  /**
   * Takes ownership of the socket.
   *
   * @param first the pid of the container's first process
   */
  constructor(socket: number, first: number, take: (message: Notification) => void) {
    this.#socket = socket;
    this.#first = first;
    this.#take = take;
    const others = ifThere(() => otherNamespaces(first, ["net"]), HIDDEN_PROCESS) ?? [];
    this.#hasOwnNetwork = others.length > 0;
    this.#watch = reactor().watch(socket);
    this.#watch.unref();
    void this.#serve();
  }

  /** Takes what has come before the end, and closes the socket. */
  end(): void {
    if (this.#watch.closed) return;
    this.#watch.close();
    try {
      this.#receiveAll();
    } finally {
      syscall(close(this.#socket));
    }
  }

  async #serve(): Promise<void> {
    while (!this.#watch.closed) {
      await this.#watch.ready("readable");
      if (!this.#watch.closed) this.#receiveAll();
    }
  }

  #receiveAll(): void {
    for (let count = 0; count < AT_ONCE && this.#receive(); count++);
  }

  /** Receives a message; returns whether there was one. */
  #receive(): boolean {
    const [data, sender] = [new Output(LONGEST), senderOutput()];
    const call = receiveMessage(this.#socket, data, sender);
    const outcome = syscalls([{ call, accept: ["EAGAIN", "EINTR"] }]);
    const length = Number(outcome.result(call));
    if (length < 0) return false;
    const { buffer, byteOffset } = outcome.output(data);
    const text = new TextDecoder().decode(new Uint8Array(buffer, byteOffset, length));
    if (this.#hasOwnNetwork || this.#isOurs(senderOf(outcome.output(sender)))) {
      this.#take(notificationIn(text));
    }
    return true;
  }

  /** Whether the sender is the container's first process, or comes from it. */
  #isOurs(sender: number): boolean {
    for (let pid = sender; pid > 0;) {
      if (pid === this.#first) return true;
      const parent = ifThere(
        () => readWholeText(at_fdcwd, `/proc/${pid}/stat`),
        HIDDEN_PROCESS,
      );
      pid = parent === undefined ? 0 : Number(statField(parent, 4));
    }
    return false;
  }
}

/** The variables of a message, a line each. */
function notificationIn(text: string): Notification {
  const lines = text.split("\n").map((line) => /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line));
  return Object.fromEntries(lines.flatMap((found) => found ? [[found[1]!, found[2]!]] : []));
}
