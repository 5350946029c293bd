/**
 * The help of the program, and of each subcommand.
 *
 * @module
 */

import { COMMON_FLAGS } from "./arguments.ts";
import type { Paint } from "./output.ts";
import { SUBCOMMANDS } from "./subcommands.ts";
import { flagText, type Subcommand } from "./usage.ts";

/** The longest line, in characters. */
const LINE = 80;

/** The help of the program. */
export function programHelp(paint: Paint): string {
  const names = SUBCOMMANDS.map(({ name, summary }) => [name, summary] as const);
  return [
    "Runs programs in containers, made of recipes.",
    "",
    `${paint("bold", "Usage:")} ramekin SUBCOMMAND ...`,
    "",
    ...pairs(names, paint),
    "",
    ...pairs([
      ["help SUBCOMMAND", "show the help of a subcommand"],
      ["--version", "show the version"],
    ], paint),
  ].join("\n");
}

/** The help of a subcommand. */
export function subcommandHelp(subcommand: Subcommand, paint: Paint): string {
  const { summary, more, flags } = subcommand;
  const shown = [...flags, ...COMMON_FLAGS].filter(({ hidden }) => hidden !== true)
    .map((flag) => [flagText(flag) + (flag.repeated ? " ..." : ""), flag.summary] as const);
  return [
    `${summary[0]!.toUpperCase()}${summary.slice(1)}.`,
    "",
    `${paint("bold", "Usage:")} ${usageLine(subcommand)}`,
    "",
    ...(more === undefined ? [] : [...wrapped(more), ""]),
    ...pairs(shown, paint),
  ].join("\n");
}

/** How the subcommand is written. */
export function usageLine(subcommand: Subcommand): string {
  const { name, operands, program, needsProgram, flags } = subcommand;
  const words = "-- PROGRAM ARGUMENTS...";
  return [
    `ramekin ${name}`,
    ...operands.map(({ name, optional }) => optional === true ? `[${name}]` : name),
    ...(flags.length > 0 ? ["[FLAGS]"] : []),
    ...(program === true ? [needsProgram === true ? words : `[${words}]`] : []),
  ].join(" ");
}

function pairs(rows: readonly (readonly [string, string])[], paint: Paint): string[] {
  const width = Math.min(26, Math.max(...rows.map(([term]) => term.length)));
  return rows.flatMap(([term, text]) => {
    const lines = wrapped(text, LINE - width - 4);
    const first = term.length > width
      ? [`  ${paint("cyan", term)}`]
      : [`  ${paint("cyan", term)}${" ".repeat(width - term.length)}  ${lines.shift()}`];
    return [...first, ...lines.map((line) => " ".repeat(width + 4) + line)];
  });
}

function wrapped(text: string, width = LINE): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines = [""];
    for (const word of paragraph.split(" ")) {
      const last = lines.at(-1)!;
      if (last === "") lines[lines.length - 1] = word;
      else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(word);
    }
    return lines;
  });
}
