/**
 * What to do about a program that is not there.
 *
 * @module
 */

import { S_IFMT, S_IFREG } from "../ffi/calls/constants/files.ts";
import { AT_FDCWD } from "../ffi/calls/files.ts";
import { escapeControls } from "../ffi/control_characters.ts";
import { environmentVariable } from "../ffi/environment.ts";
import { SyscallError } from "../ffi/errors.ts";
import { getcwd, statx } from "../ffi/linux/directories.ts";
import { withoutDots } from "../recipe/path.ts";
import { unexpanded } from "../recipe/unexpanded.ts";

/** Returns what to do about a program that is not there, where it was looked for. */
export function missingHint(
  program: string,
  filesAt: "on this machine" | "in the container",
): string {
  const shells = unexpanded(program).slice(2);
  if (shells !== "") return shells;
  if (/\S\s+\S/.test(program)) {
    return "a blank is a part of the program's name; give arguments by themselves (args)";
  }
  if (filesAt === "on this machine") return "is it installed?";
  const path = hostPathOf(program);
  if (path === undefined) return "is it in the container's file tree?";
  const shown = escapeControls(path);
  return `${shown} is on this machine alone; bind() shows it in a recipe, and in a sandbox ` +
    `--allow-read=${shown}, or the option read`;
}

/** Where the program is on this machine, for who runs the script. */
function hostPathOf(program: string): string | undefined {
  const directories = program.includes("/")
    ? [undefined]
    : (environmentVariable("PATH") ?? "").split(":").filter((path) => path.startsWith("/"));
  try {
    for (const directory of directories) {
      const path = directory === undefined ? program : `${directory}/${program}`;
      if (isExecutable(path)) {
        return withoutDots(path.startsWith("/") ? path : `${getcwd()}/${path}`);
      }
    }
  } catch (error) {
    // That a hint is missing hides no error.
    if (!(error instanceof SyscallError)) throw error;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    const { mode } = statx(AT_FDCWD, path);
    return (mode & S_IFMT) === S_IFREG && (mode & 0o111) !== 0;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return false;
  }
}
