/**
 * Locks on groups (flock(2)), which tell whether the script of a group has ended: the kernel
 * releases them with the process, and every pid namespace sees them.
 *
 * @module
 */

import { ResultOf } from "../call.ts";
import {
  at_fdcwd,
  close,
  flock,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  O_CLOEXEC,
  O_RDONLY,
  openat,
} from "../calls/files.ts";
import { ppoll } from "../calls/processes.ts";
import { END, Label } from "../engine/program.ts";
import type { ErrnoName } from "../errno.ts";
import { syscall, syscalls } from "../syscalls.ts";

/** Locks that are held. */
export class Locks {
  readonly #held: number[] = [];

  private constructor() {}

  /** Locks the groups of a script, as long as it lives. */
  static ofScript(groups: readonly string[]): Locks {
    return Locks.#each(groups, (group) => lock(group, LOCK_SH));
  }

  /**
   * Keeps others from removing groups without a script from directories, while this script makes
   * its own there. Anybody can hold such a lock, so it is waited for no longer than a moment.
   */
  static ofMaking(directories: readonly string[]): Locks {
    return Locks.#each(directories, (directory) => {
      let fd = lock(entrance(directory), LOCK_SH);
      for (let tries = 0; fd === undefined && tries < TRIES; tries++) {
        syscalls([{ call: ppoll([], 1), accept: ["EINTR"] }]);
        fd = lock(entrance(directory), LOCK_SH);
      }
      return fd;
    });
  }

  /** Keeps others from making groups in a directory; `undefined` where somebody makes one. */
  static ofSweeping(directory: string): Locks | undefined {
    return Locks.#alone(entrance(directory));
  }

  /** Locks a group, unless a script has locked it. */
  static ofLeft(group: string): Locks | undefined {
    return Locks.#alone(group);
  }

  static #each(paths: readonly string[], take: (path: string) => number | undefined): Locks {
    const locks = new Locks();
    try {
      for (const path of paths) locks.#add(take(path));
      return locks;
    } catch (error) {
      locks.release();
      throw error;
    }
  }

  static #alone(path: string): Locks | undefined {
    const fd = lock(path, LOCK_EX);
    if (fd === undefined) return undefined;
    const locks = new Locks();
    locks.#add(fd);
    return locks;
  }

  #add(fd: number | undefined): void {
    if (fd !== undefined) this.#held.push(fd);
  }

  /** Releases them. */
  release(): void {
    for (const fd of this.#held.splice(0)) syscall(close(fd));
  }

  /** Releases them at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** How often a lock is tried, a millisecond apart. */
const TRIES = 50;

/**
 * What is locked while groups are made in a directory. Not the directory itself: that can be the
 * group of a container, which its script has locked.
 */
function entrance(directory: string): string {
  return `${directory}/cgroup.procs`;
}

/** The errnos of what is gone, another user's, or locked. */
const NOT_LOCKED: readonly ErrnoName[] = ["ENOENT", "ENODEV", "EACCES", "EAGAIN"];

/** Opens and locks a file, if that is possible at once. */
function lock(path: string, operation: number): number | undefined {
  const opened = openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC);
  const fd = new ResultOf(opened, "fd");
  const locked = flock(fd, operation | LOCK_NB);
  const closing = new Label("closing");
  const outcome = syscalls([
    { call: opened, accept: NOT_LOCKED, onAccepted: END },
    { call: locked, accept: NOT_LOCKED, onZero: END, onFailure: closing },
    closing,
    { call: close(fd) },
  ]);
  return outcome.result(locked) === 0n ? Number(outcome.result(opened)) : undefined;
}
