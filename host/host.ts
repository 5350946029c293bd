/**
 * The machine that a plan is made for. Everything in a plan that is not in the steps comes from
 * this interface, so a plan can be made for another machine than this one.
 *
 * @module
 */

import type { Architecture } from "../ffi/syscall_numbers.ts";
import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import type { Credentials } from "./credentials.ts";
import type { PlacedFile } from "./elf/library_search.ts";
import type { FilesystemOptions } from "./filesystem_issue.ts";
import type { FollowedLinks } from "./follow_links.ts";
import type { ProcessUser } from "./process_user.ts";
import type { NameQuestion, NameScan } from "./name_question.ts";
import type { ResolvedPath } from "./resolve_path.ts";
import type { UserNamespaceRefusal } from "./user_namespaces.ts";

/** A version of Linux: `6.18`. */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** The process whose namespaces a recipe joins, as of the time of the plan. */
export interface JoinTarget {
  readonly identity: ProcessIdentity;
  /** The kinds of namespaces that it does not share with the script. */
  readonly otherKinds: readonly NamespaceKind[];
  /** Whether its root is the script's own, in the same mount namespace. */
  readonly sharesRoot: boolean;
  /**
   * Whether it has a time namespace and a user namespace that are not the script's, and root of the
   * one may enter the other.
   */
  readonly ownsTime: boolean;
  /** Whether setgroups(2) is denied in its user namespace. */
  readonly setgroupsDenied: boolean;
  /** Its user and groups, if requested. */
  readonly user: ProcessUser | undefined;
  /** Its environment, if requested. */
  readonly environment: Readonly<Record<string, string>>;
  /** The `cgroup.procs` of each cgroup that it is in and the script is not, if requested. */
  readonly cgroupFiles: readonly string[];
}

/** Which of the optional fields of {@linkcode JoinTarget} are requested. */
export interface JoinQuestions {
  readonly environment: boolean;
  readonly cgroup: boolean;
  readonly user: boolean;
}

/** The files of programs, or why they cannot be found. */
export type ProgramFiles =
  | { readonly files: readonly PlacedFile[] }
  | { readonly issue: string };

/** The names in directories at one time. */
export interface DirectoryNames {
  /**
   * The names in a directory, none where it is missing or may not be read; the same set as before if
   * it has not changed.
   */
  in(directory: string): ReadonlySet<string>;
}

/** The machine that a plan is made for. All results are plain data. */
export interface Host {
  /** Whether it is this machine, or a recording of one, and not one that is not known yet. */
  readonly isHere: boolean;
  /** The architecture of its system calls. */
  readonly architecture: Architecture;
  /** The credentials of the script, with which the container starts. */
  credentials(): Credentials;
  /** The version of the kernel. */
  kernel(): KernelVersion;
  /** The version of Landlock's interface; 0 if there is none. */
  landlockVersion(): number;
  /** The home directory of the user, by the variable HOME. */
  homeDirectory(): string | undefined;
  /** The text of /etc/resolv.conf; empty where it cannot be read. */
  resolvConf(): string;
  /** The text of a file of users or groups; empty where it cannot be read. */
  accountFile(path: string): string;
  /** The working directory of the script. */
  workingDirectory(): string;
  /** Whether a variable of the script's environment is set. */
  hasVariable(name: string): boolean;
  /** Whether the script is in the first user namespace, that of the machine. */
  inFirstUserNamespace(): boolean;
  /** What refuses user namespaces to the script, or mounts in them; `undefined` if nothing does. */
  userNamespaceRefusal(): UserNamespaceRefusal | undefined;
  /** What the kernel says against the options of a filesystem, if it says something. */
  filesystemIssue(options: FilesystemOptions): string | undefined;
  /** The number in a file of /proc/sys; `undefined` if there is no such file. */
  setting(path: string): number | undefined;
  /** Resolves an absolute path. */
  resolve(path: string): ResolvedPath;
  /** The symbolic links on the way to an absolute path. */
  followLinks(path: string): FollowedLinks;
  /** The mounts that the script sees; the same array as before if they have not changed. */
  mounts(): readonly MountEntry[];
  /** Whether there are directories of an automounter. */
  hasAutomounter(): boolean;
  /** Lets an automounter mount what belongs on a directory, and on those in it. */
  mountAutomounts(directory: string): void;
  /** Whether {@linkcode resolve} would return the same for these paths. */
  unchanged(paths: readonly ResolvedPath[]): boolean;
  /** The names in directories, as they are now. */
  directoryNames(): DirectoryNames;
  /**
   * Looks for files by their names, in a directory and below it. What an earlier scan has read is not
   * read again.
   */
  scanNames(question: NameQuestion, earlier?: NameScan): NameScan;
  /** Whether {@linkcode scanNames} would return the same as these, each the earlier one of the next. */
  sameNames(scans: readonly NameScan[]): boolean;
  /** The numbers of a block device, such as `"8:0"`; `undefined` if the file is not one. */
  blockDevice(path: string): string | undefined;
  /**
   * The process with this pid, and with this start time if given.
   *
   * @throws {SyscallError} `ESRCH` if it has ended, `EBUSY` if its cgroup is requested and frozen
   */
  joinTarget(
    pid: number,
    started: number | undefined,
    questions: JoinQuestions,
  ): JoinTarget;
  /**
   * Checks that such a process can be joined still, when its plan is launched.
   *
   * @throws {SyscallError} as {@linkcode joinTarget} does
   */
  checkJoinTarget(process: ProcessIdentity, cgroup: boolean): void;
  /** Whether a process has ended. */
  hasEnded(process: ProcessIdentity): boolean;
  /** The kind of namespace that a file refers to; `undefined` if it refers to none. */
  namespaceKind(file: string): NamespaceKind | undefined;
  /**
   * The files that programs need: themselves, their interpreters, loaders and libraries.
   *
   * @param reading is called with the path, without links, of each file before it is read, and may
   * throw
   */
  programFiles(programs: readonly string[], reading: (path: string) => void): ProgramFiles;
  /**
   * Returns the value of this key, which is made once: for values that take long and never change.
   */
  remember<T>(key: string, make: () => T): T;
  /**
   * Checks that /proc shows pids of the script's own pid namespace.
   *
   * @throws {UnsupportedError} if it does not
   */
  requireOwnProc(): void;
}

/** Whether the kernel has this version or a later one. */
export function atLeast({ major, minor }: KernelVersion, wanted: KernelVersion): boolean {
  return major > wanted.major || major === wanted.major && minor >= wanted.minor;
}
