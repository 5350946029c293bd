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
  credentials: optional(oneOf(["root", "keep"])),
  root: optional(boolean()),
  cwd: optional(boolean()),
  environment: optional(boolean()),
  cgroup: optional(boolean()),
}), ({ target, kinds = [], ...options }) => {
  if (typeof target !== "string") return undefined;
  if (kinds.length > 1) return "a file is one namespace, of one kind";
  const ofProcess = (["root", "cwd", "environment", "cgroup"] as const)
    .find((name) => options[name] === true);
  return ofProcess && `"${ofProcess}" is of a process, and the target is a file`;
});
