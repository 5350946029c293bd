/**
 * Copies of changed files, each made under a number in a directory of its own, from where it is moved to
 * its place.
 *
 * @module
 */

import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../ffi/calls/constants/at.ts";
import { S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../ffi/calls/constants/files.ts";
import {
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_WRONLY,
} from "../ffi/calls/constants/open.ts";
import { call } from "../ffi/call.ts";
import { CallBatch } from "../ffi/call_batch.ts";
import { fchmod, fchmodat, ftruncate, lseek } from "../ffi/calls/files.ts";
import { engine } from "../ffi/engine/engine.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import type { Xattr } from "../ffi/files/overlay_notes.ts";
import { mknodat, statx, symlinkat } from "../ffi/linux/directories.ts";
import { openat, read as readInto, write } from "../ffi/linux/files.ts";
import { ifThere } from "../ffi/missing.ts";
import { syscall } from "../ffi/syscalls.ts";
import { isCopied } from "./compare.ts";
import { ChangesError } from "./errors.ts";
import type { JournalEntry } from "./journal.ts";

/** What a file becomes. */
export type NewState = NonNullable<JournalEntry["after"]>;

/** Where data and holes begin in a file: lseek(2). */
const [SEEK_SET, SEEK_DATA, SEEK_HOLE] = [0, 3, 4];
/** How much is copied by one call, which a thread of the pool makes. */
const [PIECE, SMALL] = [1 << 26, 1 << 16];
const MEMORY = 1 << 14;

/**
 * Makes a file.
 *
 * @param source its data, for a regular file
 * @throws {ChangesError} for a device
 */
export async function makeFile(
  directory: number,
  name: string,
  state: NewState,
  xattrs: readonly Xattr[],
  source: number | undefined,
): Promise<void> {
  const { mode, target } = state;
  switch (mode & S_IFMT) {
    case S_IFREG:
      return await makeRegular(directory, name, state, xattrs, source!);
    case S_IFLNK:
      symlinkat(target!, directory, name);
      setOwner(directory, name, state);
      break;
    case S_IFIFO:
    case S_IFSOCK:
      mknodat(directory, name, mode & S_IFMT | 0o600);
      setOwner(directory, name, state);
      setModeOfNew(directory, name, mode);
      break;
    default:
      throw new ChangesError("a device cannot be made on the host", { code: "invalid" });
  }
  syscall(call("utimensat", directory, name, times(state.mtime), AT_SYMLINK_NOFOLLOW));
}

/** Makes another name of a file. */
export function linkFile(directory: number, name: string, other: string): void {
  syscall(call("linkat", directory, other, directory, name, 0));
}

/** Gives an open file or directory its owner, attributes, permissions and time. */
export function setAttributes(
  fd: number,
  { uid, gid, mode, mtime }: NewState,
  xattrs: readonly Xattr[],
  setsTime: boolean,
): void {
  const before = statx(fd, "", AT_EMPTY_PATH);
  if (before.uid !== uid || before.gid !== gid) syscall(call("fchown", fd, uid, gid));
  for (const { name, value } of xattrs.filter(isCopied)) {
    const bytes = new Uint8Array(value);
    syscall(call("fsetxattr", fd, name, bytes, bytes.length, 0));
  }
  // A change of the owner takes set-user-ID bits away.
  syscall(fchmod(fd, mode & 0o7777));
  if (setsTime) syscall(call("utimensat", fd, null, times(mtime), 0));
}

async function makeRegular(
  directory: number,
  name: string,
  state: NewState,
  xattrs: readonly Xattr[],
  source: number,
): Promise<void> {
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  using file = openat(directory, name, flags, 0o600);
  await copyData(source, file.number, state.size);
  setAttributes(file.number, state, xattrs, true);
}

/** Copies the data of a file, and leaves its holes out. */
async function copyData(from: number, to: number, size: number): Promise<void> {
  using calls = new CallBatch(engine(), MEMORY);
  for (let at = 0; at < size;) {
    const data = seek(from, at, SEEK_DATA);
    if (data === undefined || data >= size) break;
    const end = Math.min(seek(from, data, SEEK_HOLE) ?? size, size);
    syscall(lseek(from, data, SEEK_SET));
    syscall(lseek(to, data, SEEK_SET));
    at = data;
    if (end - at <= SMALL) {
      copySmall(from, to, end - at);
      at = end;
    }
    while (at < end) {
      const index = calls.add("sendfile", [to, from, 0, Math.min(end - at, PIECE)]);
      const failure = await calls.run();
      const count = calls.result(index) ?? 0;
      calls.clear();
      if (failure !== undefined) {
        throw new SyscallError({ syscall: failure.name, errno: failure.errno });
      }
      if (count === 0) throw changedMeanwhile();
      at += count;
    }
  }
  syscall(ftruncate(to, size));
}

/** Copies data in this thread: another one takes longer to respond. */
function copySmall(from: number, to: number, size: number): void {
  const buffer = new Uint8Array(size);
  for (let read = 0; read < size;) {
    const count = readInto(from, buffer.subarray(read));
    if (count === 0) throw changedMeanwhile();
    read += count;
  }
  for (let rest = buffer; rest.length > 0;) rest = rest.subarray(write(to, rest));
}

function changedMeanwhile(): ChangesError {
  return new ChangesError("a file has become shorter while it was copied", {
    code: "in-use",
    advice: ["wait for the end of all containers that use the directory"],
  });
}

function seek(fd: number, at: number, whence: number): number | undefined {
  return ifThere(() => syscall(lseek(fd, at, whence)), ["ENXIO"]);
}

/**
 * Sets the mode of an open file, also of one that is open with O_PATH. By its name, a link that another
 * program has put in its place meanwhile would lead to any file of this user.
 */
export function setModeOf(fd: number, mode: number): void {
  syscall(fchmodat(AT_FDCWD, `/proc/self/fd/${fd}`, mode & 0o7777));
}

/** Sets the mode of what was made just now, if it still is what is there. */
function setModeOfNew(directory: number, name: string, mode: number): void {
  using file = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if ((statx(file, "", AT_EMPTY_PATH).mode & S_IFMT) !== (mode & S_IFMT)) throw replaced();
  setModeOf(file.number, mode);
}

function replaced(): ChangesError {
  return new ChangesError("a file was replaced by another program while it was made", {
    code: "in-use",
    advice: ["wait for the end of all programs that change the directory"],
  });
}

function setOwner(directory: number, name: string, { uid, gid }: NewState): void {
  const before = statx(directory, name, AT_SYMLINK_NOFOLLOW);
  if (before.uid === uid && before.gid === gid) return;
  syscall(call("fchownat", directory, name, uid, gid, AT_SYMLINK_NOFOLLOW));
}

/** The time of the last access stays as it is (UTIME_OMIT of linux/stat.h). */
const OMITTED = 0x3fff_fffen;

/** Two timespecs: of the last access, and of the last change. */
function times(mtime: string): Uint8Array<ArrayBuffer> {
  const nanoseconds = BigInt(mtime);
  const rest = ((nanoseconds % BILLION) + BILLION) % BILLION;
  const words = new BigInt64Array([0n, OMITTED, (nanoseconds - rest) / BILLION, rest]);
  return new Uint8Array(words.buffer);
}

const BILLION = 1_000_000_000n;

/** Whether an error says that a file may not be read, or a directory not be searched. */
export function isDenied(error: unknown): boolean {
  return error instanceof SyscallError && error.errno === ERRNO.EACCES;
}
