/**
 * `ramekin plan`: shows what a recipe would do, and what it needs for that.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import type { BoxNote } from "../../box/mod.ts";
import type { Arguments } from "./arguments.ts";
import { writeText } from "./files.ts";
import { graphOf } from "./graph.ts";
import { drawGraph } from "./graph_svg.ts";
import { type Paint, paintFor, print, printJson } from "./output.ts";
import { needsText, stepsText } from "./plan_text.ts";
import { recipeOfBox } from "./box_file.ts";
import { recipeFile } from "./recipe_file.ts";
import { apart } from "./run_program.ts";
import { UsageError } from "./usage.ts";

/** Prints it, or draws it. */
export async function run(given: Arguments): Promise<number> {
  const path = given.operands[0]!;
  const graph = given.value("graph");
  if (graph !== undefined) checkDrawing(graph);
  const box = recipeOfBox(path);
  const file = box ?? await recipeFile(path, given.values("set").map((value) => value!));
  const { located } = file;
  // The recipe that runs where flags grant what it needs.
  const recipe = file.isCode ? file.recipe : apart(file.recipe);
  const [plan, needs] = await located(() => [recipe.plan(), recipe.needs()] as const);
  if (graph !== undefined) {
    const drawing = drawGraph(graphOf(recipe, needs), path);
    if (graph === "-") print(drawing);
    else writeText(graph, drawing);
  }
  const paint = paintFor(Deno.stdout);
  if (given.has("json")) {
    const { recipe: _, ...about } = box?.note ?? { recipe: undefined };
    printJson({ ...(box && { box: about }), steps: recipe.steps, entries: plan.entries, needs });
  } else if (graph === undefined) {
    if (box !== undefined) print(`${paint("bold", "a box")} ${describeBox(box.note)}\n`);
    const steps = given.has("calls")
      ? callsText(plan.toString(), paint)
      : stepsText(recipe.steps, plan.entries, paint, "; --calls shows them");
    print(`${steps}\n\n${needsText(needs, paint)}`);
  }
  return 0;
}

/** What a box is for, and what it runs. */
function describeBox({ architecture, for: user, program, cwd }: BoxNote): string {
  const whose = user === "root" ? "root" : "any user";
  const words = program.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word));
  const runs = program.length === 0 ? "the program that it is given" : words.join(" ");
  const where = cwd === "caller" ? ", in the directory of its caller" : "";
  return escapeControls(`for ${whose} on ${architecture}; it runs ${runs}${where}`);
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

/** Every call, below the headings of the steps. */
function callsText(plan: string, paint: Paint): string {
  return plan.split("\n").map((line) => line.startsWith(" ") ? line : paint("bold", line))
    .join("\n");
}
