/**
 * What a change is not made of unless that is asked for: files that are run or trusted later by their
 * names, and those that the sandbox was denied.
 *
 * @module
 */

import { isWithin } from "../recipe/path.ts";
import { HOME_NAMES, PROTECTED_NAMES } from "../recipe/protected_names.ts";
import type { FileKind } from "./change.ts";
import type { MissingName } from "./git_names.ts";

/** What is protected. */
export interface Protection {
  /** The names, as `protect()` takes them. */
  readonly names: readonly string[];
  /** Paths of the host, with all that is in them. */
  readonly paths: readonly string[];
  /** Paths that are missing on the host, and protected. */
  readonly missing: readonly MissingName[];
  /** The paths of the home directory. */
  readonly homes: readonly string[];
}

/** The names that an option of `sandbox()` stands for. */
export function protectedNames(option: boolean | readonly string[] = true): readonly string[] {
  if (option === false) return [];
  return option === true ? PROTECTED_NAMES : option;
}

/**
 * Returns the name or path by which a file is protected. Upper and lower case count as the same, as
 * they do on some filesystems.
 *
 * What is made in place of a directory on the way to such a name counts as well: a link there leads to
 * names that nobody would tell, and a file in place of .git does so too.
 *
 * @param kind what the file becomes; `undefined` for one that is removed
 */
export function protectedBy(
  path: string,
  kind: FileKind | undefined,
  { names, paths, missing, homes }: Protection,
): string | undefined {
  const isOnTheWay = kind !== undefined && kind !== "directory";
  const isOf = (file: string, guarded: string) =>
    isWithin(file, guarded) || isOnTheWay && isWithin(guarded, file);
  const denied = paths.find((denied) => isOf(path, denied));
  if (denied !== undefined) return denied;
  const folded = path.toLowerCase();
  const named = names.find((name) => {
    const own = (name.startsWith("~/") ? name.slice(2) : name).toLowerCase();
    // Where it is in another directory, nothing reads it.
    if (name.startsWith("~/") || HOME_NAMES.includes(name)) {
      return homes.some((home) => isOf(folded, `${home.toLowerCase()}/${own}`));
    }
    if (`${folded}/`.includes(`/${own}/`)) return true;
    if (own.startsWith(".git/") && isInInnerRepository(folded, own.slice(".git/".length))) {
      return true;
    }
    return isOnTheWay && waysTo(own).some((way) => folded.endsWith(`/${way}`));
  });
  return named ?? missing.find((one) => isOf(path, one.path))?.name;
}

/** The directories on the way to a name. */
function waysTo(name: string): readonly string[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Whether this is the name, or below it, in a repository of a submodule or a worktree. */
function isInInnerRepository(path: string, name: string): boolean {
  const inner = /\/\.git\/(?:modules|worktrees)(\/.*)$/.exec(path);
  return inner !== null && `${inner[1]}/`.includes(`/${name}/`);
}
