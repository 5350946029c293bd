/**
 * Sockets that pass descriptors or bytes, or talk to the kernel. See unix(7), cmsg(3) and netlink(7).
 *
 * @module
 */

import {
  type Call,
  call,
  constant,
  type Fd,
  flags,
  Output,
  OutputField,
  type Pointer,
  type ShowSlot,
  type Slot,
  Struct,
  type Text,
} from "../call.ts";
import {
  AF_NETLINK,
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_TRUNC,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  SIOCGIFINDEX,
  SIOCGSKNS,
  SO_DOMAIN,
  SO_ERROR,
  SO_PASSCRED,
  SO_PEERCRED,
  SO_PEERPIDFD,
  SO_RCVTIMEO,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOL_NETLINK,
  SOL_SOCKET,
} from "./constants/sockets.ts";

export * from "./constants/sockets.ts";

const SCM_RIGHTS = 1;

const CMSG_HEADER = 16;
const CMSG_SPACE = 24;
const CREDENTIALS_SPACE = 32;
const MSGHDR = { iov: 16, iovlen: 24, control: 32, controllen: 40, size: 56 } as const;

/** Creates two connected sockets that keep the boundaries of messages. See socketpair(2). */
export function socketpair(pair: Output): Call {
  return call(
    "socketpair",
    constant(AF_UNIX, { AF_UNIX }),
    constant(SOCK_SEQPACKET | SOCK_CLOEXEC, {
      "SOCK_SEQPACKET|SOCK_CLOEXEC": SOCK_SEQPACKET | SOCK_CLOEXEC,
    }),
    0,
    pair,
  );
}

