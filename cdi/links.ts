/**
 * The links that hooks make. In a sandbox their place is among files of this machine, where it makes
 * none: what a link leads to is shown by the link's name.
 *
 * @module
 */

import { AT_FDCWD, S_IFBLK, S_IFCHR, S_IFMT } from "../ffi/calls/files.ts";
import type { Statx } from "../ffi/calls/statx.ts";
import { statx } from "../ffi/linux/directories.ts";
import { ifThere } from "../ffi/missing.ts";
import { isWithin, withoutDots } from "../recipe/path.ts";

/** What a link leads to. */
export interface LinkedFile {
  readonly source: string;
  /** Whether this is a device. */
  readonly device: boolean;
  /** What this machine has by the link's name: the same file, none, or another one. */
  readonly place: "there" | "free" | "taken";
  /** The directory of this machine in which the sandbox makes room for the name, in memory. */
  readonly overlay?: string;
}

/** Returns what is shown by the name of a link; `undefined` where it leads nowhere. */
export function linkedFile(target: string, path: string): LinkedFile | undefined {
  const directory = path.slice(0, path.lastIndexOf("/"));
  const file = withoutDots(target.startsWith("/") ? target : `${directory}/${target}`);
  const status = found(file);
  if (status === undefined) return;
  const device = isWithin(path, "/dev") && [S_IFCHR, S_IFBLK].includes(status.mode & S_IFMT);
  const there = found(path);
  const isThere = there?.ino === status.ino && there.dev === status.dev;
  const room = there === undefined && !device ? roomFor(directory) : undefined;
  return {
    source: file,
    device,
    place: isThere ? "there" : there === undefined ? "free" : "taken",
    ...(room !== undefined && { overlay: room }),
  };
}

/** Programs and libraries lie where nothing can be made, but for in memory. */
function roomFor(directory: string): string | undefined {
  for (let at = directory; isWithin(at, "/usr"); at = at.slice(0, at.lastIndexOf("/"))) {
    if (found(at) !== undefined) return at;
  }
  return undefined;
}

/** Returns what is known of a file, links followed; `undefined` where there is none. */
export function found(path: string): Statx | undefined {
  return ifThere(() => statx(AT_FDCWD, path));
}
