/**
 * What is recorded of a detached container: a directory with `state.json` and its log. The
 * supervisor writes it, and everything else reads it.
 *
 * @module
 */

import { at_fdcwd, flock, LOCK_EX, renameat2 } from "../ffi/calls/files.ts";
import { namesIn } from "../ffi/files/read_dir.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { ifThere, NO_SUCH_PATH } from "../ffi/missing.ts";
import { syscall } from "../ffi/syscalls.ts";
import { hasEnded } from "../host/join_target.ts";
import { programOf } from "../container/registry.ts";
import { signalNumber } from "../container/signal_number.ts";
import {
  attach,
  type AttachedContainer,
  type CommandStatus,
  linux,
  RamekinError,
  type StopOptions,
} from "../mod.ts";
import { nearest } from "../recipe/nearest.ts";
import { type CgroupDirectory, endGroups } from "./left_groups.ts";
import { findRecords, isOwnDirectory, makeRecords } from "./records_directory.ts";

/** How a program has ended, as `--status-fd` tells it. */
export type End = Omit<CommandStatus, "success"> & { readonly reason: string };

/** What `state.json` holds. */
export interface DetachedState {
  readonly name: string;
  /** The path of its recipe; an image and a sandbox have none. */
  readonly recipe?: string;
  /** Its image. */
  readonly image?: string;
  /** Its program, with the arguments. */
  readonly program: readonly string[];
  /** The process that keeps it: a `ramekin` of its own. */
  readonly supervisor: linux.ProcessIdentity;
  readonly status: "starting" | "running" | "restarting" | "ended";
  /** The first process of the container, while it runs. */
  readonly container?: linux.ProcessIdentity;
  /** The directories of its control group, if it has one. */
  readonly cgroups?: readonly CgroupDirectory[];
  readonly isReady: boolean;
  /** What the program has told of itself: see sd_notify(3). */
  readonly statusText?: string;
  /** How often it was started again. */
  readonly restarts: number;
  /** How many checks of its health have failed in a row. */
  readonly unhealthy: number;
  /** When the first program was started, and when all was over. */
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Why it could not be started again, or what else has failed the last time. */
  readonly failure?: string;
  /** How the program has ended the last time. */
  readonly end?: End;
}

/** A record that there is. */
export class DetachedRecord {
  readonly name: string;
  readonly #directory: string;

  private constructor(name: string, directory: string) {
    this.name = name;
    this.#directory = directory;
  }

  /**
   * Makes the record of a new container.
   *
   * @param replace whether the record of one that has ended may be removed first
   * @throws {RamekinError} if there is one of this name, or this user has no runtime directory
   */
  static make(state: DetachedState, replace: boolean): DetachedRecord {
    const directory = makeRecords();
    using _alone = lock(directory);
    const record = new DetachedRecord(state.name, `${directory}/${state.name}`);
    if (!record.#claim() && (!replace || record.isKept || !(record.remove(), record.#claim()))) {
      throw record.#taken();
    }
    record.write(state);
    return record;
  }

  /** Returns the record of this name, if there is one. */
  static find(name: string): DetachedRecord | undefined {
    return DetachedRecord.all().find((record) => record.name === name);
  }

  /**
   * Returns the record of this name.
   *
   * @throws {RamekinError} if there is none
   */
  static get(name: string): DetachedRecord {
    const all = DetachedRecord.all();
    const found = all.find((record) => record.name === name);
    if (found !== undefined) return found;
    const near = nearest(name, all.map((record) => record.name));
    throw new RamekinError(
      `there is no detached container ${name}` +
        (near === undefined ? "; ramekin ps --all lists them" : `; did you mean ${near}?`),
    );
  }

  /** Returns the record of a running container by the pid of its first process, or of its program. */
  static ofPid(pid: number): DetachedRecord | undefined {
    return DetachedRecord.all().find((record) => {
      const first = record.container?.pid;
      return first !== undefined && (first === pid || programOf(first) === pid);
    });
  }

