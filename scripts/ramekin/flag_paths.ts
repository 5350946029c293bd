/**
 * The paths of flags: `--allow-read=PATH`.
 *
 * @module
 */

import { linux, SyscallError } from "../../mod.ts";
import { suggestion } from "../../recipe/nearest.ts";
import { normalize } from "../../recipe/path.ts";
import { printError } from "./output.ts";
import { UsageError } from "./usage.ts";

const MISSING = ["ENOENT", "ENOTDIR"];

/** Returns the path from the root. Links, which an earlier program may have made, are left to the sandbox. */
export function absolutePath(path: string): string {
  // Deno's own flags take `..` by the words of the path too.
  return withoutClimbing(path.startsWith("/") ? path : `${Deno.cwd()}/${path}`);
}

/** The same for a file that must exist, by a flag. */
export function existingPath(path: string, flag: string): string {
  const whole = absolutePath(path);
  if (isMissing(whole)) throw new UsageError(`${flag}: ${missing(path)}`);
  return whole;
}

/** Whether there is certainly no such file. Deno.statSync() needs all permissions for /proc and /dev. */
function isMissing(path: string): boolean {
  try {
    linux.statx(linux.AT_FDCWD, path);
    return false;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return MISSING.includes(error.code);
  }
}

/** The same for what is denied: it may come later, so that a missing file is only told. */
export function deniedPath(path: string, flag: string): string {
  const whole = absolutePath(path);
  if (!isMissing(whole)) return whole;
  if (/^~|\$/.test(path)) throw new UsageError(`${flag}: ${missing(path)}`);
  const at = whole.lastIndexOf("/");
  printError(
    `ramekin: ${flag}: there is no such file now; it is denied if it comes` +
      suggestion(whole.slice(at + 1), namesIn(whole.slice(0, at) || "/")),
  );
  return whole;
}

/** Returns the names in a directory, none of one that may not be read. */
function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function missing(path: string): string {
  if (path.startsWith("~")) {
    return "there is no such file; a shell expands ~ only at the start of a word: write $HOME";
  }
  return path.includes("$")
    ? "there is no such file; a shell expands $ only outside of single quotes"
    : "there is no such file; make it first, or name its directory";
}

/** Returns the path with each `..` and the name before it left out. */
function withoutClimbing(path: string): string {
  const parts: string[] = [];
  for (const part of normalize(path).slice(1).split("/")) {
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}
