/**
 * POSIX message queues, whose names belong to the ipc namespace. See mq_overview(7).
 *
 * @module
 */

import { type Call, call, type Fd, flags, mode, type Output } from "../call.ts";
import { OPEN_FLAGS } from "./names/open.ts";

/** The largest message, in bytes, of a queue with default attributes. */
export const MESSAGE_SIZE = 8192;

/** Opens or creates a queue; its name has no slash here. See mq_open(2). */
export function mq_open(name: string, flagBits: number, fileMode: number): Call {
  return call("mq_open", name, flags(flagBits, OPEN_FLAGS), mode(fileMode), null);
}

/** Removes a queue. See mq_unlink(2). */
export function mq_unlink(name: string): Call {
  return call("mq_unlink", name);
}

/** Adds a message to a queue, and waits while it is full. See mq_send(3). */
export function mq_timedsend(queue: Fd, message: Uint8Array<ArrayBuffer>, priority: number): Call {
  return call("mq_timedsend", queue, message, message.length, priority, null);
}

/** Removes the oldest message of the highest priority, and waits for one. See mq_receive(3). */
export function mq_timedreceive(queue: Fd, message: Output): Call {
  return call("mq_timedreceive", queue, message, message.size, null, null);
}
