/**
 * A plan in words: its steps, and what it needs of this machine.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import { describeAccess, type HostAccess, type PlanEntry, type Recipe } from "../../mod.ts";
import { shellWord } from "../../recipe/shell_word.ts";
import { shown } from "../../recipe/shown.ts";
import { writtenStep } from "../../recipe/written_step.ts";
import { type Paint, table } from "./output.ts";

/** The longest text of the fields of a step. */
const LONGEST = 100;

/**
 * The steps, a line each, and how many calls each makes.
 *
 * @param more where the calls are shown
 */
export function stepsText(
  steps: Recipe["steps"],
  entries: readonly PlanEntry[],
  paint: Paint,
  more = "",
): string {
  const rows = steps.map(writtenStep).map(({ step, ...fields }, index) => {
    const calls = entries.filter(({ stepIndex }) => stepIndex === index).length;
    return [String(index + 1), step, String(calls), fieldsText(fields)];
  });
  const note = `${entries.length} calls in all, with those that start the program${more}`;
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

/** What it needs of this machine, a line each, with the flag that grants it. */
export function needsText(needs: readonly HostAccess[], paint: Paint): string {
  const listed = needs.map((need) => {
    const flags = flagsOf(need);
    return `    ${describeAccess(need)}` +
      (flags.length === 0
        ? ""
        : `  ${paint("dim", escapeControls(flags.map(shellWord).join(" ")))}`);
  });
  return [
    paint("bold", "what it needs of this machine"),
    ...(listed.length > 0 ? listed : ["    nothing"]),
  ].join("\n");
}

/** The flags of `ramekin run` that grant an access. */
export function flagsOf(need: HostAccess): readonly string[] {
  switch (need.kind) {
    case "read":
    case "write":
      return [`--allow-${need.kind}=${need.path}`];
    case "net":
      return ["--allow-net"];
    case "env":
      return [`--allow-env=${need.name}`];
    case "run":
      return [];
    case "kernel":
    case "lifetime":
      return ["--allow-sys"];
    default:
      return ["--allow-run", "--allow-sys"];
  }
}
