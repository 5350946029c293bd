/**
 * Sockets of this machine that take datagrams, by names that no file has. See unix(7).
 *
 * @module
 */

import { type Call, call, constant, type Fd, type Output, type Slot, Struct } from "../call.ts";
import {
  AF_UNIX,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "./constants/sockets.ts";
import { message } from "./sockets.ts";

/** Creates a nonblocking socket. See socket(2). */
export function unixDatagramSocket(): Call {
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return call(
    "socket",
    constant(AF_UNIX, { AF_UNIX }),
    constant(type, { "SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC": type }),
    0,
  );
}

/** Binds a socket to an abstract name, whose last eight bytes a slot has. See bind(2). */
export function bindAbstract(socket: Fd, prefix: string, end: Slot): Call {
  const path = new TextEncoder().encode(`\0${prefix}`);
  const bytes = new Uint8Array(2 + path.length + 8);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(path, 2);
  const address = new Struct(bytes, (show) => `"@${prefix}${show(end)}"`, [], [
    { offset: 2 + path.length, slot: end },
  ]);
  return call("bind", socket, address, address.size);
}

/** Receives a message and its sender; what else it brings is closed. See recvmsg(2). */
export function receiveMessage(socket: Fd, data: Output, sender: Output): Call {
  return call(
    "recvmsg",
    socket,
    message(data, sender, "&message"),
    constant(MSG_DONTWAIT, { MSG_DONTWAIT }),
  );
}
