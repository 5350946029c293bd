/**
 * The console socket: an engine listens at it, and gets the terminal's other side by one message.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { sendDescriptor } from "../ffi/calls/sockets.ts";
import { connectUnix, unixAddress, unixStreamSocket } from "../ffi/calls/unix_sockets.ts";
import { syscall } from "../ffi/syscalls.ts";

/** Connects to a socket and sends a descriptor. */
export function sendTo(path: string, fd: number): void {
  const address = unixAddress(path);
  const socket = syscall(unixStreamSocket());
  try {
    syscall(connectUnix(socket, address));
    syscall(sendDescriptor(socket, fd));
  } finally {
    syscall(close(socket));
  }
}
