/**
 * Sockets, as far as they hand descriptors over. See unix(7) and cmsg(3).
 *
 * @module
 */

import {
  type Call,
  call,
  constant,
  Output,
  type OutputField,
  type Pointer,
  type ResultOf,
  Struct,
} from "../call.ts";

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;

const CMSG_HEADER = 16;
const CMSG_SPACE = 24;
const MSGHDR = { iov: 16, iovlen: 24, control: 32, controllen: 40, size: 56 } as const;

/** Makes two sockets whose messages stay apart. See socketpair(2). */
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

/** Sends a descriptor through a socket, with a byte that goes before it. See sendmsg(2). */
export function sendDescriptor(socket: number | ResultOf | OutputField, fd: number): Call {
  const control = new Uint8Array(CMSG_SPACE);
  const view = new DataView(control.buffer);
  view.setUint32(0, CMSG_HEADER + 4, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(CMSG_HEADER, fd, true);
  return call("sendmsg", socket, message(new Uint8Array(1), control, `{SCM_RIGHTS, ${fd}}`), 0);
}

/** Receives a message that {@linkcode sendDescriptor} has sent. See recvmsg(2). */
export function receiveDescriptor(socket: number, control: Output): Call {
  const flags = constant(MSG_CMSG_CLOEXEC, { MSG_CMSG_CLOEXEC });
  return call("recvmsg", socket, message(new Output(1), control, "&message"), flags);
}

/** Memory for the control part of a message with one descriptor. */
export function controlOutput(): Output {
  return new Output(CMSG_SPACE, "&control");
}

/** The descriptor that a control part holds, if the message had one. */
export function descriptorOf(control: DataView): number | undefined {
  return control.getInt32(12, true) === SCM_RIGHTS
    ? control.getInt32(CMSG_HEADER, true)
    : undefined;
}

function message(
  data: Uint8Array<ArrayBuffer> | Output,
  control: Pointer["to"],
  text: string,
): Struct {
  const vector = new Uint8Array(16);
  vector[8] = 1;
  const iov = new Struct(vector, "&iov", [{ offset: 0, to: data }]);
  const bytes = new Uint8Array(MSGHDR.size);
  bytes[MSGHDR.iovlen] = 1;
  bytes[MSGHDR.controllen] = CMSG_SPACE;
  return new Struct(bytes, text, [
    { offset: MSGHDR.iov, to: iov },
    { offset: MSGHDR.control, to: control },
  ]);
}
