/**
 * What a script does for a container's network when this has ended. The kernel takes a network
 * namespace away in its own time, and with it what it takes back or deletes.
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_RDONLY, openat } from "../../ffi/calls/files.ts";
import { CLONE_NEWNET, setns } from "../../ffi/calls/namespaces.ts";
import { NETLINK_ROUTE } from "../../ffi/calls/sockets.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { deleteLink, setLink } from "../../ffi/netlink/link.ts";
import { socketCalls } from "../../ffi/netlink/request.ts";
import { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { processDirectory } from "../../ffi/proc/proc_dir.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { HostService } from "../../plan/parent_work.ts";

/**
 * Deletes one end of a cable when the container ends that has the other, so that its name is free
 * again once the container is said to have ended.
 */
export function deletedAtTheEnd(name: string): HostService {
  return {
    does: [`at the end: {RTM_DELLINK, ${JSON.stringify(name)}}`],
    begin() {
      using socket = new NetlinkSocket();
      const link = socket.links().find((link) => link.name === name);
      return () => {
        if (link === undefined) return;
        using socket = new NetlinkSocket();
        unlessGone(() => socket.request([deleteLink({ index: link.index })]));
      };
    },
  };
}

/** Moves an interface back, under its old name, when the container ends. */
export function returnedAtTheEnd(name: string, nameInside: string): HostService {
  return {
    does: [
      `at the end: {RTM_NEWLINK, ${JSON.stringify(nameInside)}, ${JSON.stringify(name)}, back}`,
    ],
    begin(pid) {
      const [home, away] = [openNamespace("thread-self"), openNamespace(pid)];
      return () => {
        try {
          using socket = openSocketIn(away, home);
          const link = socket.links().find((link) => link.name === nameInside);
          if (link === undefined) return;
          const back = { name, namespace: { fd: home } };
          unlessGone(() => socket.request([setLink({ index: link.index }, back)]));
        } finally {
          for (const namespace of [home, away]) syscall(close(namespace));
        }
      };
    },
  };
}

function openNamespace(process: number | "thread-self"): number {
  return syscall(openat(at_fdcwd, `${processDirectory(process)}/ns/net`, O_RDONLY | O_CLOEXEC));
}

/** Opens a socket in another network namespace; the calling thread is there only meanwhile. */
function openSocketIn(namespace: number, home: number): NetlinkSocket {
  const [socket, ...options] = socketCalls(NETLINK_ROUTE, (call) => new ResultOf(call, "socket"));
  const back = new Label("back");
  const outcome = syscalls([
    { call: setns(namespace, CLONE_NEWNET) },
    ...[socket, ...options].map((call) => ({ call, onFailure: back })),
    back,
    { call: setns(home, CLONE_NEWNET) },
  ]);
  return new NetlinkSocket({ opened: Number(outcome.result(socket)) });
}

function unlessGone(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== "ENODEV") throw error;
  }
}
