/**
 * Linux namespaces in TypeScript: compose steps into recipes, and run programs in the containers
 * that they make, with `deno run --allow-ffi` and nothing else.
 *
 * @example A program as PID 1, under a name of its own
 * ```ts
 * import { hostname, mapRoot, proc, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount", "pid", "uts"),
 *   mapRoot(),
 *   proc(),
 *   hostname("a-cooler-hostname"),
 * );
 * const { stdout } = await box.command("sh", { args: ["-c", "hostname; echo $$"] }).output();
 * console.log(new TextDecoder().decode(stdout));
 * ```
 *
 * @module
 */

export {
  GrantError,
  type GrantErrorDetails,
  SyscallError,
  type SyscallErrorDetails,
  UnsupportedError,
} from "./ffi/errors.ts";
export { ERRNO, type ErrnoName } from "./ffi/errno.ts";
export { CAPABILITIES, type CapabilityName } from "./ffi/calls/users.ts";
export { RLIMITS, type SignalName, SIGNALS } from "./ffi/calls/processes.ts";
export * as linux from "./ffi/linux.ts";
export { type MountEntry, type MountPropagation, mountsOf } from "./ffi/linux/mountinfo.ts";
export {
  listNamespaces,
  type NamespaceEntry,
  type NamespaceProcess,
  type NamespaceType,
} from "./ffi/linux/namespace_list.ts";
export type { OwnedFd } from "./ffi/linux/owned_fd.ts";
export { pidsIn } from "./ffi/linux/process_ids.ts";
export type { ProcessIdentity } from "./ffi/linux/process_identity.ts";
export * from "./recipe/steps/builders.ts";
export { type Ingredient, Recipe, recipe } from "./recipe/recipe.ts";
export { sandbox, type SandboxOptions } from "./recipe/sandbox.ts";
export { RecipeError, type RecipeErrorDetails } from "./recipe/recipe_error.ts";
export type { TextPosition } from "./ffi/text_position.ts";
export type { Step } from "./recipe/steps.ts";
export type { NamespaceKind } from "./recipe/namespaces.ts";
export { Command } from "./recipe/command.ts";
export type { CommandOptions } from "./recipe/command_options.ts";
export { Container, type ContainerLimits } from "./recipe/container.ts";
export type { CommandOutput } from "./recipe/running/command_output.ts";
export { describeNeed } from "./recipe/gate/need.ts";
export type {
  DeviceNeed,
  EnvNeed,
  IdentityNeed,
  JoinNeed,
  NamespaceNeed,
  Need,
  NeedKind,
  NetNeed,
  PrivilegeNeed,
  ReadNeed,
  RunNeed,
  WriteNeed,
} from "./recipe/gate/need.ts";
export type { PermissionOptions, Permissions } from "./recipe/gate/permissions.ts";
export type { KeptNamespace } from "./recipe/keep.ts";
export type { CommandStatus } from "./recipe/running/status.ts";
export type { Usage } from "./ffi/cgroups/usage.ts";
export type { StdioKind } from "./recipe/running/stdio.ts";
export type { OutputStream } from "./recipe/running/streams.ts";
export { Plan, type PlanEntry } from "./recipe/plan.ts";
