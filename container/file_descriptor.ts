/**
 * The descriptor of an open file of Deno's, which Deno tells nobody.
 *
 * @module
 */

import { AT_EMPTY_PATH } from "../ffi/calls/constants/at.ts";
import { F_GETFL, fcntl, lseek, O_RDONLY, O_WRONLY, SEEK_CUR } from "../ffi/calls/files.ts";
import {
  readStatx,
  type Statx,
  statx,
  STATX_BASIC_STATS,
  statxOutput,
} from "../ffi/calls/statx.ts";
import { namesIn } from "../ffi/files/read_dir.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";

/**
 * Returns the descriptor of an open file: the one with its device and inode, and if there are several,
 * the one whose offset moves with the file's. Pipes and devices have no offset: those of the same file
 * that can be read, or written, are alike.
 *
 * @throws {TypeError} if it cannot be found
 * @throws {Deno.errors.BadResource} if it is closed
 */
export function descriptorOf(file: { close(): void }, use: "read" | "write"): number {
  const standard = [Deno.stdin, Deno.stdout, Deno.stderr].findIndex((stream) => stream === file);
  if (standard !== -1) return standard;
  const open = file as Deno.FsFile;
  const { dev, ino } = open.statSync();
  const same = namesIn("/proc/self/fd").map(Number).filter((fd) => {
    const status = statusOf(fd);
    return status !== undefined && Number(status.ino) === ino && status.dev === dev;
  });
  const [first] = same;
  if (first === undefined) throw new TypeError("the file is not one of this process's open files");
  if (same.length === 1) return first;
  return same.find((fd) => movesWith(fd, open)) ?? same.find((fd) => isFor(fd, use)) ?? first;
}

/** The part of a descriptor's flags that says how it was opened (open(2)). */
const O_ACCMODE = 3;

/** Whether a descriptor can be read, or written. */
function isFor(fd: number, use: "read" | "write"): boolean {
  const mode = syscall(fcntl(fd, F_GETFL, 0)) & O_ACCMODE;
  return mode !== (use === "read" ? O_WRONLY : O_RDONLY);
}

/** Whether the offset of the descriptor is that of the file: duplicates have it in common too. */
function movesWith(fd: number, file: Deno.FsFile): boolean {
  const before = offsetOf(fd);
  if (before < 0) return false;
  try {
    file.seekSync(1, Deno.SeekMode.Current);
    return offsetOf(fd) === before + 1;
  } finally {
    file.seekSync(-1, Deno.SeekMode.Current);
  }
}

function offsetOf(fd: number): number {
  const call = lseek(fd, 0, SEEK_CUR);
  return Number(syscalls([{ call, accept: ["ESPIPE", "EINVAL"] }]).result(call));
}

/** The status of a descriptor; `undefined` if it was closed in the meantime. */
function statusOf(fd: number): Statx | undefined {
  const stat = statxOutput();
  const call = statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, stat);
  const outcome = syscalls([{ call, accept: ["EBADF"] }]);
  return outcome.result(call) < 0n ? undefined : readStatx(outcome.output(stat));
}
