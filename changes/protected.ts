/**
 * What a change is not made of unless that is asked for: files that are run or trusted later by their
 * names, and those that the sandbox was denied.
 *
 * @module
 */

import { isWithin } from "../recipe/path.ts";
import { HOME_NAMES, PROTECTED_NAMES } from "../recipe/protected_names.ts";

/** What is protected. */
export interface Protection {
  /** The names, as `protect()` takes them. */
  readonly names: readonly string[];
  /** Paths of the host, with all that is in them. */
  readonly paths: readonly string[];
  /** The home directory. */
  readonly home: string | undefined;
}

/** The names that an option of `sandbox()` stands for. */
export function protectedNames(option: boolean | readonly string[] = true): readonly string[] {
  if (option === false) return [];
  return option === true ? PROTECTED_NAMES : option;
}

/**
 * Returns the name or path by which a file is protected. Upper and lower case count as the same, as
 * they do on some filesystems.
 */
export function protectedBy(path: string, { names, paths, home }: Protection): string | undefined {
  const denied = paths.find((denied) => isWithin(path, denied));
  if (denied !== undefined) return denied;
  const folded = `${path.toLowerCase()}/`;
  return names.find((name) => {
    const own = name.startsWith("~/") ? name.slice(2) : name;
    // Where it is in another directory, nothing reads it.
    if (own !== name || HOME_NAMES.includes(name)) {
      return home !== undefined && folded.startsWith(`${home}/${own}/`.toLowerCase());
    }
    return folded.includes(`/${own.toLowerCase()}/`);
  });
}
