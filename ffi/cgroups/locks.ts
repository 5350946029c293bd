/**
 * Locks on groups (flock(2)), which tell whether the script of a group has ended: the kernel
 * releases them with the process, and every pid namespace sees them.
 *
 * @module
 */

import { type Call, ResultOf } from "../call.ts";
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
import { engine } from "../engine/engine.ts";
import { assemble, Label } from "../engine/program.ts";
import type { ErrnoName } from "../errno.ts";
import { checkResult, syscalls } from "../syscalls.ts";

/** Locks that are held. */
export class Locks {
  #held: readonly number[];

  private constructor(held: readonly number[]) {
    this.#held = held;
  }

  /**
   * Locks the groups of a script, as long as it lives.
   *
   * @throws {SyscallError} if no more files may be open
   */
  static ofScript(groups: readonly string[]): Locks {
    return new Locks(lock(groups, LOCK_SH));
  }

  /**
   * Keeps others from removing groups without a script from directories, while this script makes
   * its own there. Anybody can hold such a lock, so it is waited for no longer than a moment.
   *
   * @throws {SyscallError} if no more files may be open
   */
  static ofMaking(directories: readonly string[]): Locks {
    const files = directories.map(entrance);
    let held = lock(files, LOCK_SH);
    for (let tries = 0; held.length < files.length && tries < TRIES; tries++) {
      syscalls([{ call: ppoll([], 1), accept: ["EINTR"] }]);
      closeAll(held);
      held = lock(files, LOCK_SH);
    }
    return new Locks(held);
  }

  /** Keeps others from making groups in a directory; `undefined` where somebody makes one. */
  static ofSweeping(directory: string): Locks | undefined {
    return Locks.#alone(entrance(directory));
  }

  /** Locks a group, unless a script has locked it. */
  static ofLeft(group: string): Locks | undefined {
    return Locks.#alone(group);
  }

  static #alone(path: string): Locks | undefined {
    const held = lock([path], LOCK_EX);
    return held.length === 0 ? undefined : new Locks(held);
  }

  /** Releases them. */
  release(): void {
    closeAll(this.#held);
    this.#held = [];
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

/** Opens and locks those files with which that is possible at once. */
function lock(paths: readonly string[], operation: number): number[] {
  const tried = paths.map((path) => {
    const opened = openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC);
    return { opened, locked: flock(new ResultOf(opened, "fd"), operation | LOCK_NB) };
  });
  const program = assemble(
    tried.flatMap(({ opened, locked }) => {
      const [closing, next] = [new Label("closing"), new Label("next")];
      return [
        { call: opened, accept: NOT_LOCKED, onAccepted: next, onFailure: next },
        { call: locked, accept: NOT_LOCKED, onZero: next, onFailure: closing },
        closing,
        { call: close(new ResultOf(opened, "fd")) },
        next,
      ];
    }),
    engine().architecture,
  );
  const outcome = engine().run(program);
  // A call that was not made has the result 0 too.
  const held = tried.flatMap(({ opened, locked }) => {
    const fd = Number(outcome.result(opened));
    return fd >= 0 && outcome.result(locked) === 0n ? [fd] : [];
  });
  if (outcome.failed !== undefined) closeAll(held);
  checkResult(outcome);
  return held;
}

function closeAll(fds: readonly number[]): void {
  const calls: readonly Call[] = fds.map((fd) => close(fd));
  syscalls(calls.map((call) => ({ call })));
}
