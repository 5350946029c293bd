/**
 * A group: the directories, one in each hierarchy, that limit the same processes and count for them.
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
import { SyscallError, UnsupportedError } from "../errors.ts";
import { syscall } from "../syscalls.ts";
import { assemble } from "../engine/program.ts";
import { denialOf } from "./errors.ts";
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
import { removeTree, sweep } from "./naming.ts";
import type { CgroupAction } from "./place.ts";
import { type Usage, usageOf } from "./usage.ts";

/** How a process gets into a group: descriptors that are opened for it. */
export interface CgroupEntry {
  /** The directory of version 2 that clone3(2) makes the process in. */
  readonly directory: Named | undefined;
  /** Files that the process writes "0" to, which stands for itself. */
  readonly files: readonly Named[];
}

/** How a process will get into a group that is not made yet: with descriptors that are none. */
export function planCgroupEntry({ directories }: CgroupPlan): CgroupEntry {
  return entranceOf(directories, () => -1);
}

/** Closes the descriptors of an cgroupEntry. */
export function closeCgroupEntry({ directory, files }: CgroupEntry): void {
  for (const { value } of directory === undefined ? files : [directory, ...files]) {
    syscall(close(Number(value)));
  }
}

/** A group that has been made. */
export class Group {
  /** Its directories. */
  readonly directories: readonly GroupDirectory[];
  #limits: GroupLimits;

  /** Use {@linkcode Group.make}. */
  constructor(directories: readonly GroupDirectory[], limits: GroupLimits) {
    this.directories = directories;
    this.#limits = limits;
  }

  /**
   * Makes a group. For the first time, the groups of scripts that are gone are removed before.
   *
   * @throws {SyscallError} naming the file that says no; then nothing is left
   * @throws {UnsupportedError} where the kernel does not have that file
   */
  static make({ directories, limits, acts }: CgroupPlan): Group {
    for (const { directory } of directories) sweepOnce(parentOf(directory));
    const group = new Group(directories, limits);
    try {
      makeAll(acts);
    } catch (error) {
      group.remove();
      throw error;
    }
    return group;
  }

  /**
   * Opens what a process needs to get in.
   *
   * @throws {SyscallError} where no more files may be open
   */
  enter(): CgroupEntry {
    const opened: number[] = [];
    try {
      return entranceOf(this.directories, (call) => {
        opened.push(syscall(call));
        return opened.at(-1)!;
      });
    } catch (error) {
      for (const fd of opened) syscall(close(fd));
      throw error;
    }
  }

  /**
   * Changes limits; those that are left out stay.
   *
   * @throws {UnsupportedError} where the group has not the controller
   * @throws {SyscallError} naming the file that says no: `EBUSY` below what is in use
   */
  update(changes: GroupLimits): void {
    const limits = { ...this.#limits, ...changes };
    // Version 1 limits the sum of memory and swap, which changes with either.
    const sum = this.#of("memory")?.version === 1 && limits.swap !== undefined &&
      changes.memory !== undefined;
    const names = limitsIn(sum ? { ...changes, swap: limits.swap! } : changes);
    for (const act of inOrder(settingActions(this.directories, names, limits))) {
      if (act.file.endsWith("/memory.max")) makeRoom(act, limits.memory!);
      makeAll([act]);
    }
    this.#limits = limits;
  }

  /** What its processes use, and have used. */
  usage(): Usage {
    return usageOf(this.directories);
  }

  /** How many of its processes were killed because memory was short. */
  outOfMemoryKills(): number {
    const place = this.#of("memory");
    if (place === undefined) return 0;
    const file = place.version === 2 ? "memory.events" : "memory.oom_control";
    return readEntry(`${place.directory}/${file}`, "oom_kill") ?? 0;
  }

  /** Begins to freeze its processes, or lets them go on. */
  freeze(frozen: boolean): void {
    const { directory, version } = this.#freezer();
    if (version === 2) writeFile(`${directory}/cgroup.freeze`, frozen ? "1" : "0");
    else writeFile(`${directory}/freezer.state`, frozen ? "FROZEN" : "THAWED");
  }

  /** Whether all of its processes are frozen. */
  get frozen(): boolean {
    const { directory, version } = this.#freezer();
    return version === 2
      ? readEntry(`${directory}/cgroup.events`, "frozen") === 1
      : readFile(`${directory}/freezer.state`) === "FROZEN";
  }

  /** Kills whoever is in it, frozen or not. */
  kill(): void {
    killGroup(this.directories);
  }

  /** Removes it; answers whether nothing is left, as nobody was in it. */
  remove(): boolean {
    return this.directories.map(({ directory }) => removeTree(directory)).every((gone) => gone);
  }

  #of(controller: Controller): GroupDirectory | undefined {
    return this.directories.find(({ controllers }) => controllers.has(controller));
  }

  #freezer(): GroupDirectory {
    const place = this.directories.find(({ version }) => version === 2) ?? this.#of("freezer");
    if (place !== undefined) return place;
    throw new UnsupportedError(
      'a container is paused by cgroup v2, or by the controller "freezer" of v1, and its group ' +
        "has neither",
    );
  }
}

/** The directories that were swept: once by each script is enough. */
const swept = perEngine(() => new Set<string>());

function sweepOnce(directory: string): void {
  if (swept().has(directory)) return;
  sweep(directory);
  swept().add(directory);
}

function entranceOf(
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
      const file = `${directory}/cgroup.procs`;
      files.push(new Named(open(openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC)), file));
    }
  }
  return { directory: into, files };
}

/** Does all of it in one program; a write that fails leaves its file open, to be closed here. */
function makeAll(acts: readonly CgroupAction[]): void {
  const made = acts.map((act) => ({ act, calls: callsOf(act) }));
  const parts = made.flatMap(({ act, calls }) => {
    // A process that has ended need not be moved any more.
    const moves = "file" in act && act.file.endsWith("/cgroup.procs");
    return calls.map((call) => moves ? { call, accept: ["ESRCH"] as const } : { call });
  });
  const outcome = engine().run(assemble(parts, engine().architecture));
  const { failed } = outcome;
  if (failed === undefined) return;
  const { act, calls } = made.find(({ calls }) => calls.includes(failed.call))!;
  if (failed.call === calls[1]) syscall(close(Number(outcome.result(calls[0]!))));
  throw denialOf(act, { syscall: failed.call.name, errno: failed.errno });
}

/** The sum of memory and swap may at no time be less than the memory. */
function inOrder(acts: readonly SettingAction[]): readonly SettingAction[] {
  const sum = acts.find(({ file }) => file.endsWith("/memory.memsw.limit_in_bytes"));
  if (sum === undefined) return acts;
  const rest = acts.filter((act) => act !== sum);
  const grows = sum.text === "-1" || Number(sum.text) > readNumber(sum.file)!;
  return grows ? [sum, ...rest] : [...rest, sum];
}

/** Version 2 kills processes to get below a new limit; this is refused here, as version 1 does. */
function makeRoom(act: SettingAction, memory: number): void {
  const directory = parentOf(act.file);
  const excess = () => (readNumber(`${directory}/memory.current`) ?? 0) - memory;
  if (excess() <= 0) return;
  const reclaim = `${directory}/memory.reclaim`;
  if (mayWrite(reclaim)) {
    try {
      writeFile(reclaim, String(excess()));
    } catch (error) {
      // EAGAIN: not all could be given back.
      if (!(error instanceof SyscallError)) throw error;
    }
  }
  if (excess() > 0) throw denialOf(act, { syscall: "write", errno: ERRNO.EBUSY });
}
