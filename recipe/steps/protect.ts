/**
 * The step `protect`: files that stay read-only by their names, in a directory that can be changed.
 *
 * @module
 */

import { climbs } from "../path.ts";
import { absolutePath, list, optional, type Schema, text, withDefaultOf } from "../schema.ts";
import { quoted } from "../shown.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Keeps files read-only by their names. */
export interface ProtectStep extends ProtectOptions {
  /** The name of the step. */
  readonly step: "protect";
  /** The directory of the host. */
  readonly source: string;
  /** Its path in the container. */
  readonly target: string;
}

/** Options of {@linkcode protect}. */
export interface ProtectOptions {
  /**
   * The names: of a file or directory (`".bashrc"`), or the end of its path (`".git/hooks"`); or a
   * path in the home directory alone (`"~/bin"`).
   *
   * @default {PROTECTED_NAMES}
   */
  readonly names?: readonly string[];
  /** Paths below the source that are not protected, though they end with such a name. */
  readonly except?: readonly string[];
}

/**
 * Keeps files of a directory that can be changed read-only by their names: those that other programs
 * run or trust later, such as .git/hooks, .bashrc and .vscode (`PROTECTED_NAMES`). Put it after the
 * `bind()` of the directory. Needs `unshare("mount")` before it.
 *
 * The names are looked for when the recipe is planned: in the directory and three levels below it, and
 * in the working directory and those around it, but not in node_modules. Upper and lower case count as
 * the same. What is found is mounted on itself, read-only, and so are the directories on the way, which
 * then cannot be moved away. Where a name is a symbolic link, or a directory on the way to it, neither
 * the link nor what it leads to can be changed; nor can what is linked to from within a directory of
 * such a name; and all of it by every path at which mounts of the host, or earlier steps, show it. Repositories of git are found by what is in them, however deep those of submodules and
 * worktrees are; what their configuration and the user's own includes, and the hooks that these name,
 * are protected too.
 *
 * Of the names that are missing, those that are read in any directory cannot be made in this one, nor
 * in the repository of the working directory, and those of git in no repository that is found: an
 * empty directory stands in their place on the host while the container runs. Nor can the rest of a
 * name be made that the path of the directory begins (`.claude`). Others can be made, such as .bashrc:
 * it is read in the home directory, and only there it cannot be made.
 *
 * It guards against what happens by itself later. It does not make a directory safe whose programs
 * are run on purpose: a Makefile, or a repository that the program has made. What is done outside
 * meanwhile is not held up, and a file that is replaced there is no longer read-only inside.
 *
 * A box looks for nothing: it protects the names that are directly in the directory. docs/boxes.md
 * says what that does not hold.
 *
 * A program that may mount in the container can undo it, and so can one that may make user namespaces,
 * as in those it may: `disableUserNamespaces()` and `capabilities({ keep: [] })` prevent that.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, for a file that has a
 * second name (a hard link), by which it could be changed, or where a plan would look in more than
 * 100,000 directories, or at as many paths that configurations of git name
 * @throws {SyscallError} when it is run: `ENOENT` and `ELOOP` where files that are found are gone, or
 * have become links, whenever the container is made, `ENOSYS` before Linux 5.12
 *
 * @example
 * ```ts
 * import { mapRoot, protect, recipe, unshare } from "@ramekin/ramekin";
 *
 * const names = [".bashrc", ".profile"];
 * const box = recipe(unshare("user", "mount"), mapRoot(), protect("/srv", "/srv", { names }));
 * console.log((await box.command("true").output()).success); // true
 * ```
 */
export function protect(
  source: string,
  target: string = source,
  options: ProtectOptions = {},
): ProtectStep {
  return { step: "protect", source, target, ...options };
}

/** A name, or the end of a path. */
export function protectedName(): Schema {
  return text({
    expected: "a name, or the end of a path",
    min: 1,
    max: 4095,
    pattern: "^[^/]",
    issue(name) {
      if (name.startsWith("/") || name.endsWith("/") || climbs(name)) {
        return `${quoted(name)} is no name, and no end of a path such as ".git/hooks"`;
      }
      return undefined;
    },
  });
}

/** What the data of `protect` may be. */
export const protectSchema: StepSchema<ProtectStep> = stepSchema("protect", () => ({
  source: absolutePath(),
  target: withDefaultOf(absolutePath(), "source"),
  names: optional(list(protectedName())),
  except: optional(list(absolutePath())),
}));
