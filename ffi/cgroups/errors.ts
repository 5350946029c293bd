/**
 * Why the files of control groups refuse what is written to them.
 *
 * @module
 */

import { type ErrnoName, errnoName } from "../errno.ts";
import { SyscallError, UnsupportedError } from "../errors.ts";
import type { CgroupAction } from "./parents.ts";

const BELOW_USE = "more than that is in use, and cannot be reclaimed";

/** What an errno of a file means. */
const HINTS: readonly (readonly [file: RegExp, code: ErrnoName, hint: string])[] = [
  [/memory\.(memsw\.)?(limit_in_bytes|max)$/, "EBUSY", BELOW_USE],
  [/memory\.memsw\./, "EINVAL", "the sum of memory and swap is less than the memory alone"],
  [
    /subtree_control$/,
    "EBUSY",
    "a process is in the group, which cannot enable it for child groups then",
  ],
  [/cpu\.cfs_quota/, "EINVAL", "the parent group has a smaller quota"],
  [/(io\.max|blkio\.throttle)/, "ENODEV", "there is no such block device"],
  [/(io\.max|blkio\.throttle)/, "EINVAL", "only a whole disk can be limited, not a partition"],
  [/cpuset\./, "EACCES", "the parent group does not have all of these processors"],
  [/cpuset\./, "EBUSY", "the group has processes, which need a processor"],
];

/** What a kernel lacks whose controller does not have the file. */
const PARTS: readonly (readonly [file: RegExp, part: string])[] = [
  [/memsw/, "does not count swap in cgroup v1: boot it with swapaccount=1"],
  [/memory\.swap/, "does not count swap: it needs CONFIG_SWAP"],
  [/cpu\.(max|cfs)/, "was built without CONFIG_CFS_BANDWIDTH"],
  [/(io\.max|blkio\.throttle)/, "was built without CONFIG_BLK_DEV_THROTTLING"],
];

/** The error of an action whose call failed. */
export function cgroupError(
  action: CgroupAction,
  { syscall, errno }: { readonly syscall: string; readonly errno: number },
): Error {
  const code = errnoName(errno);
  if (!("file" in action)) {
    const hint = code === "EAGAIN"
      ? "there are as many groups as cgroup.max.descendants allows"
      : undefined;
    return new SyscallError({ syscall, errno, call: `mkdir("${action.directory}")`, hint });
  }
  const { file, text } = action;
  if (code === "ENOENT" && syscall === "openat") {
    const part = PARTS.find(([name]) => name.test(file))?.[1] ?? "does not have it";
    return new UnsupportedError(`there is no ${file}: this kernel ${part}`);
  }
  const written = syscall === "write" ? `, ${JSON.stringify(text)}` : "";
  const call = `${syscall}(${JSON.stringify(file)}${written})`;
  const hint = HINTS.find(([name, errno]) => name.test(file) && errno === code)?.[2];
  return new SyscallError({ syscall, errno, call, hint });
}
