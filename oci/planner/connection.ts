/**
 * The packets between the planner and its clients, which `ask_x86_64.S` describes.
 *
 * @module
 */

import { Output } from "../../ffi/call.ts";
import { close } from "../../ffi/calls/files.ts";
import { pidfd_open, POLLIN, ppoll } from "../../ffi/calls/processes.ts";
import {
  getSocketOption,
  MSG_DONTWAIT,
  MSG_TRUNC,
  peerCredentials,
  recvfrom,
  sendDescriptors,
  SO_PEERPIDFD,
} from "../../ffi/calls/sockets.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { reactor, type Watch } from "../../ffi/reactor.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { hasExited } from "../../launch/status.ts";

/** The longest text that a client prints: it has that much room. */
const LONGEST_TEXT = 4000;

/** Who is at the other end. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  /** Whether that process is still there, so that its pid is nobody else's. */
  readonly isThere: () => boolean;
}

/** A connection with a client. */
export class Connection {
  readonly peer: Peer;
  readonly #socket: number;
  readonly #pidfd: number;
  readonly #watch: Watch;

  /**
   * @param socket a nonblocking one, which this closes
   * @throws {SyscallError} if the peer has ended
   */
  constructor(socket: number) {
    this.#socket = socket;
    const credentials = new Output(12, "&credentials");
    const view = syscalls([{ call: peerCredentials(socket, credentials) }]).output(credentials);
    const [pid, uid] = [view.getInt32(0, true), view.getUint32(4, true)];
    this.#pidfd = peerPidfd(socket, pid);
    this.peer = { pid, uid, isThere: () => !hasExited(this.#pidfd) };
    this.#watch = reactor().watch(socket);
  }

  /**
   * Waits for a packet; `undefined` for the end, or for one that is longer than so many bytes.
   *
   * @param brief how many milliseconds the thread waits for it, as it is about to come: that saves the
   * way to another thread and back
   */
  async receive(longest: number, brief = 0): Promise<string | undefined> {
    if (brief > 0) {
      const call = ppoll([{ fd: this.#socket, events: POLLIN }], brief);
      syscalls([{ call, accept: ["EINTR"] }]);
    }
    for (let isFirst = true;; isFirst = false) {
      if (!isFirst) await this.#watch.ready("readable");
      const bytes = new Output(longest, "&packet");
      const call = recvfrom(this.#socket, bytes, MSG_DONTWAIT | MSG_TRUNC);
      const result = syscalls([{ call, accept: ["EAGAIN", "ECONNRESET"] }]);
      const length = Number(result.result(call));
      if (length === -ERRNO.EAGAIN) continue;
      if (length <= 0 || length > longest) return undefined;
      const { buffer, byteOffset } = result.output(bytes);
      return new TextDecoder().decode(new Uint8Array(buffer, byteOffset, length));
    }
  }

  /** Tells the client that the planner is ready. */
  sendReady(): boolean {
    return this.#send("R");
  }

  /** Sends the program that the client walks, with all descriptors, that of the table first. */
  sendTable(size: number, fds: readonly number[]): boolean {
    const data = new Uint8Array(5);
    data[0] = "T".charCodeAt(0);
    new DataView(data.buffer).setUint32(1, size, true);
    return this.#sendBytes(data, fds);
  }

  /** Tells the client to do it by itself. */
  sendRefusal(): boolean {
    return this.#send("F");
  }

  /** Ends the request: the client's status, and what it writes to its standard error. */
  sendEnd(status: number, text = ""): boolean {
    const bytes = new TextEncoder().encode(text).subarray(0, LONGEST_TEXT);
    const data = new Uint8Array(2 + bytes.length);
    data[0] = "E".charCodeAt(0);
    data[1] = status;
    data.set(bytes, 2);
    return this.#sendBytes(data, []);
  }

  #send(text: string): boolean {
    return this.#sendBytes(new TextEncoder().encode(text), []);
  }

  /** Returns whether the client is there. */
  #sendBytes(bytes: Uint8Array<ArrayBuffer>, fds: readonly number[]): boolean {
    const call = sendDescriptors(this.#socket, fds, bytes);
    const result = syscalls([{ call, accept: ["EPIPE", "ECONNRESET", "EAGAIN"] }]);
    return result.result(call) >= 0n;
  }

  /** Closes the connection. */
  close(): void {
    this.#watch.close();
    syscall(close(this.#pidfd));
    syscall(close(this.#socket));
  }
}

/** Returns a pidfd of who has connected a socket. */
function peerPidfd(socket: number, pid: number): number {
  const pidfd = new Output(4, "&pidfd");
  const call = getSocketOption(socket, SO_PEERPIDFD, pidfd);
  const result = syscalls([{ call, accept: ["ENOPROTOOPT"] }]);
  if (result.result(call) === 0n) return result.output(pidfd).getInt32(0, true);
  // Before Linux 6.5.
  return syscall(pidfd_open(pid, 0));
}
