/**
 * The console socket: an engine listens at it, and gets the terminal's other side by one message.
 *
 * @module
 */

import { call, Struct } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import { sendDescriptor } from "../ffi/calls/sockets.ts";
import { syscall } from "../ffi/syscalls.ts";
import { OciError } from "./errors.ts";

const [AF_UNIX, SOCK_STREAM, SOCK_CLOEXEC] = [1, 1, 0o2000000];

/** The longest path of a socket: sun_path, with the NUL at its end (unix(7)). */
const PATH_BYTES = 107;

/** Connects to a socket and sends a descriptor. */
export function sendTo(path: string, fd: number): void {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > PATH_BYTES) {
    throw new OciError(`the path of the socket has more than ${PATH_BYTES} bytes: ${path}`);
  }
  const address = new Uint8Array(2 + PATH_BYTES + 1);
  address[0] = AF_UNIX;
  address.set(bytes, 2);
  const socket = syscall(call("socket", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  try {
    const size = 2 + bytes.length + 1;
    syscall(call("connect", socket, new Struct(address, JSON.stringify(path)), size));
    syscall(sendDescriptor(socket, fd));
  } finally {
    syscall(close(socket));
  }
}
