/**
 * What git reads of the repositories in a directory, and what is not there yet.
 *
 * @module
 */

import { environmentVariable } from "../ffi/environment.ts";
import { geteuid } from "../ffi/linux/users.ts";
import { liveHost } from "../host/live_host.ts";
import { nameOf } from "../recipe/path.ts";
import { PRESENT_NAMES } from "../recipe/protected_names.ts";

/** A path that is missing, and the name by which it is protected. */
export interface MissingName {
  readonly path: string;
  readonly name: string;
}

/** As many directories as a plan looks in: with more of them no program has run. */
const MOST = 100_000;

/**
 * Returns the paths that are missing, and that a repository of the host would have git read: what its
 * configuration names (`core.hooksPath`, `include.path`), and what no bare repository's name tells.
 */
export function missingGitNames(
  directory: string,
  names: readonly string[],
): readonly MissingName[] {
  const ofGit = names.filter((name) => name.startsWith(".git/"));
  if (ofGit.length === 0) return [];
  const home = environmentVariable("HOME");
  const { missing } = liveHost().scanNames({
    directory,
    names: ofGit,
    absent: ofGit.filter((name) => !PRESENT_NAMES.includes(name)),
    present: ofGit.filter((name) => PRESENT_NAMES.includes(name)),
    ...(home?.startsWith("/") && { home }),
    except: [],
    uid: geteuid(),
    most: MOST,
  });
  return missing.map(({ path }) => ({
    path,
    name: ofGit.find((name) => nameOf(name) === nameOf(path)) ?? ".git/config",
  }));
}
