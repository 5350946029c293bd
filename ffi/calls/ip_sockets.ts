/**
 * Sockets of TCP and UDP. See ip(7), ipv6(7), tcp(7) and udp(7).
 *
 * @module
 */

import { type Call, call, constant, type Fd, flags, Output, Struct } from "../call.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SHUT_WR,
  SO_ERROR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from "./constants/sockets.ts";
import { getSocketOption } from "./sockets.ts";

/** A port of an address. */
export interface SocketAddress {
  /** `AF_INET` or `AF_INET6`. */
  readonly family: number;
  /** Its four or sixteen bytes. */
  readonly bytes: Uint8Array;
  readonly port: number;
  /** The address and the port, for plans and errors. */
  readonly text: string;
}

const TYPES = {
  tcp: [SOCK_STREAM, "SOCK_STREAM"],
  udp: [SOCK_DGRAM, "SOCK_DGRAM"],
} as const;

/** Creates a nonblocking socket. See socket(2). */
export function ipSocket(family: number, protocol: "tcp" | "udp"): Call {
  const [kind, name] = TYPES[protocol];
  const type = kind | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const text = `${name}|SOCK_NONBLOCK|SOCK_CLOEXEC`;
  return call(
    "socket",
    constant(family, { AF_INET, AF_INET6 }),
    constant(type, { [text]: type }),
    0,
  );
}

/** Keeps a socket of IPv6 from the ports of IPv4. See ipv6(7). */
export function setIpv6Only(socket: Fd): Call {
  return call(
    "setsockopt",
    socket,
    constant(IPPROTO_IPV6, { IPPROTO_IPV6 }),
    constant(IPV6_V6ONLY, { IPV6_V6ONLY }),
    new Struct(Uint8Array.of(1, 0, 0, 0), "&1"),
    4,
  );
}

/** Binds a socket to a port of an address of this machine. See bind(2). */
export function bind(socket: Fd, address: SocketAddress): Call {
  const struct = socketAddress(address);
  return call("bind", socket, struct, struct.size);
}

/** Binds a socket to a port of 127.0.0.1. See bind(2). */
export function bindLoopback(socket: Fd, port: number): Call {
  const bytes = Uint8Array.of(127, 0, 0, 1);
  return bind(socket, { family: AF_INET, bytes, port, text: `127.0.0.1:${port}` });
}

/** Makes a socket accept connections. See listen(2). */
export function listen(socket: Fd, backlog: number): Call {
  return call("listen", socket, backlog);
}

/** Accepts the next connection, as a nonblocking socket. See accept4(2). */
export function accept(socket: Fd): Call {
  const named = flags(SOCK_NONBLOCK | SOCK_CLOEXEC, { SOCK_NONBLOCK, SOCK_CLOEXEC });
  return call("accept4", socket, null, null, named);
}

/** Begins a connection. See connect(2). */
export function connect(socket: Fd, address: SocketAddress): Call {
  const struct = socketAddress(address);
  return call("connect", socket, struct, struct.size);
}

/** Takes the error of a connection that was begun, 0 if there is none. See socket(7). */
export function takeSocketError(socket: Fd, error: Output): Call {
  return getSocketOption(socket, SO_ERROR, error);
}

/** Memory for {@linkcode takeSocketError}. */
export function socketErrorOutput(): Output {
  return new Output(4, "&error");
}

/** Shuts down the sending side of a connection. See shutdown(2). */
export function shutdownWrite(socket: Fd): Call {
  return call("shutdown", socket, constant(SHUT_WR, { SHUT_WR }));
}

/** struct sockaddr_in, or struct sockaddr_in6. */
function socketAddress({ family, bytes, port, text }: SocketAddress): Struct {
  const ipv6 = family === AF_INET6;
  const struct = new Uint8Array(ipv6 ? 28 : 16);
  const view = new DataView(struct.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  struct.set(bytes, ipv6 ? 8 : 4);
  return new Struct(struct, `{${ipv6 ? "AF_INET6" : "AF_INET"}, ${text}}`);
}
