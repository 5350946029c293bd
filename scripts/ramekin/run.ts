/**
 * `ramekin run`: runs a program in the container that a recipe makes.
 *
 * @module
 */

import type { PermissionOptions, Permissions } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { ask, canAsk, widened } from "./prompt.ts";
import { deniedPath } from "./flag_paths.ts";
import { deniedList, grantsOf, hasDenials, PERMISSION_FLAGS } from "./permission_flags.ts";
import { apart, apartAtTerminal, runProgram } from "./run_program.ts";
import { type RecipeFile, recipeFile } from "./recipe_file.ts";

/** Runs the program. */
export async function run(given: Arguments): Promise<number> {
  const path = given.operands[0]!;
  for (const kind of ["read", "write"] as const) {
    for (const denied of deniedList(given, kind)) deniedPath(denied, `--deny-${kind}=${denied}`);
  }
  const file = await recipeFile(path, given.values("set").map((setting) => setting!));
  let grants = permissionsFor(file, given);
  return await file.located(() =>
    runProgram(
      given.program,
      (program, options) =>
        grants === undefined
          ? apartAtTerminal(file.recipe, options).command(program, options)
          : apart(file.recipe).command(program, { ...options, permissions: grants }),
      (error) => {
        if (error.denied || !canAsk()) return false;
        const answer = ask(path, error);
        if (answer === "no") return false;
        grants = widened(grants as PermissionOptions, error, answer);
        return true;
      },
    )
  );
}

/** Data gets what the flags grant; code, which could do anything by itself, all unless there are flags. */
function permissionsFor({ isCode }: RecipeFile, given: Arguments): Permissions | undefined {
  const hasFlags = Object.values(PERMISSION_FLAGS).some(({ name }) => given.has(name));
  const getsAll = given.has("allow-all") || isCode && !hasFlags;
  return getsAll && !hasDenials(given) ? undefined : grantsOf(given, getsAll);
}
