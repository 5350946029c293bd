/**
 * Lowers the step `join`.
 *
 * @module
 */

import { type Call, type Fd, ResultOf } from "../../ffi/call.ts";
import {
  at_fdcwd,
  close,
  fchdir,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openat,
  write,
} from "../../ffi/calls/files.ts";
import { chroot, namespaceIoctl, NS_GET_NSTYPE, setns } from "../../ffi/calls/namespaces.ts";
import { pidfd_open, PR_SET_DUMPABLE, prctl } from "../../ffi/calls/processes.ts";
import { setgroups, setresgid, setresuid } from "../../ffi/calls/users.ts";
import type { ProcessIdentity } from "../../ffi/proc/process_identity.ts";
import { syscalls } from "../../ffi/syscalls.ts";
import { processDirectory } from "../../ffi/proc/proc_dir.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { PlanBuilder } from "../builder.ts";
import { stepError } from "../../launch/explain.ts";
import { CLONE_FLAG, NAMESPACE_KINDS, type NamespaceKind } from "../../recipe/namespaces.ts";
import { keepParentNetns } from "../network.ts";
import { deniesSetgroups, environmentOf, otherKinds, targetOf } from "../../host/join_target.ts";
import { cgroupFilesOf } from "../../host/process_cgroups.ts";
import type { JoinStep } from "../../recipe/steps/join.ts";

/** Lowers `join`. */
export function lowerJoin(step: JoinStep, plan: PlanBuilder): void {
  const { target } = step;
  plan.access?.note({
    kind: "join",
    target: typeof target === "object" ? target.pid : target,
  });
  // Others live there, who may see the container before it has become another program.
  plan.state.exposed = true;
  try {
    if (typeof step.target === "string") joinFile(step.target, step, plan);
    else joinProcess(step.target, step, plan);
  } catch (error) {
    throw stepError(error, plan, plan.cursor.index);
  }
}

function joinProcess(target: number | ProcessIdentity, step: JoinStep, plan: PlanBuilder): void {
  const asked = typeof target === "number" ? { pid: target, started: undefined } : target;
  const { pid, started } = targetOf(asked.pid, asked.started);
  const kinds = new Set(step.kinds ?? otherKinds(pid));
  if (step.environment === true) takeEnvironment(plan, environmentOf(pid));
  if (step.cgroup === true) cgroupFilesOf(pid).forEach((file) => enterCgroup(plan, file));

  // The pidfd and the directory in /proc go on meaning the process that they were opened for.
  const check = () => void targetOf(pid, started);
  const looksInto = step.root === true || step.cwd === true;
  const pidfd = plan.inheritFd(pidfd_open(pid, 0), "pidfd", looksInto ? undefined : check);
  const directory = looksInto
    ? plan.inheritFd(
      openat(at_fdcwd, processDirectory(pid), O_PATH | O_DIRECTORY | O_CLOEXEC),
      "process",
      check,
    )
    : undefined;
  const open = (name: "root" | "cwd") => {
    if (step[name] !== true) return undefined;
    const opened = plan.call(openat(directory!, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
    return new ResultOf(opened, name);
  };
  const [root, cwd] = [open("root"), open("cwd")];
  if (kinds.size > 0) enter(plan, pidfd, kinds, step.credentials);
  if (kinds.has("user")) plan.state.setgroupsDenied = deniesSetgroups(pid);
  if (root !== undefined) {
    plan.call(fchdir(root));
    plan.call(chroot("."));
  }
  if (cwd !== undefined) plan.call(fchdir(cwd));
  if (kinds.has("pid")) plan.fork("exit");
}

function joinFile(file: string, step: JoinStep, plan: PlanBuilder): void {
  const kind = step.kinds?.[0] ?? kindOf(file, plan);
  const fd = new ResultOf(plan.call(openFile(file)), "namespace");
  enter(plan, fd, new Set([kind]), step.credentials);
  if (kind === "pid") plan.fork("exit");
}

/** The kind of namespace of a file. */
function kindOf(file: string, plan: PlanBuilder): NamespaceKind {
  const opened = openFile(file);
  const fd = new ResultOf(opened, "namespace");
  const type = namespaceIoctl(fd, NS_GET_NSTYPE);
  const closing = new Label("closing");
  const outcome = syscalls([
    { call: opened },
    { call: type, accept: ["ENOTTY", "EINVAL"], onFailure: closing },
    closing,
    { call: close(fd) },
  ]);
  const flag = Number(outcome.result(type));
  return NAMESPACE_KINDS.find((kind) => CLONE_FLAG[kind] === flag) ??
    plan.refuse(
      `${file} is no file of a namespace; those are /proc/PID/ns/*, and what keep() makes`,
    );
}

/** Opens the file of a namespace, or whatever it is: nobody is to wait at the end of a pipe. */
function openFile(file: string): Call {
  return openat(at_fdcwd, file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/** Moves the process into the namespaces of a pidfd, or the one of a file. */
function enter(
  plan: PlanBuilder,
  fd: Fd,
  kinds: ReadonlySet<NamespaceKind>,
  credentials: JoinStep["credentials"],
): void {
  if (kinds.has("pid")) plan.needsHostPids();
  // Who enters a time namespace may share its memory with nobody (setns(2), EUSERS).
  if (kinds.has("time")) plan.process.ownMemory = true;
  if (kinds.has("net")) keepParentNetns(plan);
  plan.state.joins(kinds);
  let flags = 0;
  for (const kind of kinds) flags |= CLONE_FLAG[kind];
  plan.call(setns(fd, flags));
  if (kinds.has("user")) becomeRoot(plan, credentials);
}

function becomeRoot(plan: PlanBuilder, credentials: JoinStep["credentials"]): void {
  // A change of credentials sets this to what sysctl fs.suid_dumpable says.
  plan.call(prctl(PR_SET_DUMPABLE, 0));
  if (credentials === "keep") return;
  plan.call(setgroups([]), { accept: ["EPERM"] });
  // Root need not be mapped there.
  plan.call(setresgid(0, 0, 0), { accept: ["EINVAL"] });
  plan.call(setresuid(0, 0, 0), { accept: ["EINVAL"] });
  plan.state.ids = { uid: 0, gid: 0 };
  plan.call(prctl(PR_SET_DUMPABLE, 0));
}

/** The process enters a cgroup: 0 stands for itself. */
function enterCgroup(plan: PlanBuilder, file: string): void {
  const opened = plan.call(openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC));
  const fd = new ResultOf(opened, "cgroup");
  plan.call(write(fd, new TextEncoder().encode("0"), 1));
  plan.call(close(fd));
}

function takeEnvironment(plan: PlanBuilder, variables: ReadonlyMap<string, string>): void {
  plan.state.clearsEnvironment = true;
  for (const [name, value] of variables) plan.state.environment.set(name, value);
}
