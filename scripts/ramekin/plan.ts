/**
 * `ramekin plan`: shows what a recipe would do, and what it needs for that.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import { describeAccess, type HostAccess } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { writeText } from "./files.ts";
import { graphOf } from "./graph.ts";
import { drawGraph } from "./graph_svg.ts";
import { type Paint, paintFor, print, printJson } from "./output.ts";
import { recipeOfBox } from "./box_file.ts";
import { recipeFile } from "./recipe_file.ts";
import { apart } from "./run_program.ts";
import { UsageError } from "./usage.ts";

/** Prints it, or draws it. */
export async function run(given: Arguments): Promise<number> {
  const path = given.operands[0]!;
  const graph = given.value("graph");
  if (graph !== undefined) checkDrawing(graph);
  const file = recipeOfBox(path) ??
    await recipeFile(path, given.values("set").map((value) => value!));
  const { located } = file;
  // The recipe that runs where flags grant what it needs.
  const recipe = file.isCode ? file.recipe : apart(file.recipe);
  const [plan, needs] = await located(() => [recipe.plan(), recipe.needs()] as const);
  if (graph !== undefined) {
    const drawing = drawGraph(graphOf(recipe, needs), path);
    if (graph === "-") print(drawing);
    else writeText(graph, drawing);
  }
  if (given.has("json")) printJson({ entries: plan.entries, needs });
  else if (graph === undefined) print(planText(plan.toString(), needs, paintFor(Deno.stdout)));
  return 0;
}

/** Refuses a file whose name says that it is no SVG. */
function checkDrawing(file: string): void {
  const end = /\.\w+$/.exec(file)?.[0];
  if (end === undefined || end.toLowerCase() === ".svg") return;
  throw new UsageError(
    `--graph=${file}: it draws SVG, and no ${end}; write a file that ends with .svg, from which ` +
      "other programs make pictures (rsvg-convert, inkscape)",
  );
}

function planText(plan: string, needs: readonly HostAccess[], paint: Paint): string {
  const lines = plan.split("\n").map((line) => line.startsWith(" ") ? line : paint("bold", line));
  const listed = needs.map((need) => {
    const flag = flagOf(need);
    return `    ${describeAccess(need)}` +
      (flag === undefined ? "" : `  ${paint("dim", escapeControls(flag))}`);
  });
  return [
    ...lines,
    "",
    paint("bold", "what it needs of this machine"),
    ...(listed.length > 0 ? listed : ["    nothing"]),
  ].join("\n");
}

/** The flag of `ramekin run` that grants an access. */
export function flagOf(need: HostAccess): string | undefined {
  switch (need.kind) {
    case "read":
    case "write":
      return `--allow-${need.kind}=${need.path}`;
    case "net":
      return "--allow-net";
    case "env":
      return `--allow-env=${need.name}`;
    case "run":
      return undefined;
    case "kernel":
    case "lifetime":
      return "--allow-sys";
    default:
      return "--allow-run --allow-sys";
  }
}
