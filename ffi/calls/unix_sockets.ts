/**
 * Sockets of this machine, by paths and by names that no file has. See unix(7).
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
  SOCK_SEQPACKET,
  SOCK_STREAM,
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

/** The longest path of a socket: sun_path, with the NUL at its end. */
const PATH_BYTES = 107;

/**
 * The address of a path, or of an abstract name that begins with `@`.
 *
 * @throws {RangeError} for one that is longer than an address
 */
export function unixAddress(path: string): Struct {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > PATH_BYTES) {
    throw new RangeError(`the path of the socket has more than ${PATH_BYTES} bytes: ${path}`);
  }
  const isAbstract = path.startsWith("@");
  const address = new Uint8Array(2 + bytes.length + (isAbstract ? 0 : 1));
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(bytes, 2);
  if (isAbstract) address[2] = 0;
  return new Struct(address, JSON.stringify(path));
}

/** Creates a socket for streams. See socket(2). */
export function unixStreamSocket(): Call {
  const type = SOCK_STREAM | SOCK_CLOEXEC;
  return call(
    "socket",
    constant(AF_UNIX, { AF_UNIX }),
    constant(type, { "SOCK_STREAM|SOCK_CLOEXEC": type }),
    0,
  );
}

/** Creates a nonblocking socket for packets. See socket(2). */
export function unixPacketSocket(): Call {
  const type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return call(
    "socket",
    constant(AF_UNIX, { AF_UNIX }),
    constant(type, { "SOCK_SEQPACKET|SOCK_NONBLOCK|SOCK_CLOEXEC": type }),
    0,
  );
}

/** Connects a socket. See connect(2). */
export function connectUnix(socket: Fd, address: Struct): Call {
  return call("connect", socket, address, address.size);
}

/** Binds a socket to an address. See bind(2). */
export function bindUnix(socket: Fd, address: Struct): Call {
  return call("bind", socket, address, address.size);
}

/** Sends a datagram to an address. See sendto(2). */
export function sendToUnix(
  socket: Fd,
  bytes: Uint8Array<ArrayBuffer>,
  address: Struct,
): Call {
  return call("sendto", socket, bytes, bytes.length, 0, address, address.size);
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
