/**
 * Why a process can make no group in a directory.
 *
 * @module
 */

import { readStatfs, statfs, statfsOutput } from "../calls/statfs.ts";
import { syscalls } from "../syscalls.ts";
import { mayWrite } from "./files.ts";

/** What is in the way, and what to do about it. */
export interface Denial {
  readonly why: string;
  /** The fix, unless it is that for the version of control groups. */
  readonly fix?: string;
}

/** The filesystems of control groups of version 1 and 2 (linux/magic.h). */
const CGROUP_SUPER_MAGIC = 0x27e0eb, CGROUP2_SUPER_MAGIC = 0x63677270;

/** ST_RDONLY (statfs(2)). */
const ST_RDONLY = 1;

/** Returns why a directory of groups, or a file in one, cannot be written; `undefined` if it can. */
export function denialIn(directory: string): Denial | undefined {
  const state = statfsOutput();
  const looked = statfs(directory, state);
  const outcome = syscalls([{ call: looked, accept: ["ENOENT", "ENOTDIR", "EACCES"] }]);
  if (outcome.result(looked) !== 0n) return outcome.result(looked) === NO_ACCESS ? DENIED : COVERED;
  const { type, flags } = readStatfs(outcome.output(state));
  if (type !== CGROUP_SUPER_MAGIC && type !== CGROUP2_SUPER_MAGIC) return COVERED;
  if ((flags & ST_RDONLY) !== 0) return READ_ONLY;
  return mayWrite(directory) ? undefined : DENIED;
}

/** -EACCES. */
const NO_ACCESS = -13n;

const DENIED: Denial = { why: "belongs to another user" };

const COVERED: Denial = {
  why: "cannot be reached: something is mounted over it",
  fix: "unmount that (see /proc/self/mountinfo)",
};

const READ_ONLY: Denial = {
  why: "is read-only",
  fix: "mount it to be written; a container engine has to be asked for that",
};
