/**
 * Moves an interface back to the host, under its old name, when the container ends. At the end of a
 * network namespace, the kernel itself moves a hardware device to the initial one, and deletes all
 * other interfaces (network_namespaces(7)).
 *
 * @module
 */

import { type Call, ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_RDONLY, openat } from "../../ffi/calls/files.ts";
import { CLONE_NEWNET, setns } from "../../ffi/calls/namespaces.ts";
import { NETLINK_ROUTE } from "../../ffi/calls/sockets.ts";
import { Label } from "../../ffi/engine/program.ts";
import { ifThere } from "../../ffi/missing.ts";
import { setLink } from "../../ffi/netlink/link.ts";
import { socketCalls } from "../../ffi/netlink/request.ts";
import { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import { processDirectory } from "../../ffi/proc/proc_dir.ts";
import { processIdentity } from "../../ffi/proc/process_identity.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";

import { openIfRunning } from "./process.ts";
import type { ServiceDefinition } from "./service.ts";

/** The service. */
export const returnLinkService: ServiceDefinition<"return-link"> = {
  describe: ({ name, nameInside }) => [
    `at the end: {RTM_NEWLINK, ${JSON.stringify(nameInside)}, ${JSON.stringify(name)}, back}`,
  ],
  start({ name, nameInside }, { pid }) {
    const record = { service: "return-link", name, nameInside, ...processIdentity(pid) } as const;
    const home = syscall(openNamespace("thread-self"));
    const away = syscall(openNamespace(pid));
    return { record, end: () => moveBack(name, nameInside, away, home) };
  },
  cleanUp({ name, nameInside, ...process }) {
    const away = openIfRunning(process, openNamespace);
    // The namespace has ended with the process, and the kernel has removed the interface.
    if (away === undefined) return;
    moveBack(name, nameInside, away, syscall(openNamespace("thread-self")));
  },
};

/** Moves an interface between two namespaces, and closes both. */
function moveBack(name: string, nameInside: string, away: number, home: number): void {
  try {
    using socket = openSocketIn(away, home);
    const link = socket.links().find((link) => link.name === nameInside);
    if (link === undefined) return;
    const back = { name, namespace: { fd: home } };
    ifThere(() => socket.request([setLink({ index: link.index }, back)]), ["ENODEV"]);
  } finally {
    for (const namespace of [home, away]) syscall(close(namespace));
  }
}

function openNamespace(process: number | "thread-self"): Call {
  return openat(at_fdcwd, `${processDirectory(process)}/ns/net`, O_RDONLY | O_CLOEXEC);
}

/** Opens a socket in another network namespace, which the calling thread enters for that only. */
function openSocketIn(namespace: number, home: number): NetlinkSocket {
  const [socket, ...options] = socketCalls(NETLINK_ROUTE, (call) => new ResultOf(call, "socket"));
  const back = new Label("back");
  const result = syscalls([
    { call: setns(namespace, CLONE_NEWNET) },
    ...[socket, ...options].map((call) => ({ call, onFailure: back })),
    back,
    { call: setns(home, CLONE_NEWNET) },
  ]);
  return new NetlinkSocket({ opened: Number(result.result(socket)) });
}
