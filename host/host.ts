/**
 * What a plan asks of the machine that it is made for. Everything that is not in the steps comes
 * from here, so that a plan can be made for another machine than this one.
 *
 * @module
 */

import type { Architecture } from "../ffi/syscall_numbers.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import type { Credentials } from "./credentials.ts";
import type { PlacedFile } from "./elf/library_search.ts";
import type { ResolvedPath } from "./resolve_path.ts";

/** A version of Linux: `6.18`. */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** The process whose namespaces a recipe joins, as it is when the plan is made. */
export interface JoinTarget {
  readonly identity: ProcessIdentity;
  /** The kinds of namespaces in which it is not with the script. */
  readonly otherKinds: readonly NamespaceKind[];
  /** Whether setgroups(2) is denied in its user namespace. */
  readonly setgroupsDenied: boolean;
  /** Its environment, where that was asked for. */
  readonly environment: Readonly<Record<string, string>>;
  /** The `cgroup.procs` of each group that it is in and the script is not, where asked for. */
  readonly cgroupFiles: readonly string[];
}

/** What a step wants to know of a process beside its namespaces. */
export interface JoinQuestions {
  readonly environment: boolean;
  readonly cgroup: boolean;
}

/** Either files, or what is wrong with the programs that they were looked for. */
export type ProgramFiles =
  | { readonly files: readonly PlacedFile[] }
  | { readonly issue: string };

/** Answers a plan's questions. The answers are plain data. */
export interface Host {
  /** The architecture that the calls are made on. */
  readonly architecture: Architecture;
  /** The identity of the process that plans, and that the container begins as. */
  credentials(): Credentials;
  /** The version of the kernel. */
  kernel(): KernelVersion;
  /** The version of Landlock's interface; 0 where there is none. */
  landlockVersion(): number;
  /** The working directory of the script. */
  workingDirectory(): string;
  /** Whether a variable of the script's environment is set. */
  hasVariable(name: string): boolean;
  /** The number that a file below /proc/sys holds, or `undefined` where there is no such file. */
  setting(path: string): number | undefined;
  /** Where a path leads. It begins with `/`. */
  resolve(path: string): ResolvedPath;
  /** Whether what {@linkcode resolve} has returned is still so. */
  unchanged(paths: readonly ResolvedPath[]): boolean;
  /** The numbers of a block device, `"8:0"`; `undefined` where the file is none. */
  blockDevice(path: string): string | undefined;
  /** The process with this number, which has started at this time, if that is given. */
  joinTarget(
    pid: number,
    started: number | undefined,
    questions: JoinQuestions,
  ): JoinTarget;
  /** The kind of namespace of a file; `undefined` where it is of none. */
  namespaceKind(file: string): NamespaceKind | undefined;
  /** The files that programs need: themselves, their loader and their libraries. */
  programFiles(programs: readonly string[]): ProgramFiles;
  /** Returns what was made for this key before, or makes it: the same for all plans, and dear. */
  remember<T>(key: string, make: () => T): T;
  /**
   * Checks that /proc counts processes as the script does.
   *
   * @throws {UnsupportedError} where it does not
   */
  requireOwnProc(): void;
}

/** Whether the kernel has this version, or a later one. */
export function atLeast({ major, minor }: KernelVersion, wanted: KernelVersion): boolean {
  return major > wanted.major || major === wanted.major && minor >= wanted.minor;
}
