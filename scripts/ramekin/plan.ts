/**
 * `ramekin plan`: shows what a recipe would do, and what it needs for that.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import type { BoxNote } from "../../box/mod.ts";
import { describeAccess, type HostAccess, type PlanEntry, type Recipe } from "../../mod.ts";
import { shown } from "../../recipe/shown.ts";
import type { Arguments } from "./arguments.ts";
import { writeText } from "./files.ts";
import { graphOf } from "./graph.ts";
import { drawGraph } from "./graph_svg.ts";
import { type Paint, paintFor, print, printJson, table } from "./output.ts";
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
      : stepsText(recipe.steps, plan.entries, paint);
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

/** The longest text of the fields of a step. */
const LONGEST = 100;

/** The steps, a line each, and how many calls each makes. */
function stepsText(
  steps: Recipe["steps"],
  entries: readonly PlanEntry[],
  paint: Paint,
): string {
  const rows = steps.map(({ step, ...fields }, index) => {
    const calls = entries.filter(({ stepIndex }) => stepIndex === index).length;
    return [String(index + 1), step, String(calls), fieldsText(fields)];
  });
  const note =
    `${entries.length} calls in all, with those that start the program; --calls shows them`;
  return `${table(["#", "STEP", "CALLS", "WITH"], rows, paint)}\n${paint("dim", note)}`;
}

/** The fields of a step as in YAML: `target: /tmp, readOnly: true`. */
function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(fields).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${valueText(value)}`);
  const text = parts.join(", ");
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  if (typeof value === "string" && PLAIN.test(value)) return value;
  return JSON.stringify(value) ?? shown(value);
}

/** Words that need no quotes. */
const PLAIN = /^[\w@%+=:./-]+$/;

function needsText(needs: readonly HostAccess[], paint: Paint): string {
  const listed = needs.map((need) => {
    const flag = flagOf(need);
    return `    ${describeAccess(need)}` +
      (flag === undefined ? "" : `  ${paint("dim", escapeControls(flag))}`);
  });
  return [
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
