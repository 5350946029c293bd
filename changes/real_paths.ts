/**
 * Paths as changes have them: without symbolic links.
 *
 * @module
 */

import { O_CLOEXEC, O_PATH } from "../ffi/calls/constants/open.ts";
import { environmentVariable } from "../ffi/environment.ts";
import { open } from "../ffi/linux/files.ts";
import { ifThere } from "../ffi/missing.ts";
import { nameOf, normalize, parentOf } from "../recipe/path.ts";
import { pathOf } from "./place.ts";

/** The paths of the home directory, before a program could change any. */
export function homes(): readonly string[] {
  const home = environmentVariable("HOME");
  return home?.startsWith("/") ? pathsOf(home) : [];
}

/** A path, and where it leads: changes have paths without symbolic links. */
export function pathsOf(path: string): readonly string[] {
  const own = normalize(path);
  return [...new Set([own, withoutLinks(own)])];
}

/** Where a path leads, as far as it is there. */
function withoutLinks(path: string): string {
  if (path === "/") return path;
  const found = ifThere(() => open(path, O_PATH | O_CLOEXEC), UNREACHABLE);
  if (found === undefined) return joined(withoutLinks(parentOf(path)), nameOf(path));
  using opened = found;
  return pathOf(opened);
}

function joined(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

const UNREACHABLE = ["ENOENT", "ENOTDIR", "EACCES", "ELOOP"] as const;
