/**
 * Runs an attack in a sandbox that inherits the standard streams of this script, and exits with its
 * code: in a `whole` sandbox, or in one that is `handed` the open files themselves.
 */

import { sandbox } from "../../mod.ts";
import { collectSync } from "../../launch/collect.ts";
import { execSpec } from "../../launch/exec.ts";
import { Launcher } from "../../launch/launcher.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";

const [how, attack] = Deno.args as [string, string];
const args = ["-e", attack];

function handed(): number {
  const spec = execSpec("perl", { args, stdio: ["inherit", "inherit", "inherit"] });
  return collectSync(new Launcher(planRecipe(sandbox().steps)).spawn(spec), [], undefined).code;
}

const { code } = how === "whole"
  ? await sandbox().command("perl", { args }).spawn().status
  : { code: handed() };
Deno.exit(code);
