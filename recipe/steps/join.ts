/**
 * The step `join`: namespaces of another process. See setns(2).
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
import { OwnedFd } from "../../ffi/linux/owned_fd.ts";
import { type ProcessIdentity, processIdentity } from "../../ffi/linux/process_identity.ts";
import { performAll } from "../../ffi/perform.ts";
import { processFolder } from "../../ffi/process_folder.ts";
import { Label } from "../../ffi/program.ts";
import type { Draft } from "../drafting/draft.ts";
import { stepError } from "../launching/explain.ts";
import { boolean, either, integer, list, object, oneOf, optional, path } from "../fields.ts";
import { CLONE_FLAG, NAMESPACE_KINDS, type NamespaceKind } from "../namespaces.ts";
import { leaveNetwork } from "../networking/network.ts";
import type { StepDefinition } from "../step.ts";
import { deniesSetgroups, environmentOf, otherKinds, targetOf } from "../drafting/target.ts";
import { cgroupFilesOf } from "../drafting/target_cgroups.ts";

/** Moves the container into namespaces that are there already. */
export interface JoinStep extends JoinOptions {
  /** Which step it is. */
  readonly step: "join";
  /** The process that is in them, or the path of the file of one. */
  readonly target: number | string | ProcessIdentity;
  /** The kinds of namespaces; without them, all that are not the script's too. */
  readonly kinds?: readonly NamespaceKind[];
}

/** Options of {@linkcode join}. */
export interface JoinOptions {
  /**
   * Who the container is in a user namespace that it joins: root of it, without supplementary
   * groups, or whoever it was (`nsenter --preserve-credentials`). Where root is not mapped there,
   * it stays who it was.
   *
   * @default {"root"}
   */
  readonly credentials?: "root" | "keep";
  /** Whether the container gets the root directory of the process; `/` is its working directory. */
  readonly root?: boolean;
  /** Whether the container gets the working directory of the process. */
  readonly cwd?: boolean;
  /** Whether the program gets the environment that the process has begun with, and not this one's. */
  readonly environment?: boolean;
  /** Whether the container enters the cgroups of the process. */
  readonly cgroup?: boolean;
}

/** What {@linkcode join} joins: see there. */
export type JoinTarget =
  | number
  | string
  | OwnedFd
  | ProcessIdentity
  | { readonly identity: ProcessIdentity };

/**
 * Moves the container into namespaces of another process: one with this pid, that of a pidfd
 * (`linux.pidfd_open`), a container of this script that runs; or into the namespace of a file, such
 * as `/proc/PID/ns/net` or what `keep` has made. All at once, in the order that the kernel wants.
 *
 * Without kinds those are joined that are not the script's own already. Steps behind it are done in
 * there: a mount after `join(pid, "mount")` is one for all who are in that mount namespace, unless
 * `unshare("mount")` comes first. Where the container joins a pid namespace, it is none of its
 * first processes, so it needs no `init`; it ends when PID 1 there does.
 *
 * The process is the one that is there when the recipe is planned: should another have its number
 * when it is run, that is an error. Ordinary users can join what belongs to a user namespace that
 * they have made, if they join that too. A time namespace can be joined only by a process that
 * shares its memory with nobody, which costs a copy of the script's: some milliseconds. See setns(2)
 * and nsenter(1).
 *
 * @throws {TypeError} for a container that has ended
 * @throws {SyscallError} `ENOENT` where a pidfd's process has ended
 * @throws {RecipeError} when it is planned with a file that is no namespace, or a pid namespace
 * where the container is in one of its own already
 * @throws {UnsupportedError} where /proc is of another pid namespace than the script's; when it is
 * planned with `cgroup` and the cgroups of the process are
 * out of reach, as their hierarchy is not mounted
 * @throws {SyscallError} when it is planned: `ESRCH` where there is no such process, or another has
 * its number, `ENOENT` where there is no such file, `EACCES` where the process is another user's;
 * when it is run: `EPERM` without CAP_SYS_ADMIN in the user namespace that the others belong to,
 * `EINVAL` for a file of another kind, or the user namespace that the script is in, `EACCES` where
 * the user may not enter the cgroup
 *
 * @example A second program beside the first, which it sees
 * ```ts
 * import { join, mapRoot, proc, recipe, unshare } from "@ramekin/ramekin";
 *
 * const first = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
 * await using sleeper = first.command("sleep", { args: ["60"] }).spawn();
 * const second = recipe(join(sleeper));
 * const { stdout } = await second.command("cat", { args: ["/proc/1/comm"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // sleep
 * ```
 */
export function join(
  target: JoinTarget,
  ...kinds: NamespaceKind[] | [...NamespaceKind[], JoinOptions]
): JoinStep {
  const last = kinds.at(-1);
  const options = typeof last === "object" ? last : {};
  const names = kinds.filter((kind) => typeof kind !== "object") as NamespaceKind[];
  return {
    step: "join",
    target: dataOf(target),
    ...(names.length === 0 ? {} : { kinds: names }),
    ...options,
  };
}

function dataOf(target: JoinTarget): JoinStep["target"] {
  if (target instanceof OwnedFd) return processIdentity(target);
  if (typeof target === "object" && "identity" in target) return target.identity;
  return target;
}

