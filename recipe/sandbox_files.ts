/**
 * The files that a sandbox is asked to show, by their paths in it.
 *
 * @module
 */

import { isWithin, normalize } from "./path.ts";
import type { SandboxOptions } from "./sandbox.ts";
import { optionError } from "./sandbox_option.ts";

/** What a program may do with a file. */
export type Access = "read" | "write";

/** A file or directory that a sandbox shows. */
export interface ShownFile {
  /** The option that asks for it. */
  readonly option: "read" | "write" | "tryRead" | "bind" | "overlay" | "tmpfs";
  /** Its path in the sandbox. */
  readonly path: string;
  /** Its path on this machine; for one in memory, that in the sandbox. */
  readonly source: string;
  /** What is done with the file of this machine. */
  readonly access: Access;
}

/** The files that a sandbox is asked to show, by their paths in it. */
export type ShownFiles = ReadonlyMap<string, ShownFile>;

/**
 * Returns the files, of which each path has one: what is to be written, or thrown away, is not only
 * read there.
 *
 * @throws {RecipeError} where a path has two, or lies where a program may have put links
 */
export function shownFiles(options: SandboxOptions): ShownFiles {
  const { read = [], write = [], tryRead = [], bind = [], overlay = [], tmpfs = [] } = options;
  const at = (option: ShownFile["option"], access: Access) => (given: string): ShownFile => {
    const path = normalize(given);
    return { option, path, source: path, access };
  };
  const files = new Map<string, ShownFile>();
  for (const file of [...tryRead.map(at("tryRead", "read")), ...read.map(at("read", "read"))]) {
    files.set(file.path, file);
  }
  const bound = bind.map(([source, target, mode]): ShownFile => ({
    ...at("bind", mode === "ro" ? "read" : "write")(target),
    source: normalize(source),
  }));
  const others = [
    ...write.map(at("write", "write")),
    ...overlay.map(at("overlay", "read")),
    ...bound,
    ...tmpfs.map(at("tmpfs", "read")),
  ];
  for (const file of others) {
    const other = files.get(file.path);
    if (other !== undefined && other.option !== file.option && !yields(other, file)) {
      refuse(file, `"${other.option}" has it too; name it in one of them`);
    }
    files.set(file.path, file);
  }
  for (const file of files.values()) checkPlace(file, files);
  return files;
}

/** Whether what is only read gives way. */
function yields({ option }: ShownFile, by: ShownFile): boolean {
  return (option === "read" || option === "tryRead") &&
    (by.option === "write" || by.option === "overlay");
}

/**
 * Refuses a place in a directory that the program may change, where an earlier one may have put a link
 * that leads the mount elsewhere, past what is denied. What is read or written there by its own path
 * is looked up in the sandbox, and an empty directory has nothing to hide.
 */
function checkPlace(file: ShownFile, files: ShownFiles): void {
  const { option } = file;
  const isBound = option === "bind" || option === "overlay";
  if (file.path === "/" && (isBound || option === "tmpfs")) {
    refuse(file, 'it is the root of the sandbox; "root" takes another one');
  }
  if (option === "tmpfs") return;
  for (const { option, path, access } of files.values()) {
    if (path === file.path || !isWithin(file.path, path) || access !== "write") continue;
    if (!isBound && option !== "bind") continue;
    refuse(
      file,
      `it is in ${path}, which the program may change, and could have put a link there; show it ` +
        "at a path outside of it",
    );
  }
}

function refuse({ option, path }: ShownFile, why: string): never {
  throw optionError(option, `${path} cannot be shown, as ${why}`);
}
