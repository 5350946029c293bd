/**
 * The step `disableUserNamespaces`. See user_namespaces(7) and namespaces(7).
 *
 * @module
 */

import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Keeps the program from making user namespaces. */
export interface DisableUserNamespacesStep {
  /** The name of the step. */
  readonly step: "disableUserNamespaces";
}

/**
 * Keeps the program, whatever its user and its capabilities, from making user namespaces, in which
 * it would have rights that the kernel keeps from ordinary programs.
 *
 * The container's user namespace is let have one more, and the program goes on in that one: the
 * limit is then reached, and is out of reach. It keeps its ids, but has no privilege any more over
 * the container's other namespaces: steps that mount, or set up the network, have to stand before
 * this one, and `capabilities` behind it. Needs `unshare("user")` with mapped ids before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("user")` before it and a step that maps
 * ids, in a user namespace that is joined, or behind `capabilities`
 * @throws {SyscallError} when it is run: `ENOENT` where no /proc is mounted, `EROFS` where
 * /proc/sys can only be read, `ENOSPC` behind another one
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
