/**
 * A host from a recording, with which a plan for root, for an unprivileged user or for an older
 * kernel can be made on any machine.
 *
 * @module
 */

import { UnsupportedError } from "../ffi/errors.ts";
import type { Architecture } from "../ffi/syscall_numbers.ts";
import type { MountEntry } from "../ffi/proc/mountinfo.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import type { Credentials } from "./credentials.ts";
import type { FollowedLinks } from "./follow_links.ts";
import type {
  DirectoryNames,
  Host,
  JoinQuestions,
  JoinTarget,
  KernelVersion,
  ProgramFiles,
} from "./host.ts";
import type { NameQuestion, NameScan } from "./name_question.ts";
import type { ResolvedPath } from "./resolve_path.ts";
import type { UserNamespaceRefusal } from "./user_namespaces.ts";

/** The recorded results of a host, as plain data. */
export interface HostRecording {
  readonly architecture: Architecture;
  readonly credentials: Credentials;
  readonly kernel: KernelVersion;
  readonly landlockVersion: number;
  readonly workingDirectory: string;
  /** The other results, by the call: `resolve("/usr")`. */
  readonly answers: Readonly<Record<string, unknown>>;
}

/** The files of programs, and those that were read to find them. */
interface RecordedPrograms {
  readonly read: readonly string[];
  readonly found: ProgramFiles;
}

/** Returns results from a recording. */
export class RecordedHost implements Host {
  /** `true`: the recording is of a machine. */
  readonly isHere = true;
  readonly #recording: HostRecording;

  constructor(recording: HostRecording) {
    this.#recording = recording;
  }

  /** The recorded architecture. */
  get architecture(): Architecture {
    return this.#recording.architecture;
  }

  /** The recorded credentials. */
  credentials(): Credentials {
    return this.#recording.credentials;
  }

  /** The recorded version of the kernel. */
  kernel(): KernelVersion {
    return this.#recording.kernel;
  }

  /** The recorded version of Landlock. */
  landlockVersion(): number {
    return this.#recording.landlockVersion;
  }

  /** The recorded home directory. */
  homeDirectory(): string | undefined {
    return this.#answer("homeDirectory") as string | undefined;
  }

  /** The recorded configuration of the resolver. */
  resolvConf(): string {
    return this.#answer("resolvConf") as string;
  }

  /** The recorded working directory. */
  workingDirectory(): string {
    return this.#recording.workingDirectory;
  }

  /** Whether the variable was set; this and the following throw for what is not recorded. */
  hasVariable(name: string): boolean {
    return this.#answer("hasVariable", name) as boolean;
  }

  /** Whether the script was in the first user namespace. */
  inFirstUserNamespace(): boolean {
    return this.#answer("inFirstUserNamespace") as boolean;
  }

  /** The recorded refusal of user namespaces. */
  userNamespaceRefusal(): UserNamespaceRefusal | undefined {
    return this.#answer("userNamespaceRefusal") as UserNamespaceRefusal | undefined;
  }

  /** Returns `undefined`: no kernel is asked. */
  filesystemIssue(): undefined {
    return undefined;
  }

  /** The recorded text of a file of users or groups. */
  accountFile(path: string): string {
    return this.#answer("accountFile", path) as string;
  }

  /** The recorded number in a file of /proc/sys. */
  setting(path: string): number | undefined {
    return this.#answer("setting", path) as number | undefined;
  }

  /** The recorded resolution of a path. */
  resolve(path: string): ResolvedPath {
    return this.#answer("resolve", path) as ResolvedPath;
  }

  /** The recorded links on the way to a path. */
  followLinks(path: string): FollowedLinks {
    return this.#answer("followLinks", path) as FollowedLinks;
  }

  /** The recorded mounts. */
  mounts(): readonly MountEntry[] {
    return this.#answer("mounts") as readonly MountEntry[];
  }

  /** Returns `false`: no automounter is asked. */
  hasAutomounter(): boolean {
    return false;
  }

  /** Does nothing: there is none. */
  mountAutomounts(_directory: string): void {}

  /** Returns `true`: a recording does not change. */
  unchanged(_paths: readonly ResolvedPath[]): boolean {
    return true;
  }

