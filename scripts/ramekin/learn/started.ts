/**
 * The program that is started: the launch executes it itself, which an audit does not see.
 *
 * @module
 */

import { environment } from "../../../host.ts";
import type { SandboxOptions, UsedFile } from "../../../mod.ts";
import { DEFAULT_PATH } from "../../../recipe/default_path.ts";
import { includesVariable } from "../../../recipe/variable_pattern.ts";
import { absolutePath } from "../flag_paths.ts";

/** The use of the program, by its name or path; none where it is not found. */
export function startedFile(
  program: string,
  { env = [], setEnv = {} }: SandboxOptions,
): readonly UsedFile[] {
  const inherited = includesVariable(env, "PATH") ? environment()["PATH"] : undefined;
  const search = setEnv["PATH"] ?? inherited ?? DEFAULT_PATH;
  const paths = program.includes("/")
    ? [absolutePath(program)]
    : search.split(":").map((directory) => `${directory}/${program}`);
  const path = paths.find(mayRun);
  return path === undefined ? [] : [{ use: "execute", path }];
}

/** Whether a path is of a file that somebody may execute. */
function mayRun(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && (mode! & 0o111) !== 0;
  } catch {
    return false;
  }
}