/** How `join` is checked and planned. */
export const joinDefinition: StepDefinition<JoinStep> = {
  step: "join",
  get fields() {
    return {
      target: either(
        integer(1, 2 ** 31 - 1),
        either(path(), object({ pid: integer(1, 2 ** 31 - 1), started: integer(0) })),
      ),
      kinds: optional(list(oneOf(NAMESPACE_KINDS), 1)),
      credentials: optional(oneOf(["root", "keep"])),
      root: optional(boolean()),
      cwd: optional(boolean()),
      environment: optional(boolean()),
      cgroup: optional(boolean()),
    };
  },
  complaint({ target, kinds = [], ...options }) {
    if (typeof target !== "string") return undefined;
    if (kinds.length > 1) return "a file is one namespace, of one kind";
    const ofProcess = (["root", "cwd", "environment", "cgroup"] as const)
      .find((name) => options[name] === true);
    return ofProcess && `"${ofProcess}" is of a process, and the target is a file`;
  },
  plan(step, draft) {
    const { target } = step;
    draft.gate?.note({
      kind: "join",
      target: typeof target === "object" ? target.pid : target,
    });
    // Others live there, who may see the container before it has become another program.
    draft.container.exposed = true;
    try {
      if (typeof step.target === "string") joinFile(step.target, step, draft);
      else joinProcess(step.target, step, draft);
    } catch (error) {
      throw stepError(error, draft, draft.sequence.index);
    }
  },
};

function joinProcess(target: number | ProcessIdentity, step: JoinStep, draft: Draft): void {
  const asked = typeof target === "number" ? { pid: target, started: undefined } : target;
  const { pid, started } = targetOf(asked.pid, asked.started);
  const kinds = new Set(step.kinds ?? otherKinds(pid));
  if (step.environment === true) takeEnvironment(draft, environmentOf(pid));
  if (step.cgroup === true) cgroupFilesOf(pid).forEach((file) => enterCgroup(draft, file));

  // The pidfd and the folder in /proc go on meaning the process that they were opened for.
  const check = () => void targetOf(pid, started);
  const looksInto = step.root === true || step.cwd === true;
  const pidfd = draft.hand(pidfd_open(pid, 0), "pidfd", looksInto ? undefined : check);
  const folder = looksInto
    ? draft.hand(
      openat(at_fdcwd, processFolder(pid), O_PATH | O_DIRECTORY | O_CLOEXEC),
      "process",
      check,
    )
    : undefined;
  const open = (name: "root" | "cwd") => {
    if (step[name] !== true) return undefined;
    const opened = draft.call(openat(folder!, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
    return new ResultOf(opened, name);
  };
  const [root, cwd] = [open("root"), open("cwd")];
  if (kinds.size > 0) enter(draft, pidfd, kinds, step.credentials);
  if (kinds.has("user")) draft.container.setgroupsDenied = deniesSetgroups(pid);
  if (root !== undefined) {
    draft.call(fchdir(root));
    draft.call(chroot("."));
  }
  if (cwd !== undefined) draft.call(fchdir(cwd));
  if (kinds.has("pid")) draft.fork("exit");
}

function joinFile(file: string, step: JoinStep, draft: Draft): void {
  const kind = step.kinds?.[0] ?? kindOf(file, draft);
  const fd = new ResultOf(draft.call(openFile(file)), "namespace");
  enter(draft, fd, new Set([kind]), step.credentials);
  if (kind === "pid") draft.fork("exit");
}

/** The kind of namespace of a file. */
function kindOf(file: string, draft: Draft): NamespaceKind {
  const opened = openFile(file);
  const fd = new ResultOf(opened, "namespace");
  const type = namespaceIoctl(fd, NS_GET_NSTYPE);
  const closing = new Label("closing");
  const outcome = performAll([
    { call: opened },
    { call: type, accept: ["ENOTTY", "EINVAL"], onFailure: closing },
    closing,
    { call: close(fd) },
  ]);
  const flag = Number(outcome.result(type));
  return NAMESPACE_KINDS.find((kind) => CLONE_FLAG[kind] === flag) ??
    draft.refuse(
      `${file} is no file of a namespace; those are /proc/PID/ns/*, and what keep() makes`,
    );
}

/** Opens the file of a namespace, or whatever it is: nobody is to wait at the end of a pipe. */
function openFile(file: string): Call {
  return openat(at_fdcwd, file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/** Moves the process into the namespaces of a pidfd, or the one of a file. */
function enter(
  draft: Draft,
  fd: Fd,
  kinds: ReadonlySet<NamespaceKind>,
  credentials: JoinStep["credentials"],
): void {
  if (kinds.has("pid")) draft.needsHostPids();
  // Who enters a time namespace may share its memory with nobody (setns(2), EUSERS).
  if (kinds.has("time")) draft.stage.ownMemory = true;
  if (kinds.has("net")) leaveNetwork(draft);
  draft.container.joins(kinds);
  let flags = 0;
  for (const kind of kinds) flags |= CLONE_FLAG[kind];
  draft.call(setns(fd, flags));
  if (kinds.has("user")) becomeRoot(draft, credentials);
}

function becomeRoot(draft: Draft, credentials: JoinStep["credentials"]): void {
  // A change of credentials sets this to what sysctl fs.suid_dumpable says.
  draft.call(prctl(PR_SET_DUMPABLE, 0));
  if (credentials === "keep") return;
  draft.call(setgroups([]), { accept: ["EPERM"] });
  // Root need not be mapped there.
  draft.call(setresgid(0, 0, 0), { accept: ["EINVAL"] });
  draft.call(setresuid(0, 0, 0), { accept: ["EINVAL"] });
  draft.container.ids = { uid: 0, gid: 0 };
  draft.call(prctl(PR_SET_DUMPABLE, 0));
}

/** The process enters a cgroup: 0 stands for itself. */
function enterCgroup(draft: Draft, file: string): void {
  const opened = draft.call(openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC));
  const fd = new ResultOf(opened, "cgroup");
  draft.call(write(fd, new TextEncoder().encode("0"), 1));
  draft.call(close(fd));
}

function takeEnvironment(draft: Draft, variables: ReadonlyMap<string, string>): void {
  draft.container.clearsEnvironment = true;
  for (const [name, value] of variables) draft.container.environment.set(name, value);
}
