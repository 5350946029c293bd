/**
 * The directories whose changes are held.
 *
 * @module
 */

import { AT_EMPTY_PATH } from "../ffi/calls/constants/at.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from "../ffi/calls/constants/open.ts";
import { at_fdcwd, faccessat, fchmod, fchownat, W_OK, X_OK } from "../ffi/calls/files.ts";
import { SyscallError } from "../ffi/errors.ts";
import { mkdirat, statx } from "../ffi/linux/directories.ts";
import { open } from "../ffi/linux/files.ts";
import { geteuid } from "../ffi/linux/users.ts";
import { syscall } from "../ffi/syscalls.ts";
import { isWithin } from "../recipe/path.ts";
import { ChangesError } from "./errors.ts";
import { pathOf } from "./place.ts";

/** A directory that is held. */
export interface HeldDirectory {
  readonly path: string;
  /** Its name in the place. */
  readonly name: string;
}

/** Returns the path of a directory without symbolic links. */
export function checkedDirectory(path: string): string {
  let directory: string;
  try {
    using opened = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    directory = pathOf(opened);
    // The copies of new files are made in it.
    syscall(faccessat(at_fdcwd, directory, W_OK | X_OK));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    const why = REASONS[error.code];
    if (why === undefined) throw error;
    throw new ChangesError(`${path} ${why[0]}`, {
      code: "invalid",
      cause: error,
      advice: [why[1]],
    });
  }
  if (directory !== "/") return directory;
  throw new ChangesError("changes of / cannot be held, as there are other filesystems in it", {
    code: "invalid",
    advice: ["name the directories that are to be written"],
  });
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ["does not exist", "make it first"],
  ENOTDIR: ["is not a directory", "changes are held for whole directories; name the one it is in"],
  EACCES: ["is not this user's to write", "name the directories in it that are"],
  EROFS: ["is on a filesystem that is read-only", "nothing in it can be changed"],
};

/** The directories that lie in no other. */
export function outermost(paths: readonly string[]): readonly string[] {
  const all = [...new Set(paths)].sort();
  return all.filter((path) => !all.some((other) => other !== path && isWithin(path, other)));
}

/** Makes the upper and the work directory of a directory: an overlay has the mode of the upper one. */
export function makeHeld(place: string, path: string, name: string): HeldDirectory {
  using directory = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const upper = `${name}/upper`;
  for (const made of [name, upper, `${name}/work`]) mkdirat(directory, made, 0o700);
  using lower = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const { mode, uid, gid } = statx(lower, "", AT_EMPTY_PATH);
  if (geteuid() === 0) syscall(fchownat(directory.number, upper, uid, gid));
  using opened = open(`${place}/${upper}`, O_DIRECTORY | O_CLOEXEC);
  syscall(fchmod(opened.number, mode & 0o7777));
  return { path, name };
}
