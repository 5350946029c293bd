/**
 * This machine as the {@linkcode Host} of plans.
 *
 * @module
 */

import { engine } from "../ffi/engine/engine.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { environmentVariable } from "../ffi/environment.ts";
import { readBeneath } from "../ffi/linux/read_beneath.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { landlockVersion } from "../ffi/linux/landlock.ts";
import { uname } from "../ffi/linux/namespaces.ts";
import { type MountEntry, mountinfoOf, parseMountinfo } from "../ffi/proc/mountinfo.ts";
import { requireOwnProc } from "../ffi/proc/proc_dir.ts";
import type { Architecture } from "../ffi/syscall_numbers.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import { mountAutomounts } from "./automounts.ts";
import { blockDeviceOf } from "./block_device.ts";
import { type Credentials, CurrentCredentials } from "./credentials.ts";
import { type DirectoryList, DirectoryLists } from "./directory_lists.ts";
import { programHost } from "./elf/elf_reader.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import { filesOfPrograms } from "./elf/program_files.ts";
import { filesystemIssue, type FilesystemOptions } from "./filesystem_issue.ts";
import { type FollowedLinks, followLinks } from "./follow_links.ts";
import type {
  DirectoryNames,
  Host,
  JoinQuestions,
  JoinTarget,
  KernelVersion,
  ProgramFiles,
} from "./host.ts";
import { JoinTargetCheck } from "./join_check.ts";
import { hasEnded, joinTargetOf } from "./join_target.ts";
import { namespaceKindOf } from "./namespace_kind.ts";
import type { NameQuestion, NameScan } from "./name_question.ts";
import { NameScanner } from "./name_scan.ts";
import { OtherNames } from "./other_names.ts";
import { readResolvConf } from "./resolver.ts";
import { type ResolvedPath, ResolvedPathsCheck, resolvePath } from "./resolve_path.ts";
import { readSetting } from "./settings.ts";
import { type UserNamespaceRefusal, userNamespaceRefusal } from "./user_namespaces.ts";

/** Reads from this machine; values that never change while the script runs are read once. */
export class LiveHost implements Host {
  readonly #credentials = new CurrentCredentials();
  #kernel: KernelVersion | undefined;
  #landlock: number | undefined;
  readonly #checks = new WeakMap<readonly ResolvedPath[], ResolvedPathsCheck>();
  /** By the identity that a plan has: each asks for the cgroups always, or never. */
  readonly #joins = new WeakMap<ProcessIdentity, JoinTargetCheck>();
  /** What has looked for names, and the variable that it depends on. */
  readonly #scanners = new WeakMap<
    NameScan,
    { readonly scanner: NameScanner; readonly configHome: string | undefined }
  >();
  #mounts: { readonly text: string; readonly entries: readonly MountEntry[] } | undefined;
  #otherNames: { readonly mounts: readonly MountEntry[]; readonly names: OtherNames } | undefined;
  readonly #lists = new DirectoryLists();
  readonly #names = new WeakMap<DirectoryList, ReadonlySet<string>>();
  readonly #remembered = new Map<string, unknown>();

  /** `true`. */
  readonly isHere = true;

  /** The architecture of this machine. */
  get architecture(): Architecture {
    return engine().architecture;
  }

  /** The credentials of the calling thread; the same object as before if they have not changed. */
  credentials(): Credentials {
    return this.#credentials.get();
  }

  /** The version of the running kernel. */
  kernel(): KernelVersion {
    return this.#kernel ??= parseRelease(uname().release);
  }

  /** The version of the running kernel's Landlock. */
  landlockVersion(): number {
    return this.#landlock ??= landlockVersion();
  }

  /** The home directory of the user. */
  homeDirectory(): string | undefined {
    return environmentVariable("HOME");
  }

  /** The text of /etc/resolv.conf. */
  resolvConf(): string {
    return readResolvConf();
  }

  /** The text of a file of users or groups. */
  accountFile(path: string): string {
    return readBeneath("/", path.slice(1));
  }

  /** The working directory of the script. */
  workingDirectory(): string {
    try {
      return Deno.cwd();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new SyscallError({
        syscall: "getcwd",
        errno: ERRNO.ENOENT,
        hint: "the working directory of the script no longer exists",
      });
    }
  }

  /** Whether a variable of the script's environment is set. */
  hasVariable(name: string): boolean {
    return environmentVariable(name) !== undefined;
  }

  /** Whether the script is in the user namespace with the number of the first one. */
  inFirstUserNamespace(): boolean {
    // PROC_USER_INIT_INO (include/linux/proc_ns.h). Without /proc nothing speaks against it.
    const { id } = resolvePath("/proc/self/ns/user");
    return id === undefined || id.endsWith(`:${0xefff_fffd}`);
  }

  /** What refuses user namespaces to the script, or mounts in them: it is tried. */
  userNamespaceRefusal(): UserNamespaceRefusal | undefined {
    return userNamespaceRefusal();
  }

  /** What the kernel says against the options of a filesystem. */
  filesystemIssue(options: FilesystemOptions): string | undefined {
    return filesystemIssue(options);
  }

  /** The number in a file of /proc/sys. */
  setting(path: string): number | undefined {
    return readSetting(path);
  }

