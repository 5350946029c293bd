/**
 * `ramekin cp`: copies files between this machine and a running container.
 *
 * @module
 */

import { type ContainerFiles, type CopyBounds, linux } from "../../mod.ts";
import { nameOf } from "../../recipe/path.ts";
import type { Arguments } from "./arguments.ts";
import { attachTo } from "./container_of.ts";
import { FileError } from "./file_error.ts";
import { ifThere } from "./files.ts";
import { printJson } from "./output.ts";
import { withProgress } from "./progress.ts";
import { bytesOf } from "./units.ts";
import { UsageError } from "./usage.ts";

/** A path in a container. */
interface Inside {
  readonly container: string;
  readonly path: string;
}

/** Copies them. */
export async function run(given: Arguments): Promise<number> {
  const [from, to] = given.operands.map(place) as [string | Inside, string | Inside];
  if (given.operands.includes("-")) {
    throw new UsageError(
      "- is no file: ramekin enter PID -- cat FILE writes one to the standard output; " +
        "a file of this name is ./-",
    );
  }
  if (typeof from === typeof to) {
    throw new UsageError(
      typeof from === "string"
        ? "neither is in a container: NAME:PATH is, with a pid or a name of ramekin ps"
        : "both are in containers; copy out of the one first, and then into the other",
    );
  }
  const bounds: CopyBounds = given.has("max-bytes")
    ? { maxBytes: bytesOf(given.value("max-bytes")!, "max-bytes") }
    : {};
  const inside = typeof from === "string" ? to as Inside : from;
  using container = attachTo(inside.container, given.has("any"));
  const fs = container.fs.as(given.has("root") ? "root" : "program");
  const copied = await withProgress(
    `copying ${given.operands[0]}`,
    async () =>
      typeof from === "string"
        ? await fs.copyIn(from, await targetIn(fs, inside.path, nameOf(from)), bounds)
        : await fs.copyOut(inside.path, targetHere(to as string, nameOf(inside.path)), bounds),
  );
  if (given.has("json")) printJson(copied);
  return 0;
}

/** Reads an operand; a path of this machine with a colon begins with `/` or `.`. */
function place(word: string): string | Inside {
  const at = word.indexOf(":");
  if (at <= 0 || /^[/.]/.test(word)) return word;
  const [container, path] = [word.slice(0, at), word.slice(at + 1)];
  if (!path.startsWith("/")) {
    throw new UsageError(`a path in a container begins with /: ${container}:/${path}`);
  }
  return { container, path };
}

/** As cp(1) has it: into a directory that exists, under the old name. */
async function targetIn(fs: ContainerFiles, path: string, name: string): Promise<string> {
  try {
    if (!(await fs.stat(path)).isDirectory) return path;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
  return below(path, name);
}

/** The same here, where an earlier copy may have left a link in the directory. */
function targetHere(path: string, name: string): string {
  if (typeOf(path) !== linux.S_IFDIR) return path;
  const target = below(path, name);
  if (typeOf(target, linux.AT_SYMLINK_NOFOLLOW) !== linux.S_IFLNK) return target;
  throw new FileError(`${target} is a symbolic link, and the copy would go to where it leads`, {
    advice: ["remove it, or name the file itself"],
  });
}

function typeOf(path: string, flags = 0): number {
  const mode = ifThere(() => linux.statx(linux.AT_FDCWD, path, flags).mode) ?? 0;
  return mode & linux.S_IFMT;
}

function below(directory: string, name: string): string {
  return directory.endsWith("/") ? `${directory}${name}` : `${directory}/${name}`;
}
