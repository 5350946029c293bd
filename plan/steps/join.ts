/**
 * Lowers the step `join`.
 *
 * @module
 */

import type { Fd, ResultOf } from "../../ffi/call.ts";
import {
  at_fdcwd,
  chdir,
  close,
  fchdir,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openat,
} from "../../ffi/calls/files.ts";
import { writeTextTo } from "../../ffi/calls/write_text.ts";
import { chroot, setns } from "../../ffi/calls/namespaces.ts";
import { pidfd_open } from "../../ffi/calls/processes.ts";
import type { Fixes } from "../../ffi/fix.ts";
import { NO_PROCESS, OTHERS_PROCESS } from "../../ffi/proc/proc_dir.ts";
import type { ProcessIdentity } from "../../ffi/proc/process_identity.ts";
import type { JoinTarget } from "../../host/host.ts";
import { CLONE_FLAG, type NamespaceKind } from "../../recipe/namespaces.ts";
import type { JoinStep } from "../../recipe/steps/join.ts";
import type { PlanBuilder } from "../builder.ts";
import { CGROUP_DENIED } from "../fixes.ts";
import {
  dropGroupsAround,
  hasDroppedGroups,
  isScripts,
  leaveGroups,
  takeRoot,
  takeUserInside,
  takeUserOutside,
} from "../joined_user.ts";
import { keepParentNetns } from "../network.ts";
import { refuseForUsers } from "../users_box.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";

/** Lowers `join`. */
export function lowerJoin(step: JoinStep, plan: PlanBuilder): void {
  const { target } = step;
  plan.recordBeforehand({
    kind: "join",
    target: typeof target === "object" ? target.pid : target,
  });
  // Processes in these namespaces can see the container before it executes the program.
  plan.state.exposed = true;
  plan.isMomentary = true;
  if (typeof target === "string") joinFile(target, step, plan);
  else joinProcess(target, step, plan);
}

