/**
 * Connections to the addresses of a host, by sockets of the script.
 *
 * The system calls are made here, and not by `Deno.connect`: it takes the name and looks it up itself,
 * so that another address could be dialed than the one that was checked; by the address, it would ask
 * for a permission that a script with `--allow-net=example.org` has not.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { connect, ipSocket, socketErrorOutput, takeSocketError } from "../ffi/calls/ip_sockets.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import type { IpAddress } from "../ffi/netlink/ip.ts";
import { reactor } from "../ffi/reactor.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { describeAddress, describeDestination, type Hosts } from "./hosts.ts";
import { Refusal } from "./refusal.ts";
import type { Destination } from "./request.ts";
import { SocketStream, type Stream } from "./stream.ts";

/** Connects to a host, or throws a {@linkcode Refusal}. */
export type Connect = (to: Destination) => Promise<Stream>;

/** How long an address may take to answer before the next one is tried, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Connects to a host, by the first of its addresses that answers.
 *
 * @param isWanted whether the container still waits for it
 * @throws {Refusal} where the host is not granted, or cannot be reached
 */
export async function dial(
  to: Destination,
  hosts: Hosts,
  isWanted: () => boolean,
): Promise<Stream> {
  for (const address of await hosts.addressesOf(to, isWanted)) {
    const socket = await dialAddress(address, to.port).catch(ifSyscall);
    if (socket !== undefined) return new SocketStream(socket);
  }
  // One answer for all: it must not tell which addresses this machine and its networks have.
  throw new Refusal(
    502,
    `${
      describeDestination(to)
    } cannot be reached at a public address, nor at one that is granted ` +
      'itself, as "10.0.0.0/8" grants those of a private network',
  );
}

/** Returns a connected socket. */
async function dialAddress(address: IpAddress, port: number): Promise<number> {
  const socket = syscall(ipSocket(address.family, "tcp"));
  try {
    const text = describeAddress(address, port);
    const call = connect(socket, { ...address, port, text });
    syscalls([{ call, accept: ["EINPROGRESS"] }]);
    await whenConnected(socket);
    return socket;
  } catch (error) {
    syscall(close(socket));
    throw error;
  }
}

async function whenConnected(socket: number): Promise<void> {
  const watch = reactor().watch(socket);
  watch.unref();
  const timer = setTimeout(() => watch.close(), PATIENCE);
  Deno.unrefTimer(timer);
  try {
    await watch.ready("writable");
    if (watch.closed) throw new SyscallError({ syscall: "connect", errno: ERRNO.ETIMEDOUT });
  } finally {
    clearTimeout(timer);
    watch.close();
  }
  const error = socketErrorOutput();
  const errno = syscalls([{ call: takeSocketError(socket, error) }]).output(error).getInt32(
    0,
    true,
  );
  if (errno !== 0) throw new SyscallError({ syscall: "connect", errno });
}

/** The next address is tried after an error of this one. */
function ifSyscall(error: unknown): undefined {
  if (!(error instanceof SyscallError)) throw error;
}
