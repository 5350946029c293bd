/**
 * Where detached containers are recorded: in `ramekin-detached` of the user's runtime directory,
 * which nobody else reads or writes. The OCI runtime has `ramekin` beside it.
 *
 * @module
 */

import { ifThere } from "../ffi/missing.ts";
import { environmentVariable } from "../ffi/environment.ts";
import { linux, RamekinError } from "../mod.ts";

const NAME = "ramekin-detached";

const ADVICE = "set XDG_RUNTIME_DIR to a directory of yours that nobody else writes (mode 0700)";

/** The directory, if it is there and can be trusted: of this user, and closed to all others. */
export function findRecords(): string | undefined {
  const place = runtimeDirectory();
  const path = place === undefined || whyNot(place) !== undefined ? undefined : `${place}/${NAME}`;
  return path === undefined || whyNotOwn(path) !== undefined ? undefined : path;
}

/**
 * Returns the directory, which is made where there is none.
 *
 * @throws {RamekinError} if this user has no runtime directory, or it is open to others
 */
export function makeRecords(): string {
  const place = runtimeDirectory();
  if (place === undefined) {
    throw new RamekinError(`there is no runtime directory of this user's; ${ADVICE}`);
  }
  const wrong = whyNot(place);
  if (wrong !== undefined) {
    throw new RamekinError(`the runtime directory ${place} ${wrong}; ${ADVICE}`);
  }
  const path = `${place}/${NAME}`;
  ifThere(() => linux.mkdirat(linux.AT_FDCWD, path, 0o700), ["EEXIST"]);
  const other = whyNotOwn(path);
  if (other === undefined) return path;
  throw new RamekinError(`${path}, where detached containers are recorded, ${other}; remove it`);
}

/** The directory of what is there until the user logs out, or the machine restarts. */
function runtimeDirectory(): string | undefined {
  const named = environmentVariable("XDG_RUNTIME_DIR");
  // The specification of the base directories says to ignore relative ones.
  if (named?.startsWith("/")) return named;
  const user = linux.geteuid();
  const usual = user === 0 ? "/run" : `/run/user/${user}`;
  return statusOf(usual) === undefined ? undefined : usual;
}

/** Whether it is a directory of this user's alone, and no link to one. */
export function isOwnDirectory(path: string): boolean {
  return whyNotOwn(path) === undefined;
}

/** Why another user could put a directory of theirs into it; `undefined` if none can. */
function whyNot(path: string): string | undefined {
  const found = statusOf(path);
  if (found === undefined) return "is not there, or no directory";
  if (found.uid !== linux.geteuid() && found.uid !== 0) return "is another user's";
  return (found.mode & OTHERS_WRITE) === 0 ? undefined : "can be written by other users";
}

/** Why the records are not this user's alone. */
function whyNotOwn(path: string): string | undefined {
  const found = statusOf(path, linux.AT_SYMLINK_NOFOLLOW);
  if (found === undefined) return "is not there, or no directory";
  if (found.uid !== linux.geteuid()) return "is another user's";
  return (found.mode & OTHERS) === 0 ? undefined : "is open to other users";
}

const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

function statusOf(path: string, flags = 0): linux.Statx | undefined {
  const found = ifThere(
    () => linux.statx(linux.AT_FDCWD, path, flags),
    ["ENOENT", "ENOTDIR", "EACCES"],
  );
  return found !== undefined && (found.mode & linux.S_IFMT) === linux.S_IFDIR ? found : undefined;
}
