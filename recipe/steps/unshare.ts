/**
 * The step `unshare`: new namespaces for the container. See unshare(2) and namespaces(7).
 *
 * @module
 */

import { isObject, list, oneOf, optional } from "../schema.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../namespaces.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Gives the container new namespaces. */
export interface UnshareStep extends UnshareOptions {
  /** The name of the step. */
  readonly step: "unshare";
  /** The kinds of namespaces. */
  readonly kinds: readonly NamespaceKind[];
}

/** Options of {@linkcode unshare}. */
export interface UnshareOptions {
  /**
   * Whether mounts and unmounts on the host propagate to a new mount namespace: they do not
   * (`"private"`), or they do (`"slave"`), also into a read-only bind, where they are as the host
   * has mounted them. Those in the container never propagate to the host.
   *
   * @default {"private"}
   */
  readonly propagation?: "private" | "slave";
}

/**
 * Gives the container new namespaces, of the kinds `"user"`, `"mount"`, `"pid"`, `"uts"`,
 * `"ipc"`, `"net"`, `"cgroup"` and `"time"`. All but `"user"` need privilege, or `"user"` with
 * them. See unshare(2).
 *
 * @throws {RecipeError} when it is planned with `"pid"` and the container is in a pid namespace of
 * its own already
 * @throws {SyscallError} when it is run: `EPERM` where an ordinary user leaves `"user"` out, or may
 * not make user namespaces here, `ENOSPC` where they are nested more than 32 levels deep, or would
 * be more than the sysctls `user.max_*_namespaces` allow, `EINVAL` where this kernel has no
 * namespaces of a kind
 *
 * @example
 * ```ts
 * import { mapRoot, proc, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
 * const { stdout } = await box.command("sh", { args: ["-c", "echo $$"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // 1
 * ```
 */
export function unshare(
  ...kinds: NamespaceKind[] | [...NamespaceKind[], UnshareOptions]
): UnshareStep {
  const last = kinds.at(-1);
  const options = isObject(last) ? last : {};
  const names = kinds.filter((kind) => !isObject(kind));
  return { step: "unshare", kinds: names as NamespaceKind[], ...options };
}

/** What the data of `unshare` may be. */
export const unshareSchema: StepSchema<UnshareStep> = stepSchema("unshare", () => ({
  kinds: list(oneOf(NAMESPACE_KINDS), 1),
  propagation: optional(oneOf(["private", "slave"])),
}), ({ kinds, propagation }) => {
  if (propagation !== undefined && !kinds.includes("mount")) {
    return `"propagation" needs the kind "mount"`;
  }
  return undefined;
});
