/**
 * What the launcher of a box does at the sync points of its container, as records: requests to the
 * host's network, and id maps, which newuidmap(1) and newgidmap(1) write for an ordinary user.
 *
 * @module
 */

import { type Call, call, Named, Output, OutputField, pointerList, Struct } from "../ffi/call.ts";
import { close, read, write } from "../ffi/calls/files.ts";
import { compareWord } from "../ffi/calls/futex.ts";
import { clone, CLONE_VFORK, CLONE_VM } from "../ffi/calls/namespaces.ts";
import { execve } from "../ffi/calls/processes.ts";
import { passCredentials, receiveByte, senderField, senderOutput } from "../ffi/calls/sockets.ts";
import { ERRNO } from "../ffi/errno.ts";
import { Label } from "../ffi/engine/program.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import {
  CONTAINER_SOCKET,
  type HostService,
  knownPid,
  type ParentAction,
  type ParentPid,
  SCRIPT_SOCKET,
} from "../plan/parent_work.ts";
import { EXIT_CHILD } from "../plan/process.ts";
import type { ProgramWriter } from "./program_writer.ts";

/**
 * Why a box has no such service: its launcher does nothing once the program runs. The kernel deletes
 * the outer end of a pair with the inner one, a moment after the container's end.
 */
const SERVICES: Readonly<Record<HostService["service"], string | undefined>> = {
  "delete-link": undefined,
  "return-link":
    "the interface has to be moved back when the container ends, which a box does not " +
    "do; veth() and macvlan() make interfaces that end with it",
  "nat-table":
    "packets are translated as long as a script runs beside the container; run the recipe " +
    "with Deno, or translate in a network of the container's: { inside: true }",
  "reserve-port": "the port is kept by a script that runs beside the container; run it with Deno",
  "user-network":
    "a program has to forward packets as long as the container runs, and a script has " +
    "to end it; run the recipe with Deno",
};

/** Returns why a box cannot do a plan's part of its parent; `undefined` if it can. */
export function parentWorkIssue(
  { syncPoints, processes }: PlanBuilder,
): { readonly stepIndex: number; readonly message: string } | undefined {
  for (const { stepIndex, arrival, parentActions } of syncPoints) {
    for (const action of parentActions(knownPid(0))) {
      const message = "service" in action ? SERVICES[action.service] : undefined;
      if (message !== undefined) return { stepIndex, message };
    }
    const isFirst = processes[0]!.parts.some((part) => "call" in part && part.call === arrival);
    if (!isFirst) {
      const message = "a box can do this for the first process of a container only; put the step " +
        'before init() and before a second unshare("pid")';
      return { stepIndex, message };
    }
  }
  return undefined;
}

/**
 * Writes the launcher's part behind the clone.
 *
 * @param pidText memory in which the container's first process has written its pid
 */
export function writeParentWork(writer: ProgramWriter, plan: PlanBuilder, pidText: Output): void {
  const closing = new Label("closing");
  // The container reads 0 bytes once the launcher's end is closed, and ends.
  const edges = { onFailure: closing };
  writer.add(close(CONTAINER_SOCKET), edges);
  writer.add(passCredentials(SCRIPT_SOCKET, true), edges);
  for (const { stepIndex, parentActions } of plan.syncPoints) {
    const sender = senderOutput();
    writer.add(receiveByte(SCRIPT_SOCKET, sender), {
      ...edges,
      accept: ["ECONNRESET"],
      onAccepted: closing,
      onZero: closing,
    });
    const pid: ParentPid = { text: pidText, number: senderField(sender) };
    for (const action of parentActions(pid)) writeAction(writer, action, stepIndex, closing);
    writer.add(write(SCRIPT_SOCKET, new Uint8Array(1), 1), { ...edges, accept: ["EPIPE"] });
  }
  // Until the program runs or the container has ended, which closes its end.
  writer.add(read(SCRIPT_SOCKET, new Output(1), 1), { ...edges, accept: ["ECONNRESET"] });
  writer.place(closing);
  writer.add(close(SCRIPT_SOCKET));
}

function writeAction(
  writer: ProgramWriter,
  action: ParentAction,
  stepIndex: number,
  onFailure: Label,
): void {
  if ("calls" in action) {
    for (const { call, fixes } of action.calls) writer.add(call, { stepIndex, fixes, onFailure });
  } else if ("program" in action) {
    runTool(writer, action, stepIndex, onFailure);
  }
}

/** Where the tools are installed. */
const DIRECTORIES = ["/usr/bin", "/bin", "/usr/local/bin"];

/** Runs a tool to its end; a status other than 0 is a failure. */
function runTool(
  writer: ProgramWriter,
  { program, args }: { readonly program: string; readonly args: readonly (string | Output)[] },
  stepIndex: number,
  onFailure: Label,
): void {
  const [child, made] = [new Label(`${program} begins`), new Label(`${program} runs`)];
  const [pid, status] = [new Output(4, "&pid"), new Output(4, "&status")];
  const words = [program, ...args];
  const shown = words.map((word) => typeof word === "string" ? word : word.text).join(" ");
  const argv = new Struct(
    new Uint8Array((words.length + 1) * 8),
    `[${shown}]`,
    words.map((to, index) => ({ offset: index * 8, to })),
  );
  const options = { stepIndex, onFailure };
  writer.add(clone(CLONE_VM | CLONE_VFORK, pid), { ...options, onZero: child, onSuccess: made });
  writer.place(child);
  const environment = pointerList(["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "[PATH]");
  DIRECTORIES.forEach((directory, index) => {
    const isLast = index === DIRECTORIES.length - 1;
    writer.add(execve(`${directory}/${program}`, argv, environment), {
      stepIndex,
      onFailure: EXIT_CHILD,
      ...(!isLast && { accept: ["ENOENT"] }),
    });
  });
  writer.place(made);
  const wait: Call = call("wait4", new OutputField(pid, 0, "pid"), status, 0, null);
  writer.add(wait, options);
  const verdict = {
    name: program,
    text: `${shown} (see /etc/subuid and /etc/subgid)`,
    answer: status,
    read: () => ({ errno: ERRNO.EINVAL, words: undefined }),
  };
  writer.add({ ...compareWord(status, new Named(0, "0")), verdict }, options);
}