/** Sends a descriptor through a socket, with a byte of data. See sendmsg(2). */
export function sendDescriptor(
  socket: Fd,
  fd: Slot | number,
  data: Uint8Array<ArrayBuffer> = new Uint8Array(1),
): Call {
  const control = new Uint8Array(CMSG_SPACE);
  const view = new DataView(control.buffer);
  view.setUint32(0, CMSG_HEADER + 4, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  if (typeof fd === "number") view.setInt32(CMSG_HEADER, fd, true);
  const cells = typeof fd === "number" ? [] : [{ offset: CMSG_HEADER, slot: fd }];
  const struct = new Struct(control, "&control", [], cells);
  const text = (show: ShowSlot) => `{SCM_RIGHTS, ${typeof fd === "number" ? fd : show(fd)}}`;
  return call("sendmsg", socket, message(data, struct, text), 0);
}

/**
 * Sends a packet with descriptors, which are known; a peer that is gone is `EPIPE` and no signal. See
 * sendmsg(2).
 */
export function sendDescriptors(
  socket: Fd,
  fds: readonly number[],
  data: Uint8Array<ArrayBuffer>,
): Call {
  const length = CMSG_HEADER + fds.length * 4;
  const control = new Uint8Array(fds.length === 0 ? 0 : Math.ceil(length / 8) * 8);
  if (fds.length > 0) {
    const view = new DataView(control.buffer);
    view.setUint32(0, length, true);
    view.setInt32(8, SOL_SOCKET, true);
    view.setInt32(12, SCM_RIGHTS, true);
    fds.forEach((fd, index) => view.setInt32(CMSG_HEADER + index * 4, fd, true));
  }
  const struct = message(data, new Struct(control, "&control"), `{SCM_RIGHTS, ${fds}}`);
  const named = flags(MSG_NOSIGNAL | MSG_DONTWAIT, { MSG_NOSIGNAL, MSG_DONTWAIT });
  return call("sendmsg", socket, struct, named);
}

/** Gets who has connected: struct ucred, of twelve bytes. See unix(7). */
export function peerCredentials(socket: Fd, credentials: Output): Call {
  return call(
    "getsockopt",
    socket,
    constant(SOL_SOCKET, { SOL_SOCKET }),
    constant(SO_PEERCRED, { SO_PEERCRED }),
    credentials,
    new Struct(Uint8Array.of(12, 0, 0, 0), "&12"),
  );
}

/** Receives a message of {@linkcode sendDescriptor}. See recvmsg(2). */
export function receiveDescriptor(socket: number, control: Output): Call {
  const flags = constant(MSG_CMSG_CLOEXEC, { MSG_CMSG_CLOEXEC });
  return call("recvmsg", socket, message(new Output(1), control, "&message"), flags);
}

/** Turns on or off that a socket receives the sender's credentials with a message. See unix(7). */
export function passCredentials(socket: Fd, on: boolean): Call {
  return call(
    "setsockopt",
    socket,
    constant(SOL_SOCKET, { SOL_SOCKET }),
    constant(SO_PASSCRED, { SO_PASSCRED }),
    new Struct(Uint8Array.of(on ? 1 : 0, 0, 0, 0), on ? "&1" : "&0"),
    4,
  );
}

/** Has calls that receive fail after this time (`EAGAIN`). See socket(7). */
export function receiveTimeout(socket: Fd, milliseconds: number): Call {
  const timeval = new Uint8Array(16);
  const view = new DataView(timeval.buffer);
  view.setBigInt64(0, BigInt(Math.floor(milliseconds / 1000)), true);
  view.setBigInt64(8, BigInt(milliseconds % 1000) * 1000n, true);
  return call(
    "setsockopt",
    socket,
    constant(SOL_SOCKET, { SOL_SOCKET }),
    constant(SO_RCVTIMEO, { SO_RCVTIMEO }),
    new Struct(timeval, `&{${milliseconds} ms}`),
    timeval.length,
  );
}

/** Gets an option of a socket that is a number of 32 bits. See getsockopt(2), socket(7). */
export function getSocketOption(socket: Fd, option: number, value: Output): Call {
  return call(
    "getsockopt",
    socket,
    constant(SOL_SOCKET, { SOL_SOCKET }),
    constant(option, { SO_TYPE, SO_ERROR, SO_DOMAIN, SO_PEERPIDFD }),
    value,
    new Struct(Uint8Array.of(4, 0, 0, 0), "&4"),
  );
}

/** Fails with `ENOTCONN` if the socket is not connected. See getpeername(2). */
export function getpeername(socket: Fd): Call {
  return call("getpeername", socket, null, new Struct(new Uint8Array(4), "&0"));
}

/** Receives a byte and, with {@linkcode passCredentials}, its sender. See recvmsg(2). */
export function receiveByte(socket: Fd, sender: Output): Call {
  return call("recvmsg", socket, message(new Output(1), sender, "&message"), 0);
}

/** Memory for the sender of a message: a header, and struct ucred. */
export function senderOutput(): Output {
  return new Output(CREDENTIALS_SPACE, "&sender");
}

/** The pid of a message's sender, as an argument of a later call. */
export function senderField(sender: Output): OutputField {
  return new OutputField(sender, CMSG_HEADER, "pid");
}

/** The pid of a message's sender, in the pid namespace of the receiver. */
export function senderOf(sender: DataView): number {
  return sender.getInt32(CMSG_HEADER, true);
}

/** Memory for the control data of a message with one descriptor. */
export function controlOutput(): Output {
  return new Output(CMSG_SPACE, "&control");
}

/** The descriptor in the control data, if the message had one. */
export function descriptorOf(control: DataView): number | undefined {
  return control.getInt32(12, true) === SCM_RIGHTS
    ? control.getInt32(CMSG_HEADER, true)
    : undefined;
}

/** A message of one piece: struct msghdr. */
export function message(
  data: Uint8Array<ArrayBuffer> | Output,
  control: Struct | Output,
  text: Text,
): Struct {
  const vector = new Uint8Array(16);
  const length = data instanceof Uint8Array ? data.length : data.size;
  new DataView(vector.buffer).setUint32(8, length, true);
  const iov = new Struct(vector, "&iov", [{ offset: 0, to: data }]);
  const bytes = new Uint8Array(MSGHDR.size);
  bytes[MSGHDR.iovlen] = 1;
  bytes[MSGHDR.controllen] = control.size;
  return new Struct(bytes, text, [
    { offset: MSGHDR.iov, to: iov },
    { offset: MSGHDR.control, to: control },
  ]);
}

/** Creates a socket that talks to the kernel. See netlink(7). */
export function netlinkSocket(protocol: number): Call {
  const type = SOCK_RAW | SOCK_CLOEXEC;
  return call(
    "socket",
    constant(AF_NETLINK, { AF_NETLINK }),
    constant(type, { "SOCK_RAW|SOCK_CLOEXEC": type }),
    constant(protocol, { NETLINK_ROUTE, NETLINK_NETFILTER }),
  );
}

/** Turns an option of a netlink socket on. See setsockopt(2), netlink(7). */
export function setNetlinkOption(socket: Fd, option: number): Call {
  return call(
    "setsockopt",
    socket,
    constant(SOL_NETLINK, { SOL_NETLINK }),
    constant(option, { NETLINK_CAP_ACK, NETLINK_EXT_ACK }),
    new Struct(Uint8Array.of(1, 0, 0, 0), "&1"),
    4,
  );
}

/** Sends a message to the default address of a socket. See sendto(2). */
export function sendto(socket: Fd, message: Struct): Call {
  return call("sendto", socket, message, message.size, 0, null, 0);
}

/** Sends a message that is gathered from pieces. See sendmsg(2). */
export function sendPieces(socket: Fd, pieces: readonly Piece[], text: string): Call {
  const vector = new Uint8Array(pieces.length * 16);
  const view = new DataView(vector.buffer);
  pieces.forEach(({ size }, index) => view.setBigUint64(index * 16 + 8, BigInt(size), true));
  const iov = new Struct(
    vector,
    "&iov",
    pieces.map(({ at }, index) => ({ offset: index * 16, to: at })),
  );
  const bytes = new Uint8Array(MSGHDR.size);
  new DataView(bytes.buffer).setBigUint64(MSGHDR.iovlen, BigInt(pieces.length), true);
  return call("sendmsg", socket, new Struct(bytes, text, [{ offset: MSGHDR.iov, to: iov }]), 0);
}

/** A piece of a message, and where it is in memory: struct iovec. */
export interface Piece {
  readonly at: Pointer["to"];
  readonly size: number;
}

/** Receives a message. See recvfrom(2). */
export function recvfrom(socket: Fd, message: Output, flagBits: number): Call {
  const named = flags(flagBits, { MSG_DONTWAIT, MSG_TRUNC });
  return call("recvfrom", socket, message, message.size, named, null, null);
}

/** Opens the network namespace of a socket. See SIOCGSKNS in linux/sockios.h. */
export function openSocketNamespace(socket: Fd): Call {
  return call("ioctl", socket, constant(SIOCGSKNS, { SIOCGSKNS }), 0);
}

const IFREQ = { index: 16, size: 40 } as const;

/**
 * Returns the index of the interface with a name, in the network namespace of a socket. The kernel
 * writes it after the name, where {@linkcode indexField} finds it. See netdevice(7).
 */
export function getInterfaceIndex(socket: Fd, request: Struct): Call {
  return call("ioctl", socket, constant(SIOCGIFINDEX, { SIOCGIFINDEX }), request);
}

/** The argument of {@linkcode getInterfaceIndex}: struct ifreq, with the name of an interface. */
export function interfaceRequest(name: string): Struct {
  const bytes = new Uint8Array(IFREQ.size);
  new TextEncoder().encodeInto(name, bytes.subarray(0, IFREQ.index - 1));
  return new Struct(bytes, `{${JSON.stringify(name)}}`);
}

/** The index that {@linkcode getInterfaceIndex} returned. */
export function indexField(request: Struct, name: string): OutputField {
  return new OutputField(request, IFREQ.index, `index of ${name}`);
}
