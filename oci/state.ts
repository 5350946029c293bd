/**
 * What is recorded of a container: a directory with a few small files, which the dispatcher of the
 * installed command, a shell script, reads too.
 *
 * - `state.json`: what `state` prints, a field a line, without the pid and the status
 * - `process`: the pid and the start time of its first process
 * - `cgroups`: the directories of its control groups, one a line
 * - `freezers`: the files that tell whether these are frozen, each behind the word that says no
 * - `exec.fifo`: what the first process waits for; gone once it was started
 * - `config.json`: a copy, for `exec` and hooks
 * - `hooks`: there, if `start` or `delete` have hooks to run, or a message to wait for
 * - `notify`: a directory for a socket, if systemd wants to be told that the container is ready
 *
 * @module
 */

import { call } from "../ffi/call.ts";
import { at_fdcwd, S_IFIFO } from "../ffi/calls/files.ts";
import { statField } from "../ffi/proc/process_identity.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import { syscall } from "../ffi/syscalls.ts";
import { freezersIn, type GroupDirectory, isFrozen, textOf } from "./cgroups/group.ts";
import type { Config } from "./spec.ts";
import { OciError } from "./errors.ts";
import type { Runtime } from "./runtime.ts";

/** The version of the runtime specification that config.json is read by. */
export const OCI_VERSION = "1.3.0";

/** Where a container is in its life. */
export type Status = "creating" | "created" | "running" | "paused" | "stopped";

/** What `state` prints of a container. */
export interface ContainerState {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: Status;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly owner: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The fields that do not change. */
export type FixedState = Omit<ContainerState, "pid" | "status">;

/** The record of a container. */
export class ContainerRecord {
  readonly id: string;
  readonly directory: string;

  private constructor(id: string, directory: string) {
    this.id = id;
    this.directory = directory;
  }

  /** Makes the record of a new container. */
  static make({ root }: Runtime, id: string): ContainerRecord {
    const directory = `${root}/${checkedId(id)}`;
    Deno.mkdirSync(root, { recursive: true, mode: 0o700 });
    try {
      Deno.mkdirSync(directory, { mode: 0o711 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      throw new OciError(`container with given ID already exists: ${id}`);
    }
    return new ContainerRecord(id, directory);
  }

  /** Finds the record of a container; `undefined` if there is none. */
  static find({ root }: Runtime, id: string): ContainerRecord | undefined {
    const directory = `${root}/${checkedId(id)}`;
    try {
      Deno.statSync(directory);
      return new ContainerRecord(id, directory);
    } catch {
      return undefined;
    }
  }

  /** Finds the record of a container. */
  static open(runtime: Runtime, id: string): ContainerRecord {
    return ContainerRecord.find(runtime, id) ??
      fail(`container ${JSON.stringify(id)} does not exist`);
  }

  /** The path of the pipe that the first process waits for. */
  get fifo(): string {
    return `${this.directory}/exec.fifo`;
  }

  /** Makes that pipe. */
  makeFifo(): void {
    syscall(call("mknodat", at_fdcwd, this.fifo, S_IFIFO | 0o600, 0));
  }

  /**
   * Makes the directory for a socket, and returns its path: in one that nobody else gets through, as
   * whoever the container's user is may write to the socket.
   */
  makeNotify(): string {
    const path = this.#notify;
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    Deno.chmodSync(path, 0o755);
    return path;
  }

  get #notify(): string {
    return `${this.directory}/notify/s`;
  }

  /** The path of that directory, if there is one. */
  get notify(): string | undefined {
    const path = this.#notify;
    try {
      Deno.lstatSync(path);
      return path;
    } catch {
      return undefined;
    }
  }

  /** Records the control groups, before they are made: so they can be removed. */
  recordGroups(groups: readonly GroupDirectory[]): void {
    const lines = freezersIn(groups).map(({ file, thawed }) => `${thawed} ${file}\n`);
    this.#write("freezers", lines.join(""));
    this.#write("cgroups", groups.map(({ path }) => `${path}\n`).join(""));
  }

  /** Records the container. */
  record(state: FixedState, process: ProcessIdentity, config: Config): void {
    const { hooks = {} } = config;
    const kinds = ["startContainer", "poststart", "poststop"] as const;
    if (this.notify !== undefined || kinds.some((kind) => hooks[kind]?.length)) {
      this.#write("hooks", "");
    }
    this.#write("config.json", JSON.stringify(config));
    this.#write("process", `${process.pid} ${process.started}\n`);
    this.#write("state.json", `${JSON.stringify(state, null, 2)}\n`);
  }

  #write(name: string, text: string): void {
    const path = `${this.directory}/${name}`;
    Deno.writeTextFileSync(`${path}.new`, text, { mode: 0o600 });
    Deno.renameSync(`${path}.new`, path);
  }

  /** The fields that do not change; `undefined` for a container whose creation was cut off. */
  get fixed(): FixedState | undefined {
    const text = textOf(`${this.directory}/state.json`);
    return text === undefined ? undefined : JSON.parse(text) as FixedState;
  }

  /** Its config.json. */
  get config(): Config {
    return JSON.parse(Deno.readTextFileSync(`${this.directory}/config.json`)) as Config;
  }

  /** The directories of its control groups. */
  get groups(): readonly string[] {
    return (textOf(`${this.directory}/cgroups`) ?? "").split("\n").filter(Boolean);
  }

  /** Its first process; `undefined` once that has ended. */
  get process(): ProcessIdentity | undefined {
    const [pid, started] = (textOf(`${this.directory}/process`) ?? "").trim().split(" ").map(
      Number,
    );
    return pid && started && isAlive({ pid, started }) ? { pid, started } : undefined;
  }

  /** Whether it waits to be started. */
  get waits(): boolean {
    try {
      Deno.lstatSync(this.fifo);
      return true;
    } catch {
      return false;
    }
  }

  /** Its status. */
  get status(): Status {
    if (this.process === undefined) return "stopped";
    if (isFrozen(this.groups)) return "paused";
    return this.waits ? "created" : "running";
  }

  /** What `state` prints. */
  get state(): ContainerState {
    const { fixed, status } = this;
    if (fixed === undefined) fail(`container ${JSON.stringify(this.id)} was not created wholly`);
    const { ociVersion, id, ...others } = fixed;
    return { ociVersion, id, pid: this.process?.pid ?? 0, status, ...others };
  }

  /** Whether it was removed. */
  get isGone(): boolean {
    try {
      Deno.statSync(this.directory);
      return false;
    } catch {
      return true;
    }
  }

  /** Removes the record. */
  remove(): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Returns the ids of the containers that are recorded. */
export function idsIn({ root }: Runtime): readonly string[] {
  try {
    return Array.from(Deno.readDirSync(root), ({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Whether a process runs: one that has ended and was not waited for does not. */
export function isAlive({ pid, started }: ProcessIdentity): boolean {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === undefined || stat === "") return false;
  return Number(statField(stat, 22)) === started && !/[ZX]/.test(statField(stat, 3));
}

function checkedId(id: string): string {
  return /^[A-Za-z0-9_+.-]+$/.test(id) && id !== "." && id !== ".." && id.length <= 1024
    ? id
    : fail(`invalid container ID format: ${JSON.stringify(id)}`);
}

function fail(words: string): never {
  throw new OciError(words);
}