  /** Resolves an absolute path. */
  resolve(path: string): ResolvedPath {
    return resolvePath(path);
  }

  /** The symbolic links on the way to an absolute path. */
  followLinks(path: string): FollowedLinks {
    return followLinks(path);
  }

  /** The mounts that the calling thread sees. */
  mounts(): readonly MountEntry[] {
    const text = mountinfoOf();
    if (this.#mounts?.text !== text) this.#mounts = { text, entries: parseMountinfo(text) };
    return this.#mounts.entries;
  }

  /** The other paths of files, by the mounts that the calling thread sees. */
  otherNames(): OtherNames {
    const mounts = this.mounts();
    if (this.#otherNames?.mounts !== mounts) {
      this.#otherNames = { mounts, names: new OtherNames(mounts) };
    }
    return this.#otherNames.names;
  }

  /** Whether there are mounts of autofs. */
  hasAutomounter(): boolean {
    return this.mounts().some(({ type }) => type === "autofs");
  }

  /** Lets an automounter mount what belongs on a directory, and on those in it. */
  mountAutomounts(directory: string): void {
    mountAutomounts(directory, this.mounts());
  }

  /** Whether paths still lead where they did. */
  unchanged(paths: readonly ResolvedPath[]): boolean {
    let check = this.#checks.get(paths);
    if (check === undefined) this.#checks.set(paths, check = new ResolvedPathsCheck(paths));
    return check.holds();
  }

  /** The names in directories; only those that have changed are read again. */
  directoryNames(): DirectoryNames {
    this.#lists.refresh();
    return {
      in: (directory) => {
        const list = this.#lists.of(directory);
        let names = this.#names.get(list);
        if (names === undefined) this.#names.set(list, names = new Set([...list.keys()].sort()));
        return names;
      },
    };
  }

  /** Looks for files by their names. */
  scanNames(question: NameQuestion, earlier?: NameScan): NameScan {
    const configHome = environmentVariable("XDG_CONFIG_HOME");
    const isPath = configHome?.startsWith("/") === true;
    const known = earlier === undefined ? undefined : this.#scanners.get(earlier);
    const scanner = known?.scanner ?? new NameScanner();
    const scan = scanner.scan({
      ...question,
      ...(isPath && { configHome: resolvePath(configHome).path }),
    }, this.otherNames());
    this.#scanners.set(scan, { scanner, configHome });
    return scan;
  }

  /** Looks again; only directories that have changed are read. */
  sameNames(scans: readonly NameScan[]): boolean {
    if (scans.length === 0) return true;
    const configHome = environmentVariable("XDG_CONFIG_HOME");
    if (scans.some((scan) => this.#scanners.get(scan)?.configHome !== configHome)) return false;
    const again = this.#scanners.get(scans[0]!)?.scanner.again(this.otherNames());
    return JSON.stringify(again) === JSON.stringify(scans);
  }

  /** The numbers of a block device. */
  blockDevice(path: string): string | undefined {
    return blockDeviceOf(path);
  }

  /** The process with this pid. */
  joinTarget(
    pid: number,
    started: number | undefined,
    questions: JoinQuestions,
  ): JoinTarget {
    return joinTargetOf(pid, started, questions);
  }

  /** Checks that a process can be joined still. */
  checkJoinTarget(process: ProcessIdentity, cgroup: boolean): void {
    let check = this.#joins.get(process);
    if (check === undefined) {
      this.#joins.set(process, check = new JoinTargetCheck(process, cgroup));
    }
    check.run();
  }

  /** Whether a process has ended. */
  hasEnded(process: ProcessIdentity): boolean {
    return hasEnded(process);
  }

  /** The kind of namespace that a file refers to. */
  namespaceKind(file: string): NamespaceKind | undefined {
    return namespaceKindOf(file);
  }

  /** The files that programs need. */
  programFiles(programs: readonly string[], reading: (path: string) => void): ProgramFiles {
    const refuse = (issue: string): never => {
      throw new ProgramIssue(issue);
    };
    try {
      return { files: filesOfPrograms(programs, programHost(reading, refuse), refuse) };
    } catch (error) {
      if (error instanceof ProgramIssue) return { issue: error.message };
      if (!(error instanceof SyscallError)) throw error;
      return { issue: `a file that is needed cannot be read: ${error.message}` };
    }
  }

  /** Returns the value of this key, which is made once. */
  remember<T>(key: string, make: () => T): T {
    if (!this.#remembered.has(key)) this.#remembered.set(key, make());
    return this.#remembered.get(key) as T;
  }

  /** Checks that /proc shows pids of the script's own pid namespace. */
  requireOwnProc(): void {
    requireOwnProc();
  }
}

/** Thrown for a program whose files cannot be found. */
class ProgramIssue extends Error {}

/** The host of all plans of this isolate. */
export const liveHost: () => LiveHost = perEngine(() => new LiveHost());

/** Returns the version of a release such as `6.1.0-13-amd64`. */
export function parseRelease(release: string): KernelVersion {
  const [major, minor] = release.split(".", 2).map((number) => parseInt(number));
  return { major: major!, minor: minor! };
}
