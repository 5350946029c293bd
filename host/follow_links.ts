/**
 * The symbolic links on the way to a path of the host.
 *
 * @module
 */

import { isWithin, parentOf } from "../recipe/path.ts";
import { linkTarget, OWN_LINKS, resolvePath } from "./resolve_path.ts";

/** Where a path leads, and the symbolic links on the way. */
export interface FollowedLinks {
  /** The path without symbolic links. */
  readonly path: string;
  /** The paths of the links that were followed, each without links on the way to it. */
  readonly links: readonly string[];
}

/** The number of links that the kernel follows: MAXSYMLINKS of linux/namei.h. */
const MAX_LINKS = 40;

/** Follows the links of an absolute path one by one, as path_resolution(7) describes it. */
export function followLinks(path: string): FollowedLinks {
  const links: string[] = [];
  const rest = partsOf(path);
  let at = "/";
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    const here = name === ".." ? parentOf(at) : at === "/" ? `/${name}` : `${at}/${name}`;
    const target = name === ".." || OWN_LINKS.has(here) ? undefined : linkTarget(here);
    if (target === undefined) {
      at = here;
      continue;
    }
    if (links.push(here) > MAX_LINKS) return { path, links };
    if (isWithin(here, "/proc")) {
      // The text of a link of procfs need not be the path that it leads to (proc(5)).
      at = resolvePath(here).path;
    } else {
      if (target.startsWith("/")) at = "/";
      rest.push(...partsOf(target));
    }
  }
  return { path: at, links };
}

/** Returns the parts of a path, the last one first. */
function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".").reverse();
}
