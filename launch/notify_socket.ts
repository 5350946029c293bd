/**
 * The socket to which a program sends messages, as sd_notify(3) has it: that it is ready, and what it
 * does. The container makes it, in its own network: an abstract name is found in that alone.
 *
 * @module
 */

import { type Call, ResultOf } from "../ffi/call.ts";
import { passCredentials } from "../ffi/calls/sockets.ts";
import { bindAbstract, unixDatagramSocket } from "../ffi/calls/unix_sockets.ts";
import { NOTIFY_NAME } from "./slots.ts";

const PREFIX = "ramekin-notify-";

/** How many letters follow in a name. */
const LETTERS = 8;

/** Returns the letters of a new name. */
export function newNotifyName(): string {
  return crypto.randomUUID().slice(0, LETTERS);
}

/** The value of NOTIFY_SOCKET for a name. */
export function notifyVariable(name: string): string {
  return `@${PREFIX}${name}`;
}

/** Adds the calls that make the socket. */
export function addNotifySocket(add: (call: Call) => Call): ResultOf {
  const socket = new ResultOf(add(unixDatagramSocket()), "notify");
  add(passCredentials(socket, true));
  add(bindAbstract(socket, PREFIX, NOTIFY_NAME));
  return socket;
}
