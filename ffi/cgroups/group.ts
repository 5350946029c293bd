/**
 * A group: the directories, one in each hierarchy, that limit and account for the same processes.
 *
 * @module
 */

import { type Call, Named } from "../call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_WRONLY,
  openat,
} from "../calls/files.ts";
import { hasClone3 } from "../clone3_support.ts";
import { engine } from "../engine/engine.ts";
import { perEngine } from "../engine/per_engine.ts";
import { ERRNO } from "../errno.ts";
import { UnsupportedError } from "../errors.ts";
import { ifThere } from "../missing.ts";
import { syscall } from "../syscalls.ts";
import { assemble } from "../engine/program.ts";
import { cgroupError } from "./errors.ts";
import {
  callsOf,
  type CgroupPlan,
  type GroupDirectory,
  type SettingAction,
  settingActions,
} from "./plan.ts";
import { killGroup } from "./kill.ts";
import { mayWrite, parentOf, readEntry, readFile, readNumber, writeFile } from "./files.ts";
import type { Controller } from "./hierarchies.ts";
import { type GroupLimits, limitsIn } from "./limits.ts";
import { Locks } from "./locks.ts";
import { removeTree, sweep } from "./naming.ts";
import type { CgroupAction } from "./parents.ts";
import { type Usage, usageOf } from "./usage.ts";

/** How a process enters a group: the descriptors that are open for it. */
export interface CgroupEntry {
  /** The directory of version 2 in which clone3(2) creates the process. */
  readonly directory: Named | undefined;
  /** The files to which the process writes "0", which stands for itself. */
  readonly files: readonly Named[];
}

/** How a process will enter a group that does not exist yet: with placeholders for descriptors. */
export function planCgroupEntry({ directories }: CgroupPlan): CgroupEntry {
  return entryOf(directories, () => -1);
}

/** Closes the descriptors of an entry. */
export function closeCgroupEntry({ directory, files }: CgroupEntry): void {
  for (const { value } of directory === undefined ? files : [directory, ...files]) {
    syscall(close(Number(value)));
  }
}

/** The file of a group that freezes its processes, and what is written to it. */
export interface FreezerFile {
  readonly file: string;
  readonly freezing: string;
  readonly thawing: string;
}

/** A group that exists. */
export class Group {
  /** Its directories. */
  readonly directories: readonly GroupDirectory[];
  #limits: GroupLimits;
  #locks: Locks | undefined;

  /** Use {@linkcode Group.make}. */
  constructor(directories: readonly GroupDirectory[], limits: GroupLimits) {
    this.directories = directories;
    this.#limits = limits;
  }

  /**
   * Creates a group. The first one in a directory removes the groups that ended scripts left there.
   *
   * @throws {SyscallError} naming the file that refused; then nothing is left
   * @throws {UnsupportedError} if the kernel does not have that file
   */
  static make({ directories, limits, actions }: CgroupPlan): Group {
    const paths = directories.map(({ directory }) => directory);
    for (const path of paths) sweepOnce(parentOf(path));
    const group = new Group(directories, limits);
    using _making = Locks.ofMaking(paths.map(parentOf));
    try {
      makeAll(actions);
      group.#locks = Locks.ofScript(paths);
    } catch (error) {
      group.remove();
      throw error;
    }
    return group;
  }

  /**
   * Opens the descriptors by which a process enters.
   *
   * @throws {SyscallError} if no more files may be open
   */
  enter(): CgroupEntry {
    const opened: number[] = [];
    try {
      return entryOf(this.directories, (call) => {
        opened.push(syscall(call));
        return opened.at(-1)!;
      });
    } catch (error) {
      for (const fd of opened) syscall(close(fd));
      throw error;
    }
  }

