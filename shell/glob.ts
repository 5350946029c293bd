/**
 * Names of files by patterns, in place of a shell's.
 *
 * @module
 */

import { pathOf } from "../container/command_paths.ts";
import { at_fdcwd, F_OK, faccessat, S_IFDIR } from "../ffi/calls/files.ts";
import type { DirectoryEntry } from "../ffi/calls/getdents.ts";
import { entriesIn } from "../ffi/files/read_dir.ts";
import { ifThere } from "../ffi/missing.ts";
import { syscall } from "../ffi/syscalls.ts";

/** Options of {@linkcode glob}. */
export interface GlobOptions {
  /**
   * The directory in which a relative pattern begins.
   *
   * @default {"."}
   */
  readonly cwd?: string | URL;
  /**
   * Whether names that begin with a dot match too, where the pattern does not say the dot itself.
   *
   * @default {false}
   */
  readonly dot?: boolean;
}

/**
 * Returns the files of the script's machine that match a pattern, in order; none if there is no match.
 * `*` and `?` stand for characters of a name, `[a-z]` for one of them, `**` for any directories, over
 * no symbolic links. A name that a program would take for an option begins with `./`.
 *
 * @throws {SyscallError} if a directory of the pattern cannot be read
 *
 * @example
 * ```ts
 * import { $, glob } from "@ramekin/ramekin/shell";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(glob("/etc/pass*d"), ["/etc/passwd"]);
 * console.log(await $`wc -l ${glob("*.ts", { cwd: "/usr" })} /etc/passwd`.text()); // 20 /etc/passwd
 * ```
 */
export function glob(pattern: string, options: GlobOptions = {}): string[] {
  const search = new GlobSearch(pattern.startsWith("/") ? "/" : "", options);
  search.visit("", pattern.split("/").filter((part) => part !== ""));
  return [...search.found].sort().map((path) => path.startsWith("-") ? `./${path}` : path);
}

/** A search beneath the root, or beneath a directory. */
class GlobSearch {
  readonly found = new Set<string>();
  readonly #root: string;
  readonly #base: string;
  readonly #dot: boolean;

  constructor(root: "/" | "", { cwd = ".", dot = false }: GlobOptions) {
    this.#root = root;
    this.#base = root === "" ? `${pathOf(cwd)}/` : root;
    this.#dot = dot;
  }

  /** Finds what matches the parts of a pattern beneath a path; that ends with a slash, or is empty. */
  visit(path: string, [part, ...rest]: readonly string[]): void {
    if (part === undefined) return;
    if (part === "**") return this.#visitAll(path, rest.length === 0 ? ["*"] : rest);
    // What is no pattern need not be listed: /proc/self cannot be found in /proc.
    const names = /[*?[]/.test(part) ? this.#matches(path, part) : [part];
    for (const name of names) {
      if (rest.length > 0) this.visit(`${path}${name}/`, rest);
      else if (names[0] !== part || this.#exists(path + name)) {
        this.found.add(this.#root + path + name);
      }
    }
  }

  #visitAll(path: string, rest: readonly string[]): void {
    this.visit(path, rest);
    for (const { name, type } of this.#entries(path)) {
      const isHidden = name.startsWith(".") && !this.#dot;
      if (type === S_IFDIR && !isHidden) this.#visitAll(`${path}${name}/`, rest);
    }
  }

  #matches(path: string, part: string): readonly string[] {
    const expression = expressionOf(part);
    const hidden = this.#dot || part.startsWith(".");
    return this.#entries(path).map(({ name }) => name)
      .filter((name) => expression.test(name) && (hidden || !name.startsWith(".")));
  }

  #entries(path: string): readonly DirectoryEntry[] {
    return ifThere(() => entriesIn(this.#base + path), ["ENOENT", "ENOTDIR"]) ?? [];
  }

  #exists(path: string): boolean {
    const call = faccessat(at_fdcwd, this.#base + path, F_OK);
    return ifThere(() => syscall(call), ["ENOENT", "ENOTDIR"]) !== undefined;
  }
}

/** Returns the regular expression of a pattern for a name (glob(7)). */
function expressionOf(part: string): RegExp {
  const source = part.replace(
    /\*|\?|\[([!^]?)(\]?[^\]]*)\]|[\\^$.+()[\]{}|]/g,
    (char, not, set) => {
      if (char === "*") return ".*";
      if (char === "?") return ".";
      if (set === undefined) return `\\${char}`;
      return `[${not === "" ? "" : "^"}${set.replace(/[\\\]^]/g, "\\$&")}]`;
    },
  );
  return new RegExp(`^${source}$`, "s");
}
