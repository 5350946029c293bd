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
import { isDetached } from "./detach_flags.ts";
import { absolute, IMAGE_RUN_FLAGS } from "./image_flags.ts";
import { reportOf } from "./status_fd.ts";
import { UsageError } from "./usage.ts";
import { verboseOf } from "./verbose.ts";

/** Runs the program. */
export async function run(given: Arguments): Promise<number> {
  const path = given.operands[0];
  if (given.has("image")) return await (await import("./run_image.ts")).run(given);
  if (path === undefined) throw new UsageError("RECIPE is missing, or --image=IMAGE");
  refuseImageFlags(given);
  const report = reportOf(given);
  for (const kind of ["read", "write"] as const) {
    for (const denied of deniedList(given, kind)) deniedPath(denied, `--deny-${kind}=${denied}`);
  }
  const file = await recipeFile(path, given.values("set").map((setting) => setting!));
  let grants = permissionsFor(file, given);
  const verbose = await file.located(() => verboseOf(given, apart(file.recipe)));
  if (isDetached(given)) {
    const { superviseProgram } = await import("./supervisor.ts");
    return await file.located(() =>
      superviseProgram(given, {
        recipe: apart(file.recipe),
        program: given.program,
        ...(grants !== undefined && { permissions: grants }),
        source: { recipe: absolute(path) },
      })
    );
  }
  return await file.located(() =>
    runProgram(
      given.program,
      (program, options) =>
        grants === undefined
          ? apartAtTerminal(file.recipe, options).command(program, options)
          : apart(file.recipe).command(program, { ...options, permissions: grants }),
      {
        report,
        verbose,
        name: given.value("name"),
        denied: (error) => {
          if (error.denied || !canAsk()) return false;
          const answer = ask(path, error);
          if (answer === "no") return false;
          grants = widened(grants as PermissionOptions, error, answer);
          return true;
        },
      },
    )
  );
}

function refuseImageFlags(given: Arguments): void {
  const flag = IMAGE_RUN_FLAGS.find(({ name }) => given.has(name));
  if (flag !== undefined) throw new UsageError(`--${flag.name} is for --image=IMAGE`);
}

/** Data gets what the flags grant; code, which could do anything by itself, all unless there are flags. */
function permissionsFor({ isCode }: RecipeFile, given: Arguments): Permissions | undefined {
  const hasFlags = Object.values(PERMISSION_FLAGS).some(({ name }) => given.has(name));
  const getsAll = given.has("allow-all") || isCode && !hasFlags;
  return getsAll && !hasDenials(given) ? undefined : grantsOf(given, getsAll);
}