  /** The recorded names in directories. */
  directoryNames(): DirectoryNames {
    return {
      in: (directory) => new Set(this.#answer("namesIn", directory) as readonly string[]),
    };
  }

  /** The recorded files of these names. */
  scanNames(question: NameQuestion): NameScan {
    return this.#answer("scanNames", question) as NameScan;
  }

  /** Returns `true`: a recording does not change. */
  sameNames(_scans: readonly NameScan[]): boolean {
    return true;
  }

  /** The recorded numbers of a block device. */
  blockDevice(path: string): string | undefined {
    return this.#answer("blockDevice", path) as string | undefined;
  }

  /** The recorded process. */
  joinTarget(
    pid: number,
    started: number | undefined,
    questions: JoinQuestions,
  ): JoinTarget {
    return this.#answer("joinTarget", pid, started, questions) as JoinTarget;
  }

  /** Does nothing: a recording does not change. */
  checkJoinTarget(): void {}

  /** Returns `false`: a recording does not change. */
  hasEnded(_process: ProcessIdentity): boolean {
    return false;
  }

  /** The recorded kind of a namespace file. */
  namespaceKind(file: string): NamespaceKind | undefined {
    return this.#answer("namespaceKind", file) as NamespaceKind | undefined;
  }

  /** The recorded files of programs. */
  programFiles(programs: readonly string[], reading: (path: string) => void): ProgramFiles {
    const { read, found } = this.#answer("programFiles", programs) as RecordedPrograms;
    read.forEach(reading);
    return found;
  }

  /** Makes the value; nothing is kept. */
  remember<T>(_key: string, make: () => T): T {
    return make();
  }

  /** Does nothing: the recorded pids are not of this machine. */
  requireOwnProc(): void {}

  #answer(...question: [name: string, ...args: unknown[]]): unknown {
    const key = questionKey(question);
    if (key in this.#recording.answers) return this.#recording.answers[key];
    throw new UnsupportedError(
      `the plan needs ${key}, which is not recorded`,
    );
  }
}

/** A host whose results are recorded. */
export interface Recorder {
  /** The host to use for plans. */
  readonly host: Host;
  /** Returns the recording of all results so far. */
  recording(): HostRecording;
}

/** Records the results of a host. */
export function recordHost(host: Host): Recorder {
  const answers: Record<string, unknown> = {};
  const noted = <T>(question: [name: string, ...args: unknown[]], answer: T): T => {
    answers[questionKey(question)] = answer;
    return answer;
  };
  return {
    host: {
      isHere: host.isHere,
      architecture: host.architecture,
      credentials: () => host.credentials(),
      kernel: () => host.kernel(),
      landlockVersion: () => host.landlockVersion(),
      workingDirectory: () => host.workingDirectory(),
      homeDirectory: () => noted(["homeDirectory"], host.homeDirectory()),
      resolvConf: () => noted(["resolvConf"], host.resolvConf()),
      accountFile: (path) => noted(["accountFile", path], host.accountFile(path)),
      hasVariable: (name) => noted(["hasVariable", name], host.hasVariable(name)),
      inFirstUserNamespace: () => noted(["inFirstUserNamespace"], host.inFirstUserNamespace()),
      userNamespaceRefusal: () => noted(["userNamespaceRefusal"], host.userNamespaceRefusal()),
      filesystemIssue: (options) => host.filesystemIssue(options),
      setting: (path) => noted(["setting", path], host.setting(path)),
      resolve: (path) => noted(["resolve", path], host.resolve(path)),
      followLinks: (path) => noted(["followLinks", path], host.followLinks(path)),
      mounts: () => noted(["mounts"], host.mounts()),
      hasAutomounter: () => host.hasAutomounter(),
      mountAutomounts: (directory) => host.mountAutomounts(directory),
      unchanged: (paths) => host.unchanged(paths),
      directoryNames() {
        const names = host.directoryNames();
        return {
          in(directory) {
            const found = names.in(directory);
            noted(["namesIn", directory], [...found]);
            return found;
          },
        };
      },
      scanNames: (question, earlier) =>
        noted(["scanNames", question], host.scanNames(question, earlier)),
      sameNames: (scans) => host.sameNames(scans),
      blockDevice: (path) => noted(["blockDevice", path], host.blockDevice(path)),
      joinTarget: (pid, started, questions) =>
        noted(["joinTarget", pid, started, questions], host.joinTarget(pid, started, questions)),
      checkJoinTarget: (process, cgroup) => host.checkJoinTarget(process, cgroup),
      hasEnded: (process) => host.hasEnded(process),
      namespaceKind: (file) => noted(["namespaceKind", file], host.namespaceKind(file)),
      programFiles(programs, reading) {
        const read: string[] = [];
        const found = host.programFiles(programs, (path) => {
          read.push(path);
          reading(path);
        });
        noted<RecordedPrograms>(["programFiles", programs], { read, found });
        return found;
      },
      remember: (key, make) => host.remember(key, make),
      requireOwnProc: () => host.requireOwnProc(),
    },
    recording: () => ({
      architecture: host.architecture,
      credentials: host.credentials(),
      kernel: host.kernel(),
      landlockVersion: host.landlockVersion(),
      workingDirectory: host.workingDirectory(),
      answers: { ...answers },
    }),
  };
}

function questionKey([name, ...args]: [name: string, ...args: unknown[]]): string {
  return `${name}(${args.map((argument) => JSON.stringify(argument) ?? "").join(", ")})`;
}