function joinProcess(target: number | ProcessIdentity, step: JoinStep, plan: PlanBuilder): void {
  const asked = typeof target === "number" ? { pid: target, started: undefined } : target;
  const { host } = plan;
  const { credentials = "root", environment = false, cgroup = false } = step;
  const questions = { environment, cgroup, user: credentials !== "keep" };
  const found = host.joinTarget(asked.pid, asked.started, questions);
  const { pid } = found.identity;
  const kinds = new Set(step.kinds ?? found.otherKinds);
  plan.joined.push({ identity: found.identity, stepIndex: plan.cursor.index });
  if (environment) takeEnvironment(plan, found.environment);
  for (const file of found.cgroupFiles) enterCgroup(plan, file);

  // The pid may have been reused since the plan. The pidfd and the /proc directory refer to one
  // process, so a check after they are open is enough.
  const check = () => host.checkJoinTarget(found.identity, cgroup);
  // To enter the same root once more would take a privilege.
  const entersRoot = step.root === true && !found.sharesRoot;
  const dropsGroups = kinds.has("user") && credentials !== "keep" &&
    hasDroppedGroups(found, plan.state);
  const looksInto = entersRoot || step.cwd === true || dropsGroups;
  const pidfd = plan.inheritFd(pidfd_open(pid, 0), "pidfd", {
    check: looksInto ? undefined : check,
    fixes: ENDED,
  });
  const directory = looksInto
    ? plan.inheritFd(
      openat(at_fdcwd, `/proc/${pid}`, O_PATH | O_DIRECTORY | O_CLOEXEC),
      "process",
      { check, fixes: ENDED },
    )
    : undefined;
  const open = (name: "root" | "cwd", isWanted: boolean) => {
    if (!isWanted) return undefined;
    const call = openat(directory!, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return plan.open(call, `<${name}>`, { fixes: { EACCES: OTHERS_PROCESS } });
  };
  const [root, cwd] = [open("root", entersRoot), open("cwd", step.cwd === true)];
  const joinsUser = kinds.has("user");
  plan.state.stoppable ||= mayBeStopped(plan, found, step);
  if (credentials === "process" && !joinsUser && found.otherKinds.includes("user")) {
    plan.refuse('the user of the process is one of its user namespace; add "user" to the kinds');
  }
  // What has entered one before needs a copy of the memory in any case.
  const isTimeLater = directory !== undefined && kinds.has("time") &&
    !plan.processes.some(({ ownMemory }) => ownMemory) && staysRoot(plan, found, step);
  const time = isTimeLater
    ? plan.open(openat(directory, "ns/time", O_RDONLY | O_CLOEXEC), "<time>", {
      fixes: { EACCES: OTHERS_PROCESS },
    })
    : undefined;
  if (joinsUser && credentials !== "keep") leaveGroups(plan);
  if (dropsGroups) dropGroupsAround(directory!, plan);
  if (kinds.size > 0) enter(plan, pidfd, kinds, time);
  if (joinsUser) {
    plan.state.setgroupsDenied = found.setgroupsDenied;
    takeUserInside(plan, found, credentials);
  } else if (credentials === "process") takeUserOutside(plan, found);
  if (root !== undefined) {
    plan.call(fchdir(root));
    plan.call(chroot("."));
    plan.state.leavesRoot();
    plan.state.entersFiles = true;
  }
  if (step.root === true && root === undefined) plan.call(chdir("/"));
  if (cwd !== undefined) plan.call(fchdir(cwd));
  if (step.root === true || cwd !== undefined) plan.directories.enteredWorking();
  if (kinds.has("pid")) plan.fork("exit");
}

/**
 * Whether it changes to a user, or enters the namespace of one, whose programs see it among the
 * script's processes, and could not stop the script itself.
 */
function mayBeStopped(
  { state }: PlanBuilder,
  { otherKinds, user }: JoinTarget,
  { credentials = "root" }: JoinStep,
): boolean {
  if (otherKinds.includes("pid")) return false;
  if (!otherKinds.includes("user") && credentials !== "process") return false;
  return user === undefined || !isScripts(user, state);
}

const ENDED: Fixes = { ENOENT: NO_PROCESS, ESRCH: NO_PROCESS };

function joinFile(file: string, step: JoinStep, plan: PlanBuilder): void {
  const kind = step.kinds?.[0] ?? plan.host.namespaceKind(file) ??
    plan.refuse(
      `${file} is not a namespace file, such as /proc/PID/ns/net or a file of pin()`,
    );
  if (kind !== "user") refuseForUsers("join this", plan);
  // O_NONBLOCK: the file may be a pipe, whose open would block.
  const opened = openat(at_fdcwd, file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const fd: ResultOf = plan.open(opened, `<${file}>`, {
    fixes: { ENOENT: `the file ${file} does not exist${unexpanded(file)}`, EACCES: OTHERS_PROCESS },
  });
  const { credentials = "root" } = step;
  if (kind === "user" && credentials !== "keep") leaveGroups(plan);
  enter(plan, fd, new Set([kind]));
  if (kind === "user") takeRoot(plan, credentials);
  if (kind === "pid") plan.fork("exit");
}

/** Moves the process into namespaces of a pidfd, or the namespace of a file. */
function enter(
  plan: PlanBuilder,
  fd: Fd,
  kinds: ReadonlySet<NamespaceKind>,
  time?: ResultOf,
): void {
  if (kinds.has("pid")) plan.needsHostPids();
  // setns(2) refuses a process that shares its memory for a time namespace (EUSERS).
  if (kinds.has("time")) plan.process.ownMemory = true;
  if (kinds.has("net")) keepParentNetns(plan);
  if (kinds.has("mount")) {
    plan.directories.leaveMountNamespace();
    plan.state.entersFiles = true;
  }
  plan.state.joins(kinds);
  plan.state.stoppable ||= kinds.has("pid");
  let flags = 0;
  for (const kind of kinds) flags |= CLONE_FLAG[kind];
  const fixes = joiningFixes(kinds);
  const joint = plan.call(setns(fd, flags), { fixes });
  if (time === undefined) return;
  const others = setns(fd, flags & ~CLONE_FLAG.time);
  const stepIndex = plan.cursor.index;
  const later = [setns(time, CLONE_FLAG.time), close(time)]
    .map((call) => ({ call, stepIndex, fixes }));
  plan.timeEntry = { joint, others, file: time, later };
}

/**
 * Whether who has joined is root of the user namespace that its time namespace belongs to, with all
 * capabilities, until it executes the program.
 */
function staysRoot(
  plan: PlanBuilder,
  { ownsTime, user }: JoinTarget,
  { credentials = "root" }: JoinStep,
): boolean {
  if (!ownsTime || user === undefined || credentials === "keep") return false;
  const isRoot = credentials === "root"
    ? user.root.uid
    : user.uid === 0 && user.capabilities.areAll && user.capabilities.lost.length === 0;
  return isRoot && plan.cursor.findLater((name) => !KEEPS_CAPABILITIES.has(name)) === undefined;
}

/** The steps behind a join under which setns(2) can be made still. */
const KEEPS_CAPABILITIES: ReadonlySet<string> = new Set([
  "bounds",
  "clearEnv",
  "newSession",
  "setEnv",
  "umask",
]);

function joiningFixes(kinds: ReadonlySet<NamespaceKind>): Fixes {
  return {
    ESRCH: "the process has ended",
    EPERM: kinds.has("user")
      ? "only the user who created a user namespace, or a privileged one, may join it"
      : "this takes CAP_SYS_ADMIN in the user namespace that the namespaces belong to: join that " +
        'too, join(target, "user", ...)',
    EINVAL: kinds.has("user")
      ? "the container is in this user namespace already, or the file is not a user namespace"
      : kinds.has("pid")
      ? "a pid namespace can only be joined from one above it, or the file is not a pid namespace"
      : "the file is not a namespace of this kind",
  };
}

/** Moves the process into a cgroup: 0 means the process that writes it (cgroups(7)). */
function enterCgroup(plan: PlanBuilder, file: string): void {
  const fixes = { EACCES: CGROUP_DENIED };
  const fd = plan.open(openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC), `<${file}>`, { fixes });
  plan.call(writeTextTo(fd, "0"), { fixes });
  plan.release(fd);
}

function takeEnvironment(plan: PlanBuilder, variables: Readonly<Record<string, string>>): void {
  plan.state.clearsEnvironment = true;
  plan.state.keptVariables.clear();
  for (const [name, value] of Object.entries(variables)) plan.state.environment.set(name, value);
}
