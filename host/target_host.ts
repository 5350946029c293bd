/**
 * A machine that is not here: the {@linkcode Host} for which a box is built. What only it can tell is
 * found out when the box runs, or refused with the reason.
 *
 * @module
 */

import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import type { Architecture } from "../ffi/syscall_numbers.ts";
import { climbs, normalize } from "../recipe/path.ts";
import { CALLER_GID, CALLER_UID } from "./caller_ids.ts";
import type { Credentials } from "./credentials.ts";
import type { FollowedLinks } from "./follow_links.ts";
import type { DirectoryNames, Host, JoinTarget, KernelVersion, ProgramFiles } from "./host.ts";
import type { NameScan } from "./name_question.ts";
import type { ResolvedPath } from "./resolve_path.ts";

/** Whom a box is built for: root, or any user. */
export type TargetUser = "root" | "user";

/** What a target cannot tell. The plan that has asked adds the step. */
export class TargetIssue extends Error {}

/** The oldest kernel that a plan may be made for: mount_setattr(2). */
const OLDEST: KernelVersion = { major: 5, minor: 12 };

/** Answers for a machine that is not here. It makes no call. */
export class TargetHost implements Host {
  readonly architecture: Architecture;
  readonly #user: TargetUser;

  /** A machine of this architecture, on which this user runs the box. */
  constructor(architecture: Architecture, user: TargetUser) {
    this.architecture = architecture;
    this.#user = user;
  }

  /** The ids stand for those that the caller turns out to have. */
  credentials(): Credentials {
    const privileged = this.#user === "root";
    return this.#credentials ??= {
      euid: privileged ? 0 : CALLER_UID,
      egid: CALLER_GID,
      groups: "others",
      inheritable: [],
      mayMapIds: privileged,
      mayChangeGroups: privileged ? true : "unknown",
      mayChangeNetwork: privileged,
      // Its launcher has no other files than the plan's.
      mayOpenMany: true,
    };
  }
  #credentials: Credentials | undefined;

  /** The oldest kernel: what works there works on later ones too. */
  kernel(): KernelVersion {
    return OLDEST;
  }

  /** Refused: the rights that Landlock can deny differ with the kernel, which the step tries. */
  landlockVersion(): number {
    throw new TargetIssue("the version of Landlock is known only where the box runs");
  }

  /** Refused: it is the caller's. */
  homeDirectory(): string | undefined {
    throw new TargetIssue("the home directory is that of who runs the box; name it by its path");
  }

  /** Returns nothing: the service that needs it is refused. */
  resolvConf(): string {
    return "";
  }

  /** Refused: the file is on the machine. */
  accountFile(): string {
    throw new TargetIssue(
      "the ids of a user by name are known only where the box runs; write them: setUser({ uid, gid })",
    );
  }

  /** Refused: it is the caller's. */
  workingDirectory(): string {
    throw new TargetIssue(
      "the working directory is that of who runs the box; name files by paths that begin with /",
    );
  }

  /** Returns `true`: only the list of needs asks, and a variable that may be set is one. */
  hasVariable(_name: string): boolean {
    return true;
  }

  /** Refused: a box may be run in a container. */
  inFirstUserNamespace(): boolean {
    throw new TargetIssue(
      "whether root is that of the machine is known only where the box runs; put " +
        'unshare("user", "mount") and mapRoot() before it',
    );
  }

  /** Refused: a recipe is made for a machine that is here. */
  userNamespaceRefusal(): undefined {
    throw new TargetIssue("whether user namespaces are refused is known only where the box runs");
  }

  /** Returns `undefined`: the kernel is asked when the box runs. */
  filesystemIssue(): undefined {
    return undefined;
  }

  /** Returns `undefined`: settings are asked for only to explain errors. */
  setting(_path: string): undefined {
    return undefined;
  }

  /** Returns the path as it is written; symbolic links are followed when the box opens it. */
  resolve(path: string): ResolvedPath {
    if (climbs(path)) {
      throw new TargetIssue(
        `where ${path} leads is known only where the box runs; name it without ".."`,
      );
    }
    return { asked: path, path: normalize(path), type: "unknown", id: undefined, late: true };
  }

  /** Returns none: whoever may not follow links has them refused when the path is opened. */
  followLinks(path: string): FollowedLinks {
    return { path: normalize(path), links: [] };
  }

  /** Returns none; a step whose calls depend on them asks {@linkcode Host.isHere} first. */
  mounts(): readonly MountEntry[] {
    return NO_MOUNTS;
  }

  /** Returns `false`: what an automounter has not mounted yet is mounted when the box opens it. */
  hasAutomounter(): boolean {
    return false;
  }

  /** Does nothing. */
  mountAutomounts(_directory: string): void {}

  /** Refused: the names are on the machine. */
  directoryNames(): DirectoryNames {
    throw new TargetIssue(
      "which names a directory has is known only where the box runs; name the files without entries",
    );
  }

  /** Returns `false`. */
  readonly isHere = false;

  /** Returns `true`: there is nothing to ask again. */
  unchanged(_paths: readonly ResolvedPath[]): boolean {
    return true;
  }

  /** Refused: the files are on the machine. */
  scanNames(): NameScan {
    throw new TargetIssue("which files there are is known only where the box runs");
  }

  /** Returns `true`: there is none. */
  sameNames(_scans: readonly NameScan[]): boolean {
    return true;
  }

  /** Refused: the numbers of devices differ between machines. */
  blockDevice(path: string): string | undefined {
    throw new TargetIssue(
      `the numbers of ${path} are known only where the box runs; write them: "8:0"`,
    );
  }

  /** Refused: processes come and go. */
  joinTarget(): JoinTarget {
    throw new TargetIssue(
      "a process is known by its pid only while it runs, and not to a box; join the namespace by its " +
        "file: join(path)",
    );
  }

  /** Does nothing: there is none. */
  checkJoinTarget(): void {}

  /** Returns `false`: there is none. */
  hasEnded(): boolean {
    return false;
  }

  /** Refused: the file is on the machine. */
  namespaceKind(file: string): undefined {
    throw new TargetIssue(
      `of which kind the namespace ${file} is, is known only where the box runs; say it: ` +
        `join(${JSON.stringify(file)}, "net")`,
    );
  }

  /** Refused: the libraries are on the machine. */
  programFiles(): ProgramFiles {
    throw new TargetIssue(
      "the libraries of programs are known only where the box runs; bind the directories that hold " +
        'them: bind("/usr", ..., { readOnly: true })',
    );
  }

  /** Makes the value; nothing is kept. */
  remember<T>(_key: string, make: () => T): T {
    return make();
  }

  /** Returns: the box finds its own files of /proc itself. */
  requireOwnProc(): void {}
}

const NO_MOUNTS: readonly MountEntry[] = [];
