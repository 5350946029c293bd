/**
 * A netlink socket of the script, whose requests are made at once, in the calling thread.
 *
 * @module
 */

import { Output, ResultOf } from "../call.ts";
import { close } from "../calls/files.ts";
import { MSG_DONTWAIT, NETLINK_ROUTE, recvfrom } from "../calls/sockets.ts";
import type { ErrnoName } from "../errno.ts";
import { SyscallError } from "../errors.ts";
import { ifThere } from "../missing.ts";
import { syscall, syscalls } from "../syscalls.ts";
import { type InterfaceAddress, listAddresses, readAddress } from "./address.ts";
import { type Link, listLinks, readLink } from "./link.ts";
import {
  decode,
  type Message,
  NLMSG_DONE,
  NLMSG_ERROR,
  readResponse,
  type Received,
} from "./message.ts";
import { answerOutput, requestCalls, send, socketCalls } from "./request.ts";
import type { IpAddress } from "./ip.ts";
import { findRoute, leadsToOneMachine, listRoutes, readRoute, type Route } from "./route.ts";

/** The most bytes that the kernel puts into one part of a list (NLMSG_GOODSIZE grows to this). */
const RECEIVE_SIZE = 32 * 1024;

/** The errors of addresses that no route leads to, or one that is prohibited or a blackhole. */
const NO_ROUTE: readonly ErrnoName[] = ["ENETUNREACH", "EHOSTUNREACH", "EACCES", "EINVAL"];

/**
 * A socket to the kernel for the network namespace in which it is opened. It keeps that namespace when
 * the thread enters another one. See rtnetlink(7).
 */
export class NetlinkSocket implements Disposable {
  #fd: number | undefined;

  /**
   * Opens it, or takes over an open one.
   *
   * @throws {SyscallError} `EAFNOSUPPORT` if the kernel has no networking
   */
  constructor(protocol: number | { readonly opened: number } = NETLINK_ROUTE) {
    if (typeof protocol === "object") {
      this.#fd = protocol.opened;
      return;
    }
    const [socket, ...options] = socketCalls(protocol, (call) => new ResultOf(call, "socket"));
    const outcome = syscalls([socket, ...options].map((call) => ({ call })));
    this.#fd = Number(outcome.result(socket));
  }

  /** Its descriptor, while it is open. */
  get number(): number {
    if (this.#fd === undefined) throw new TypeError("the socket is closed");
    return this.#fd;
  }

  /** Returns all interfaces. */
  links(): Link[] {
    return this.list(listLinks()).map(readLink);
  }

  /** Returns the addresses of all interfaces. */
  addresses(): InterfaceAddress[] {
    return this.list(listAddresses()).map(readAddress);
  }

  /** Returns the routes of all tables. */
  routes(): Route[] {
    return this.list(listRoutes()).map(readRoute);
  }

  /** Whether packets to this address go to one other machine, by the present routes. */
  leadsToOneMachine(address: IpAddress): boolean {
    const route = ifThere(() => this.#get(findRoute(address)), NO_ROUTE);
    return route !== undefined && leadsToOneMachine(route);
  }

  /** Makes a request; see {@linkcode requestCalls}. */
  request(messages: readonly Message[], words?: readonly string[]): void {
    const calls = requestCalls(this.number, messages, answerOutput(), words);
    syscalls(calls.map((call) => ({ call })));
  }

  /** Requests a list, and returns its messages. */
  list(message: Message): Received[] {
    syscall(send(this.number, [message]));
    const received: Received[] = [];
    for (;;) {
      for (const answer of this.#receive(message)) {
        if (answer.type === NLMSG_DONE) return received;
        received.push(answer);
      }
    }
  }

  /** Requests one thing, and returns its message. */
  #get(message: Message): Received {
    syscall(send(this.number, [message]));
    return this.#receive(message)[0]!;
  }

  /** Receives a part of the response to a message. */
  #receive(message: Message): Received[] {
    const output = new Output(RECEIVE_SIZE);
    const call = recvfrom(this.number, output, MSG_DONTWAIT);
    const outcome = syscalls([{ call }]);
    const { buffer, byteOffset } = outcome.output(output);
    const bytes = new Uint8Array(buffer, byteOffset, Number(outcome.result(call)));
    const answers = decode(bytes);
    if (answers.some(({ type }) => type === NLMSG_ERROR)) throw responseError(message, bytes);
    return answers;
  }

  /** Closes it, unless it is closed already. */
  close(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#fd = undefined;
    syscall(close(fd));
  }

  /** Closes it at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function responseError({ words }: Message, answer: Uint8Array): SyscallError {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  const { errno, words: hint } = readResponse(view);
  return new SyscallError({ syscall: words[0]!, errno, call: words.join(" "), hint });
}
