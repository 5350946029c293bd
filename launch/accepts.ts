/**
 * Looks whether a server accepts connections, in the network of a container.
 *
 * @module
 */

import { ResultOf } from "../ffi/call.ts";
import { ppoll } from "../ffi/calls/processes.ts";
import { Label } from "../ffi/engine/program.ts";
import { close } from "../ffi/calls/files.ts";
import { AF_INET, AF_INET6 } from "../ffi/calls/constants/sockets.ts";
import { connect, ipSocket, type SocketAddress } from "../ffi/calls/ip_sockets.ts";
import { ERRNO, type ErrnoName } from "../ffi/errno.ts";
import { syscalls } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { visit } from "./visit.ts";

/** What socket(2) says where the kernel has no IPv6. */
const NO_FAMILY: readonly ErrnoName[] = ["EAFNOSUPPORT"];

const LOOPBACK: readonly Omit<SocketAddress, "port" | "text">[] = [
  { family: AF_INET, bytes: Uint8Array.of(127, 0, 0, 1) },
  { family: AF_INET6, bytes: Uint8Array.of(...new Uint8Array(15), 1) },
];

/** What connect(2) says where nobody listens, or there is no such network. */
const NOBODY: readonly ErrnoName[] = [
  "ECONNREFUSED",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EPERM",
];

/**
 * Whether a connection to a port of 127.0.0.1 or ::1 is accepted, by the steps of the plan; without
 * steps, in the script's own network.
 */
export function accepts(plan: PlanBuilder, port: number): boolean {
  return LOOPBACK.some((address) => {
    const socket = ipSocket(address.family, "tcp");
    const fd = new ResultOf(socket, "socket");
    const begin = connect(fd, { ...address, port, text: `port ${port}` });
    // By the loopback interface it stands, or is refused, a moment later: the second call tells.
    const look = connect(fd, { ...address, port, text: `port ${port}` });
    const none = new Label("no such network");
    const parts = [
      { call: socket, accept: NO_FAMILY, onAccepted: none },
      { call: begin, accept: [...NOBODY, "EINPROGRESS"] },
      { call: ppoll([], 1), accept: ["EINTR"] },
      { call: look, accept: [...NOBODY, "EISCONN", "EALREADY", "EINPROGRESS", "ECONNABORTED"] },
      { call: close(fd) },
      none,
    ] as const;
    const result = plan.cursor.isEmpty ? syscalls(parts) : visit(plan, parts).result;
    if (result.result(socket) < 0n) return false;
    return [0n, BigInt(-ERRNO.EISCONN)].includes(result.result(look));
  });
}
