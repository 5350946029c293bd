/**
 * A host that is not asked: its answers were written down before, or by hand. A plan for root, for
 * an ordinary user or for an older kernel can so be made on any machine.
 *
 * @module
 */

import { UnsupportedError } from "../ffi/errors.ts";
import type { Architecture } from "../ffi/syscall_numbers.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import type { Credentials } from "./credentials.ts";
import type { Host, JoinQuestions, JoinTarget, KernelVersion, ProgramFiles } from "./host.ts";
import type { ResolvedPath } from "./resolve_path.ts";

/** The answers of a host, as plain data. */
export interface HostRecording {
  readonly architecture: Architecture;
  readonly credentials: Credentials;
  readonly kernel: KernelVersion;
  readonly landlockVersion: number;
  readonly workingDirectory: string;
  /** The other answers, by their questions: `resolve("/usr")`. */
  readonly answers: Readonly<Record<string, unknown>>;
}

/** Answers from a recording. */
export class RecordedHost implements Host {
  readonly #recording: HostRecording;

  /** A host that answers so. */
  constructor(recording: HostRecording) {
    this.#recording = recording;
  }

  /** The recorded architecture. */
  get architecture(): Architecture {
    return this.#recording.architecture;
  }

  /** The recorded identity. */
  credentials(): Credentials {
    return this.#recording.credentials;
  }

  /** The recorded version. */
  kernel(): KernelVersion {
    return this.#recording.kernel;
  }

  /** The recorded version of Landlock. */
  landlockVersion(): number {
    return this.#recording.landlockVersion;
  }

  /** The recorded directory. */
  workingDirectory(): string {
    return this.#recording.workingDirectory;
  }

  /** Whether the variable was set. */
  hasVariable(name: string): boolean {
    return this.#answer("hasVariable", name) as boolean;
  }

  /** What the file held. */
  setting(path: string): number | undefined {
    return this.#answer("setting", path) as number | undefined;
  }

  /** Where the path led. */
  resolve(path: string): ResolvedPath {
    return this.#answer("resolve", path) as ResolvedPath;
  }

  /** A recording does not change. */
  unchanged(_paths: readonly ResolvedPath[]): boolean {
    return true;
  }

  /** The numbers that the device had. */
  blockDevice(path: string): string | undefined {
    return this.#answer("blockDevice", path) as string | undefined;
  }

  /** The process as it was. */
  joinTarget(
    pid: number,
    started: number | undefined,
    questions: JoinQuestions,
  ): JoinTarget {
    return this.#answer("joinTarget", pid, started, questions) as JoinTarget;
  }

  /** The kind of namespace that the file was of. */
  namespaceKind(file: string): NamespaceKind | undefined {
    return this.#answer("namespaceKind", file) as NamespaceKind | undefined;
  }

  /** The files that the programs needed. */
  programFiles(programs: readonly string[]): ProgramFiles {
    return this.#answer("programFiles", programs) as ProgramFiles;
  }

  /** Makes it. */
  remember<T>(_key: string, make: () => T): T {
    return make();
  }

  /** Nothing is checked: no process of this machine is meant. */
  requireOwnProc(): void {}

  #answer(...question: [name: string, ...args: unknown[]]): unknown {
    const key = questionKey(question);
    if (key in this.#recording.answers) return this.#recording.answers[key];
    throw new UnsupportedError(
      `the plan depends on ${key} of the machine that it is made for, which is not known`,
    );
  }
}

/** A host with what it has answered so far. */
export interface Recorder {
  /** Asks the host, and writes down what it returns. */
  readonly host: Host;
  /** What it has returned until now. */
  recording(): HostRecording;
}

/** Writes down what a host answers. */
export function recordHost(host: Host): Recorder {
  const answers: Record<string, unknown> = {};
  const noted = <T>(question: [name: string, ...args: unknown[]], answer: T): T => {
    answers[questionKey(question)] = answer;
    return answer;
  };
  return {
    host: {
      architecture: host.architecture,
      credentials: () => host.credentials(),
      kernel: () => host.kernel(),
      landlockVersion: () => host.landlockVersion(),
      workingDirectory: () => host.workingDirectory(),
      hasVariable: (name) => noted(["hasVariable", name], host.hasVariable(name)),
      setting: (path) => noted(["setting", path], host.setting(path)),
      resolve: (path) => noted(["resolve", path], host.resolve(path)),
      unchanged: (paths) => host.unchanged(paths),
      blockDevice: (path) => noted(["blockDevice", path], host.blockDevice(path)),
      joinTarget: (pid, started, questions) =>
        noted(["joinTarget", pid, started, questions], host.joinTarget(pid, started, questions)),
      namespaceKind: (file) => noted(["namespaceKind", file], host.namespaceKind(file)),
      programFiles: (programs) => noted(["programFiles", programs], host.programFiles(programs)),
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
