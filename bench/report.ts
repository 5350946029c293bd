/**
 * What a bench has found: for the terminal, and as a part of `RESULTS.md`.
 *
 * @module
 */

import { markdownTable } from "../scripts/docs/format.ts";
import { median, ratios, type Rounds } from "./rounds.ts";

/** A figure that the project wants. */
export interface Wanted {
  readonly what: string;
  readonly is: number;
  readonly bound: "at most" | "at least" | "less than";
  readonly limit: number;
}

/** Rows below a heading: the first column to the left, the others to the right. */
export interface Table {
  readonly title: string;
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly wanted?: readonly Wanted[];
}

/** A drawing of what the tables say. */
export interface Plot {
  /** Its name as a file, without the ending. */
  readonly name: string;
  /** What it shows, in words. */
  readonly about: string;
  readonly svg: string;
}

/** What a bench has found. */
export interface Report {
  readonly title: string;
  /** What was measured, and what has to be known to read the figures. */
  readonly about: readonly string[];
  readonly tables: readonly Table[];
  readonly plots: readonly Plot[];
}

/** The median of every contender, and how it compares with one of them round by round. */
export function roundsTable(
  title: string,
  rounds: Rounds,
  base: string,
  unit: string,
  format: (value: number) => string,
  wanted: readonly Wanted[] = [],
): Table {
  return {
    title,
    heading: ["", unit, `x ${base}`, "lowest", "highest"],
    rows: [...rounds.keys()].map((name) => {
      const compared = ratios(rounds, name, base);
      return [
        name,
        format(median(rounds.get(name)!)),
        median(compared).toFixed(2),
        Math.min(...compared).toFixed(2),
        Math.max(...compared).toFixed(2),
      ];
    }),
    wanted,
  };
}

/** Prints a line. */
export function print(line = ""): void {
  // deno-lint-ignore no-console
  console.log(line);
}

/** Prints a report. */
export function printReport({ title, about, tables }: Report): void {
  print(title);
  for (const line of about) print(`  ${line}`);
  print();
  for (const table of tables) printTable(table);
}

function printTable({ title, heading, rows, wanted = [] }: Table): void {
  const widths = widthsOf([heading, ...rows]);
  print(`${title}\n`);
  for (const row of [heading, ...rows]) print(`  ${aligned(row, widths).join("  ").trimEnd()}`);
  print();
  for (const one of wanted) print(`  ${verdict(one)}`);
  if (wanted.length > 0) print();
}

/** The report as Markdown; its drawings are in the directory `plots`. */
export function markdownOf({ title, about, tables, plots }: Report): string {
  return [
    `## ${title}`,
    about.map((line) => `- ${line}`).join("\n"),
    ...plots.map(({ name, about }) => `![${about}](plots/${name}.svg)`),
    ...tables.map(({ title, heading, rows, wanted = [] }) =>
      [
        `**${title}**`,
        markdownTable(heading, rows),
        ...(wanted.length === 0 ? [] : [wanted.map((one) => `- ${verdict(one)}`).join("\n")]),
      ].join("\n\n")
    ),
  ].filter((part) => part !== "").join("\n\n");
}

/** All figures that are wanted, as a table in Markdown. */
export function wantedOf(reports: readonly Report[]): string {
  const rows = reports.flatMap(({ title, tables }) =>
    tables.flatMap((table) =>
      (table.wanted ?? []).map((one) => [
        title,
        `${one.what}; ${table.title}`,
        one.is.toFixed(3),
        `${one.bound} ${one.limit}`,
        isMet(one) ? "met" : "**missed**",
      ])
    )
  );
  return markdownTable(["bench", "figure", "is", "wanted", ""], rows);
}

function isMet({ is, bound, limit }: Wanted): boolean {
  return bound === "at most" ? is <= limit : bound === "at least" ? is >= limit : is < limit;
}

/** Whether a figure is what it should be. */
function verdict(one: Wanted): string {
  const { what, is, bound, limit } = one;
  return `${isMet(one) ? "met" : "MISSED"}: ${what}: ${is.toFixed(3)}, wanted ${bound} ${limit}`;
}

function widthsOf(rows: readonly (readonly string[])[]): readonly number[] {
  return rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
}

function aligned(row: readonly string[], widths: readonly number[]): readonly string[] {
  return row.map((cell, column) =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  );
}