  /**
   * Changes limits; those that are left out stay as they are.
   *
   * @throws {UnsupportedError} if the group does not have the controller
   * @throws {SyscallError} naming the file that refused: `EBUSY` below what is in use
   */
  update(changes: GroupLimits): void {
    const limits = { ...this.#limits, ...changes };
    // Version 1 limits the sum of memory and swap, which changes with either.
    const sum = this.#of("memory")?.version === 1 && limits.swap !== undefined &&
      changes.memory !== undefined;
    const names = limitsIn(sum ? { ...changes, swap: limits.swap! } : changes);
    for (const action of inOrder(settingActions(this.directories, names, limits))) {
      if (action.file.endsWith("/memory.max")) makeRoom(action, limits.memory!);
      makeAll([action]);
    }
    this.#limits = limits;
  }

  /** What its processes use, and used until now. */
  usage(): Usage {
    return usageOf(this.directories);
  }

  /** How many of its processes the OOM killer killed. */
  outOfMemoryKills(): number {
    const memory = this.#of("memory");
    if (memory === undefined) return 0;
    const file = memory.version === 2 ? "memory.events" : "memory.oom_control";
    return readEntry(`${memory.directory}/${file}`, "oom_kill") ?? 0;
  }

  /** Starts to freeze its processes, or thaws them. */
  freeze(frozen: boolean): void {
    const { file, freezing, thawing } = this.freezer;
    writeFile(file, frozen ? freezing : thawing);
  }

  /**
   * The file that freezes its processes.
   *
   * @throws {UnsupportedError} if the group has none
   */
  get freezer(): FreezerFile {
    const { directory, version } = this.#freezer();
    return version === 2
      ? { file: `${directory}/cgroup.freeze`, freezing: "1", thawing: "0" }
      : { file: `${directory}/freezer.state`, freezing: "FROZEN", thawing: "THAWED" };
  }

  /** Whether all of its processes are frozen. */
  get frozen(): boolean {
    const { directory, version } = this.#freezer();
    return version === 2
      ? readEntry(`${directory}/cgroup.events`, "frozen") === 1
      : readFile(`${directory}/freezer.state`) === "FROZEN";
  }

  /** Kills its processes, frozen or not. */
  kill(): void {
    killGroup(this.directories);
  }

  /** Removes it. Returns `false` if it still has processes. */
  remove(): boolean {
    const gone = this.directories.map(({ directory }) => removeTree(directory)).every(Boolean);
    if (gone) this.leave();
    return gone;
  }

  /** Leaves it to later scripts to remove it. */
  leave(): void {
    this.#locks?.release();
    this.#locks = undefined;
  }

  #of(controller: Controller): GroupDirectory | undefined {
    return this.directories.find(({ controllers }) => controllers.has(controller));
  }

  #freezer(): GroupDirectory {
    const freezer = this.directories.find(({ version }) => version === 2) ?? this.#of("freezer");
    if (freezer !== undefined) return freezer;
    throw new UnsupportedError(
      'pausing a container takes cgroup v2, or the controller "freezer" of v1, and its group has ' +
        "neither",
    );
  }
}

/** The directories that this script has swept. */
const swept = perEngine(() => new Set<string>());

function sweepOnce(directory: string): void {
  if (swept().has(directory)) return;
  sweep(directory);
  swept().add(directory);
}

function entryOf(
  directories: readonly GroupDirectory[],
  open: (call: Call) => number,
): CgroupEntry {
  let into: Named | undefined;
  const files: Named[] = [];
  for (const { version, directory } of directories) {
    if (version === 2 && hasClone3()) {
      const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
      into = new Named(open(openat(at_fdcwd, directory, flags)), directory);
    } else {
      // In version 1 a process of one thread has a way without a lock that all forks of the machine
      // take, and that takes ten milliseconds (cgroup_procs_write_start(), kernel/cgroup/cgroup.c).
      const file = `${directory}/${version === 1 ? "tasks" : "cgroup.procs"}`;
      files.push(new Named(open(openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC)), file));
    }
  }
  return { directory: into, files };
}

/** Performs the actions in one program. A write that fails leaves its file open, which is closed here. */
function makeAll(actions: readonly CgroupAction[]): void {
  const made = actions.map((action) => ({ action, calls: callsOf(action) }));
  const parts = made.flatMap(({ action, calls }) => {
    // A process that has ended (ESRCH) need not be moved.
    const moves = "file" in action && action.file.endsWith("/cgroup.procs");
    return calls.map((call) => moves ? { call, accept: ["ESRCH"] as const } : { call });
  });
  const outcome = engine().run(assemble(parts, engine().architecture));
  const { failed } = outcome;
  if (failed === undefined) return;
  const { action, calls } = made.find(({ calls }) => calls.includes(failed.call))!;
  if (failed.call === calls[1]) syscall(close(Number(outcome.result(calls[0]!))));
  throw cgroupError(action, { syscall: failed.call.name, errno: failed.errno });
}

/** The actions in an order in which the sum of memory and swap is never less than the memory. */
function inOrder(actions: readonly SettingAction[]): readonly SettingAction[] {
  const sum = actions.find(({ file }) => file.endsWith("/memory.memsw.limit_in_bytes"));
  if (sum === undefined) return actions;
  const rest = actions.filter((action) => action !== sum);
  const grows = sum.text === "-1" || Number(sum.text) > readNumber(sum.file)!;
  return grows ? [sum, ...rest] : [...rest, sum];
}

/**
 * Reclaims memory until the new limit holds. Version 2 would kill processes to reach it; that is
 * refused here, as version 1 does.
 */
function makeRoom(action: SettingAction, memory: number): void {
  const directory = parentOf(action.file);
  const excess = () => (readNumber(`${directory}/memory.current`) ?? 0) - memory;
  if (excess() <= 0) return;
  const reclaim = `${directory}/memory.reclaim`;
  if (mayWrite(reclaim)) {
    // Not all of it may be reclaimed (EAGAIN), or not at once (EINTR).
    ifThere(() => writeFile(reclaim, String(excess())), ["EAGAIN", "EINTR"]);
  }
  if (excess() > 0) throw cgroupError(action, { syscall: "write", errno: ERRNO.EBUSY });
}
