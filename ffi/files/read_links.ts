/**
 * The targets of many symbolic links, read by few runs of the engine.
 *
 * @module
 */

import { Output } from "../call.ts";
import { at_fdcwd, readlinkat } from "../calls/files.ts";
import { syscalls } from "../syscalls.ts";

/** How many links are read by one run. */
const AT_ONCE = 256;
/** Links of /proc other than paths are short; a path may be truncated. */
const LONGEST = 128;
const NOT_READ = [
  "ENOENT",
  "EACCES",
  "ESRCH",
  "EPERM",
  "ENOTDIR",
  "EINVAL",
  "ENAMETOOLONG",
] as const;

/**
 * Returns the target of each link, at most 128 bytes of it; `undefined` for a link that does not
 * exist, or may not be read, or is one of /proc to a file whose path is longer than PATH_MAX.
 */
export function readLinks(paths: readonly string[]): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  for (let start = 0; start < paths.length; start += AT_ONCE) {
    found.push(...readBatch(paths.slice(start, start + AT_ONCE)));
  }
  return found;
}

function readBatch(paths: readonly string[]): (string | undefined)[] {
  const links = paths.map((path) => {
    const target = new Output(LONGEST, "&target");
    return { target, call: readlinkat(at_fdcwd, path, target) };
  });
  const outcome = syscalls(links.map(({ call }) => ({ call, accept: NOT_READ })));
  const decoder = new TextDecoder();
  return links.map(({ target, call }) => {
    const length = Number(outcome.result(call));
    if (length <= 0) return undefined;
    const { buffer, byteOffset } = outcome.output(target);
    return decoder.decode(new Uint8Array(buffer, byteOffset, length));
  });
}
