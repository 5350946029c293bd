/**
 * Where many symbolic links point, in few turns of the engine.
 *
 * @module
 */

import { Output } from "../call.ts";
import { at_fdcwd, readlinkat } from "../calls/files.ts";
import { syscalls } from "../syscalls.ts";

/** How many are read in one turn. */
const AT_ONCE = 256;
/** A link of /proc that is no path is short; a path may be cut off. */
const LONGEST = 128;

/**
 * Where each link points, by its path: at most 128 bytes of it. One that is gone, or may not be
 * read, has `undefined`.
 */
export function readLinks(paths: readonly string[]): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  for (let start = 0; start < paths.length; start += AT_ONCE) {
    found.push(...readSome(paths.slice(start, start + AT_ONCE)));
  }
  return found;
}

function readSome(paths: readonly string[]): (string | undefined)[] {
  const links = paths.map((path) => {
    const target = new Output(LONGEST, "&target");
    return { target, call: readlinkat(at_fdcwd, path, target) };
  });
  const accept = ["ENOENT", "EACCES", "ESRCH", "EPERM", "ENOTDIR", "EINVAL"] as const;
  const outcome = syscalls(links.map(({ call }) => ({ call, accept })));
  const decoder = new TextDecoder();
  return links.map(({ target, call }) => {
    const length = Number(outcome.result(call));
    if (length <= 0) return undefined;
    const { buffer, byteOffset } = outcome.output(target);
    return decoder.decode(new Uint8Array(buffer, byteOffset, length));
  });
}
