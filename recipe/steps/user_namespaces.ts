/**
 * The step `disableUserNamespaces`: no further user namespaces. See user_namespaces(7).
 *
 * @module
 */

import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Prevents the program from making user namespaces. */
export interface DisableUserNamespacesStep {
  /** The name of the step. */
  readonly step: "disableUserNamespaces";
}

/**
 * Prevents the program, whatever its user and its capabilities, from making user namespaces, in
 * which it would have capabilities that ordinary programs do not have.
 *
 * The step limits the container's user namespace to one more, and moves the program into that one:
 * the limit is then reached, and the program cannot change it. The program keeps its ids, but has
 * no capabilities over the container's other namespaces: steps that mount, or set up the network,
 * have to come before this one, and `capabilities` after it. Needs `unshare("user")` with mapped
 * ids before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("user")` before it and a step that maps
 * ids, in a user namespace that is joined, or after `capabilities`
 * @throws {SyscallError} when it is run: `ENOENT` where there is no /proc, `EINVAL` where /proc is
 * not procfs, `EROFS` where it is read-only, `EXDEV` where something is mounted over /proc/sys, as
 * after `readonlyPaths("/proc/sys")`, `ENOSPC` after another one
 *
 * @example
 * ```ts
 * import { disableUserNamespaces, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user"), mapRoot(), disableUserNamespaces());
 * const { success } = await box.command("unshare", { args: ["-U", "true"], stderr: "null" })
 *   .output();
 * console.log(success); // false
 * ```
 */
export function disableUserNamespaces(): DisableUserNamespacesStep {
  return { step: "disableUserNamespaces" };
}

/** What the data of `disableUserNamespaces` may be. */
export const disableUserNamespacesSchema: StepSchema<DisableUserNamespacesStep> = stepSchema(
  "disableUserNamespaces",
  () => ({}),
);
