/**
 * Sockets of others, who get a descriptor by one message: the terminal's other side, a pidfd, the
 * listener of a filter.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { sendDescriptor } from "../ffi/calls/sockets.ts";
import { connectUnix, unixAddress, unixStreamSocket } from "../ffi/calls/unix_sockets.ts";
import { syscall } from "../ffi/syscalls.ts";

/** Connects to a socket and sends a descriptor, with a text or a byte. */
export function sendTo(path: string, fd: number, text = "\0"): void {
  const address = unixAddress(path);
  const socket = syscall(unixStreamSocket());
  try {
    syscall(connectUnix(socket, address));
    syscall(sendDescriptor(socket, fd, new TextEncoder().encode(text)));
  } finally {
    syscall(close(socket));
  }
}
