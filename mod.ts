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
  PermissionError,
  type PermissionErrorDetails,
  RamekinError,
  type RamekinErrorDetails,
  SyscallError,
  type SyscallErrorDetails,
  UnsupportedError,
} from "./ffi/errors.ts";
export { ERRNO, type ErrnoName } from "./ffi/errno.ts";
export { CAPABILITIES, type CapabilityName } from "./ffi/calls/users.ts";
export { RLIMITS, type SignalName, SIGNALS } from "./ffi/calls/processes.ts";
export * as linux from "./ffi/linux/mod.ts";
export { type MountEntry, type MountPropagation, mountsOf } from "./ffi/proc/mountinfo.ts";
export {
  listNamespaces,
  type NamespaceEntry,
  type NamespaceProcess,
  type NamespaceType,
} from "./host/namespace_list.ts";
export type { OwnedFd } from "./ffi/linux/owned_fd.ts";
export { pidsIn } from "./ffi/proc/process_ids.ts";
export type { ProcessIdentity } from "./ffi/proc/process_identity.ts";
export * from "./recipe/steps/builders.ts";
export { type Denial, type Denials, describeDenial } from "./audit/denial.ts";
export type { UsedFile, UsedFiles } from "./audit/file_use.ts";
export { Recipe, recipe, type RecipeInput } from "./container/recipe.ts";
export {
  type Degradation,
  sandbox,
  type SandboxBind,
  type SandboxOptions,
} from "./container/sandbox.ts";
export { PROTECTED_NAMES } from "./recipe/protected_names.ts";
export { RecipeError } from "./recipe/errors.ts";
export type { TextPosition } from "./ffi/text_position.ts";
export type { Step } from "./recipe/steps.ts";
export type { NamespaceKind } from "./recipe/namespaces.ts";
export { Command } from "./container/command.ts";
export type { CommandOptions, EnterOptions } from "./container/command_options.ts";
export { Container, type ContainerLimits, type StopOptions } from "./container/container.ts";
export {
  attach,
  AttachedContainer,
  type AttachOptions,
  type AttachTarget,
} from "./container/attached.ts";
export {
  ContainerFiles,
  type MkdirOptions,
  type ReadFileOptions,
  type WriteFileOptions,
} from "./container/files/container_files.ts";
export type { Copied, CopyBounds } from "./container/files/copy_tree.ts";
export { LaunchTimeoutError } from "./launch/launch_timeout.ts";
export { type CommandOutput, OutputLimitError } from "./launch/output.ts";
export { describeAccess } from "./plan/access/access.ts";
export type {
  DeviceAccess,
  EnvAccess,
  HostAccess,
  HostAccessKind,
  IdentityAccess,
  JoinAccess,
  KernelAccess,
  LifetimeAccess,
  NamespaceAccess,
  NetAccess,
  PrivilegeAccess,
  ReadAccess,
  RunAccess,
  TerminalAccess,
  WriteAccess,
} from "./plan/access/access.ts";
export type { PermissionOptions, Permissions } from "./permissions/permissions.ts";
export type { PinnedNamespace } from "./container/pinned_namespace.ts";
export { type CommandStatus, describeEnd } from "./launch/status.ts";
export type { Usage } from "./ffi/cgroups/usage.ts";
export type { StdioKind } from "./launch/stdio.ts";
export type {
  InputSource,
  OpenFile,
  OutputFile,
  OutputSink,
  OutputTarget,
  OutputWriter,
  StdioFile,
  StdioOptions,
} from "./container/stdio_options.ts";
export type { ResourceUsage } from "./ffi/calls/waiting.ts";
export type { OutputStream } from "./container/streams.ts";
export { type NamespaceOwner, Plan, type PlanEntry } from "./launch/listing.ts";
export type { MountLayer, PlannedMount } from "./plan/mount_table.ts";
