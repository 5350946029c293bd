/**
 * Loaded before a script (`deno run --preload`). At each call of `command()`, every call of the
 * recipe is broken first, while the directories and containers that it needs exist. The script then
 * continues as usual. The results are a line of JSON on the standard error. Scripts of the same
 * directory that run in its containers are treated in the same way.
 */

import { type CommandOptions, Recipe } from "../../mod.ts";
import { breakEverything, type Tally } from "./breaking.ts";

/** The result of a recipe of a script, or why it could not be broken. */
export type BrokenCommand = Tally | { readonly failed: string };

const { command } = Recipe.prototype;

Recipe.prototype.command = function (program, options = {}) {
  const { args, ...others } = options;
  report(this, String(program), others);
  return command.call(this, program, args ? { ...options, args: withPreload(args) } : options);
};

const broken = new Set<string>();

function report(box: Recipe, program: string, options: CommandOptions): void {
  // The same recipe is broken once, and not at all if it would delete an interface for good.
  const key = JSON.stringify([box, program, options]);
  if (broken.has(key) || box.steps.some(({ step }) => step === "moveInterface")) return;
  broken.add(key);
  let line: BrokenCommand;
  try {
    line = breakEverything(box, program, options);
  } catch (error) {
    line = { failed: `${program} of ${JSON.stringify(box)}: ${error}` };
  }
  Deno.stderr.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

/** Makes further runs of a script load this module too. */
function withPreload(args: readonly string[]): readonly string[] {
  const directory = args.find((arg) => /\/examples\/\w+\.ts$/.test(arg))?.replace(/\w+\.ts$/, "");
  if (args[0] !== "run" || directory === undefined || args.includes("--no-config")) return args;
  const preload = `--preload=${directory}../tests/faults/break_commands.ts`;
  return ["run", "-A", "--no-check", preload, ...args.slice(1)].filter((arg) =>
    arg !== "--allow-ffi"
  );
}
