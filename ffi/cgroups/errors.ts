/**
 * Why the files of control groups say no.
 *
 * @module
 */

import { type ErrnoName, errnoName } from "../errno.ts";
import { SyscallError, UnsupportedError } from "../errors.ts";
import type { CgroupAction } from "./place.ts";

const BELOW_USE = "more than that is in use, and cannot be given back";

/** Words of a file's name and an errno, and what they mean. */
const DENIALS: readonly (readonly [file: RegExp, code: ErrnoName, hint: string])[] = [
  [/memory\.(memsw\.)?(limit_in_bytes|max)$/, "EBUSY", BELOW_USE],
  [/memory\.memsw\./, "EINVAL", "the sum of memory and swap is less than the memory alone"],
  [/subtree_control$/, "EBUSY", "a process has come into the group, whose groups are to have it"],
  [/cpu\.cfs_quota/, "EINVAL", "the group that this script is in has less time itself"],
  [/(io\.max|blkio\.throttle)/, "ENODEV", "there is no such block device"],
  [/(io\.max|blkio\.throttle)/, "EINVAL", "a whole disk can be limited, no partition of it"],
  [/cpuset\./, "EACCES", "the group that this script is in has not all of these processors"],
  [/cpuset\./, "EBUSY", "processes are in the group, and need some"],
];

/** What a kernel was made without whose controller has not this file. */
const PARTS: readonly (readonly [file: RegExp, part: string])[] = [
  [/memsw/, "does not count swap in cgroup v1: boot it with swapaccount=1"],
  [/memory\.swap/, "does not count swap: it needs CONFIG_SWAP"],
  [/cpu\.(max|cfs)/, "was made without CONFIG_CFS_BANDWIDTH"],
  [/(io\.max|blkio\.throttle)/, "was made without CONFIG_BLK_DEV_THROTTLING"],
];

/** The error of an act whose call has failed. */
export function denialOf(
  act: CgroupAction,
  { syscall, errno }: { readonly syscall: string; readonly errno: number },
): Error {
  const code = errnoName(errno);
  if (!("file" in act)) {
    const hint = code === "EAGAIN"
      ? "there are as many groups as cgroup.max.descendants allows"
      : undefined;
    return new SyscallError({ syscall, errno, call: `mkdir("${act.directory}")`, hint });
  }
  const { file, text } = act;
  if (code === "ENOENT" && syscall === "openat") {
    const part = PARTS.find(([name]) => name.test(file))?.[1] ?? "does not have it";
    return new UnsupportedError(`there is no ${file}: this kernel ${part}`);
  }
  const written = syscall === "write" ? `, ${JSON.stringify(text)}` : "";
  const call = `${syscall}(${JSON.stringify(file)}${written})`;
  const hint = DENIALS.find(([name, errno]) => name.test(file) && errno === code)?.[2];
  return new SyscallError({ syscall, errno, call, hint });
}
