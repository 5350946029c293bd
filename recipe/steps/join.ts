/**
 * The step `join`: namespaces of another process. See setns(2).
 *
 * @module
 */

import type { OwnedFd } from "../../ffi/linux/owned_fd.ts";
import type { ProcessIdentity } from "../../ffi/proc/process_identity.ts";
import { boolean, either, integer, list, object, oneOf, optional, path } from "../schema.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../namespaces.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Moves the container into namespaces that exist already. */
export interface JoinStep extends JoinOptions {
  /** The name of the step. */
  readonly step: "join";
  /** A process that is in them, or the path of the file of one namespace. */
  readonly target: number | string | ProcessIdentity;
  /** The kinds of namespaces; without them, all that the script is not in as well. */
  readonly kinds?: readonly NamespaceKind[];
}

/** Options of {@linkcode join}. */
export interface JoinOptions {
  /**
   * The user of the container. `"root"` is root of a user namespace that it joins, without
   * supplementary groups; where root is not mapped there it is the user of the process, and without
   * a user namespace the same as before. `"process"` is the user of the process with its groups, as
   * far as they are mapped, and its capabilities. `"keep"` is the same as before, as with
   * `nsenter --preserve-credentials`: root's user and groups then count on the host's files,
   * whatever they are called in the user namespace.
   *
   * @default {"root"}
   */
  readonly credentials?: "root" | "process" | "keep";
  /**
   * Whether the container gets the root directory of the process, with `/` as working directory.
   */
  readonly root?: boolean;
  /** Whether the container gets the working directory of the process. */
  readonly cwd?: boolean;
  /** Whether the program gets the initial environment of the process in place of the script's. */
  readonly environment?: boolean;
  /** Whether the container enters the cgroups of the process. */
  readonly cgroup?: boolean;
}

/** A process or a file that {@linkcode join} takes. */
export type JoinTarget =
  | number
  | string
  | OwnedFd
  | ProcessIdentity
  | { readonly identity: ProcessIdentity };

/**
 * Moves the container into namespaces of another process, or into the namespace of a file. The
 * process is given by its pid, by a pidfd (`linux.pidfd_open`), or as a running container of this
 * script; the file is one like `/proc/PID/ns/net`, or one that `pin` has made. All namespaces are
 * joined at once, in the order that the kernel needs.
 *
 * Without kinds, the container joins all namespaces that the script is not in as well. Later steps
 * happen in there: a mount after `join(pid, "mount")` is visible to all processes of that mount
 * namespace, unless `unshare("mount")` comes first. In a pid namespace that it joins, the container
 * is not PID 1 and needs no `init`; it ends when PID 1 there ends.
 *
 * The process is the one that exists when the recipe is planned; if another one has its pid when
 * the recipe is run, that is an error. Ordinary users can join namespaces that belong to a user
 * namespace of theirs, if they join that one too. Only a process with memory of its own can join a
 * time namespace: what executes the program, where that is root of the container with all
 * capabilities and in its root (`container.enter()` of a usual one), or else a copy of the script's
 * process, which takes some milliseconds. See setns(2) and nsenter(1).
 *
 * The groups of a privileged user are dropped before a user namespace is joined, as setgroups(2)
 * may be denied in there. An ordinary user cannot drop them: they are shown as 65534 where they are
 * not mapped, and count on the host's files.
 *
 * @throws {TypeError} for a container that has ended
 * @throws {SyscallError} `ENOENT` where the process of a pidfd has ended
 * @throws {RecipeError} when it is planned with a file that is not a namespace, or with a pid
 * namespace where the container is in one of its own already; for root with a process whose user is
 * not mapped in its user namespace; with `credentials: "process"` without its user namespace
 * @throws {UnsupportedError} where /proc is of another pid namespace than the script's; when it is
 * planned with `cgroup` and the cgroups of the process are out of reach, as their hierarchy is not
 * mounted
 * @throws {SyscallError} when it is planned: `ESRCH` where there is no such process, or another has
 * its pid, `ENOENT` where there is no such file, `EACCES` where the process is another user's,
 * `EBUSY` with `cgroup` where the process is paused; when it is run: the same, `EPERM` without
 * CAP_SYS_ADMIN in the user namespace that the namespaces belong to, or without the capabilities to
 * become the user of the process, `EINVAL` for a file of another kind, for the user namespace that
 * the script is in, or for one without root, `EACCES` where the user may not enter the cgroup
 *
 * @example A second program in the container of the first
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
  const hasIdentity = typeof target === "object" && target !== null && "identity" in target;
  return hasIdentity ? target.identity : target;
}

/** What the data of `join` may be. */
export const joinSchema: StepSchema<JoinStep> = stepSchema("join", () => ({
  target: either(
    integer(1, 2 ** 31 - 1),
    either(path(), object({ pid: integer(1, 2 ** 31 - 1), started: integer(0) })),
  ),
  kinds: optional(list(oneOf(NAMESPACE_KINDS), 1)),
  credentials: optional(oneOf(["root", "process", "keep"])),
  root: optional(boolean()),
  cwd: optional(boolean()),
  environment: optional(boolean()),
  cgroup: optional(boolean()),
}), ({ target, kinds = [], ...options }) => {
  if (typeof target !== "string") return undefined;
  if (kinds.length > 1) return "a file is one namespace and takes one kind";
  if (options.credentials === "process") {
    return '"credentials" of "process" need a process, and the target is a file';
  }
  const ofProcess = (["root", "cwd", "environment", "cgroup"] as const)
    .find((name) => options[name] === true);
  return ofProcess && `"${ofProcess}" needs a process, and the target is a file`;
});
