/**
 * Where a path of the host leads to, with no symbolic link and no `..` left in it.
 *
 * @module
 */

import { directoryOf, nameOf, normalize } from "../recipe/path.ts";
import { Output } from "../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_PATH, openat, readlinkat } from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import { readStatx, statx, STATX_TYPE, statxOutput } from "../ffi/calls/statx.ts";
import { ifThere, NO_SUCH_PATH } from "../ffi/missing.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";

/** What a path leads to. */
export interface Place {
  /** The path without links; what is missing of it stands as it was written. */
  readonly path: string;
  /** What is there: `undefined` for nothing, or for what cannot be looked at. */
  readonly type: "directory" | "file" | "device" | "socket" | "pipe" | undefined;
}

const PATH_MAX = 4096;

const TYPES: Readonly<Record<number, Place["type"]>> = {
  0o010000: "pipe",
  0o020000: "device",
  0o040000: "directory",
  0o060000: "device",
  0o100000: "file",
  0o140000: "socket",
};

/**
 * Follows the path as the kernel does, links of /proc included. What has no path any more, such as
 * a pipe by /proc/self/fd, gives a text that does not begin with `/`.
 *
 * @param path begins with `/`
 */
export function resolve(path: string): Place {
  return open(path) ?? missing(path);
}

/** What leads nowhere: a path with a loop or a name too long, or through what is not the user's. */
const UNRESOLVED = [...NO_SUCH_PATH, "EACCES", "ELOOP", "ENAMETOOLONG"] as const;

function open(path: string): Place | undefined {
  const fd = ifThere(() => syscall(openat(at_fdcwd, path, O_PATH | O_CLOEXEC)), UNRESOLVED);
  if (fd === undefined) return undefined;
  try {
    const [target, told] = [new Output(PATH_MAX), statxOutput()];
    const link = readlinkat(at_fdcwd, `/proc/self/fd/${fd}`, target);
    const outcome = syscalls([
      { call: link },
      { call: statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, told) },
    ]);
    const { buffer, byteOffset } = outcome.output(target);
    const bytes = new Uint8Array(buffer, byteOffset, Number(outcome.result(link)));
    const { mode } = readStatx(outcome.output(told));
    return { path: new TextDecoder().decode(bytes), type: TYPES[mode & 0o170000] };
  } finally {
    syscall(close(fd));
  }
}

/** The part of the path that is there, with the rest behind it. */
function missing(path: string): Place {
  const normal = normalize(path);
  const name = nameOf(normal);
  // Behind what is missing, `..` leads nowhere either.
  if (normal === "/" || name === "..") return { path: normal, type: undefined };
  const directory = resolve(directoryOf(normal)).path;
  return { path: directory === "/" ? `/${name}` : `${directory}/${name}`, type: undefined };
}