  /** Returns the records of all detached containers of this user, also of those that have ended. */
  static all(): readonly DetachedRecord[] {
    const directory = findRecords();
    if (directory === undefined) return [];
    const names = ifThere(() => namesIn(directory)) ?? [];
    return names.sort().map((name) => new DetachedRecord(name, `${directory}/${name}`))
      .filter((record) => isOwnDirectory(record.#directory));
  }

  /** The path of its log; the older part of it is beside it, with `.1`. */
  get log(): string {
    return `${this.#directory}/log`;
  }

  /** What is recorded; `undefined` if its supervisor was killed before it has written anything. */
  get state(): DetachedState | undefined {
    return this.#read("state.json") as DetachedState | undefined;
  }

  /** Whether its supervisor runs. */
  get isKept(): boolean {
    const supervisor = this.state?.supervisor;
    return supervisor !== undefined && !hasEnded(supervisor);
  }

  /** The first process of its container, while that and its supervisor run. */
  get container(): linux.ProcessIdentity | undefined {
    const { container } = this.state ?? {};
    return container === undefined || hasEnded(container) || !this.isKept ? undefined : container;
  }

  /** Whether its supervisor was killed, and its container goes on. */
  get isLeft(): boolean {
    const { container } = this.state ?? {};
    return container !== undefined && !hasEnded(container) && !this.isKept;
  }

  /** Records a state. */
  write(state: DetachedState): void {
    this.#write("state.json", state);
  }

  /**
   * Asks the supervisor to stop the program, and resolves when it has ended itself.
   *
   * @throws {TypeError} for a signal that Linux does not have
   */
  async stop(options: StopOptions): Promise<void> {
    if (options.signal !== undefined) signalNumber(options.signal);
    using supervisor = processOf(this.state?.supervisor);
    if (supervisor === undefined) return;
    this.#write("stop.json", options);
    supervisor.kill("SIGTERM");
    await supervisor.ended;
  }

  /** How it is to be stopped, as asked for by {@linkcode DetachedRecord.stop}. */
  get stopOptions(): StopOptions {
    return this.#read("stop.json") as StopOptions | undefined ?? {};
  }

  /** Resolves when its supervisor has ended. */
  async ended(): Promise<void> {
    using supervisor = processOf(this.state?.supervisor);
    await supervisor?.ended;
  }

  /** Kills the supervisor and what it has left behind, and resolves when both have ended. */
  async kill(): Promise<void> {
    // The supervisor first, as it could start the program again.
    for (const which of ["supervisor", "container"] as const) {
      using process = processOf(this.state?.[which]);
      process?.kill("SIGKILL");
      await process?.ended;
    }
    await endGroups(this.state?.cgroups ?? []);
  }

  /**
   * Removes the record of a container that has ended.
   *
   * @throws {RamekinError} if it runs, as one that was started meanwhile
   */
  removeEnded(): void {
    const directory = findRecords();
    if (directory === undefined) return;
    using _alone = lock(directory);
    if (this.isKept) throw new RamekinError(`${this.name} runs, and was started a moment ago`);
    this.remove();
  }

  /** Removes it, with the log, whether it runs or not. */
  remove(): void {
    const names = ifThere(() => namesIn(this.#directory)) ?? [];
    for (const name of names) linux.unlinkat(linux.AT_FDCWD, `${this.#directory}/${name}`);
    ifThere(() => linux.unlinkat(linux.AT_FDCWD, this.#directory, linux.AT_REMOVEDIR));
  }

  /** Makes the directory; returns whether there was none. */
  #claim(): boolean {
    const make = () => (linux.mkdirat(linux.AT_FDCWD, this.#directory, 0o700), true);
    return ifThere(make, ["EEXIST"]) ?? false;
  }

  #taken(): RamekinError {
    if (this.isKept) {
      return new RamekinError(
        `a detached container has the name ${this.name} already; --name=NAME gives another, and ` +
          `ramekin rm -f ${this.name} ends that`,
      );
    }
    return new RamekinError(
      `the name ${this.name} is that of a detached container which has ended; ramekin rm ` +
        `${this.name} removes its log and its status, as --replace does`,
    );
  }

  #read(name: string): unknown {
    const path = `${this.#directory}/${name}`;
    const text = ifThere(() => readWholeText(at_fdcwd, path), NO_SUCH_PATH);
    try {
      return text === undefined ? undefined : JSON.parse(text);
    } catch {
      // A person has written it, and the others are still to be listed.
      return undefined;
    }
  }

  /** Writes a file whole, as others read it meanwhile. */
  #write(name: string, value: unknown): void {
    const path = `${this.#directory}/${name}`;
    const bytes = new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
    writeFile(`${path}.new`, bytes);
    syscall(renameat2(at_fdcwd, `${path}.new`, at_fdcwd, path, 0));
  }
}

/** Keeps others from making and removing records, until the end of a scope. */
function lock(directory: string): linux.OwnedFd {
  const file = linux.open(directory, linux.O_RDONLY | linux.O_DIRECTORY | linux.O_CLOEXEC);
  try {
    syscall(flock(file.number, LOCK_EX));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

function writeFile(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  const flags = linux.O_WRONLY | linux.O_CREAT | linux.O_TRUNC | linux.O_CLOEXEC;
  using file = linux.open(path, flags, 0o600);
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(linux.write(file, rest));
}

/** The process, if it runs. */
function processOf(identity: linux.ProcessIdentity | undefined): AttachedContainer | undefined {
  if (identity === undefined || hasEnded(identity)) return undefined;
  try {
    return attach(identity, { any: true });
  } catch (error) {
    // It has ended meanwhile.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
