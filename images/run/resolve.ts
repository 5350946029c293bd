/**
 * Where a path of an image leads, over the image's own links.
 *
 * @module
 */

import { posix } from "node:path";

/** The most links on a way, as the kernel has it. */
const LINKS = 40;

/** A path without links. */
export interface ResolvedPath {
  /** The path, from the root of the image. */
  readonly path: string;
  /** Whether the directory that it is in is there. */
  readonly hasParent: boolean;
}

/**
 * Follows a path within the files of an image, which do not change. What is missing stays as it is named:
 * images have links to what is there only when a service runs.
 *
 * @param root the directory of the image's files
 */
export function resolveInImage(root: string, path: string): ResolvedPath {
  let [at, rest, links] = ["/", partsOf(path), 0];
  let hasParent = true;
  while (rest.length > 0) {
    const [part, ...further] = rest as [string, ...string[]];
    const next = posix.join(at, part);
    const link = hasParent && links < LINKS ? linkAt(root + next) : undefined;
    if (link === undefined) {
      hasParent &&= further.length === 0 || isDirectory(root + next);
      [at, rest] = [next, further];
      continue;
    }
    links++;
    rest = [...partsOf(link), ...further];
    if (link.startsWith("/")) at = "/";
  }
  return { path: at, hasParent };
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function linkAt(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}
