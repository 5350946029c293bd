/**
 * What the benches print.
 *
 * @module
 */

import { median, ratios, type Rounds } from "./rounds.ts";

/** Prints a line. */
export function print(line = ""): void {
  // deno-lint-ignore no-console
  console.log(line);
}

/** Prints rows below a heading, the first column to the left and the others to the right. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heading.map((_, column) =>
    Math.max(...[heading, ...rows].map((row) => row[column]!.length))
  );
  for (const row of [heading, ...rows]) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    );
    print(`  ${cells.join("  ")}`);
  }
  print();
}

/** Prints the median of every contender, and how it compares with one of them round by round. */
export function printRounds(
  rounds: Rounds,
  base: string,
  unit: string,
  format: (value: number) => string,
): void {
  printTable(
    ["", unit, `x ${base}`, "lowest", "highest"],
    [...rounds.keys()].map((name) => {
      const compared = ratios(rounds, name, base);
      return [
        name,
        format(median(rounds.get(name)!)),
        median(compared).toFixed(2),
        Math.min(...compared).toFixed(2),
        Math.max(...compared).toFixed(2),
      ];
    }),
  );
}

/** Prints whether a ratio is what it should be. */
export function printWanted(
  what: string,
  ratio: number,
  wanted: "at most" | "at least" | "less than",
  limit: number,
): void {
  const met = wanted === "at most"
    ? ratio <= limit
    : wanted === "at least"
    ? ratio >= limit
    : ratio < limit;
  print(`  ${met ? "met   " : "MISSED"}  ${what}: ${ratio.toFixed(2)}, wanted ${wanted} ${limit}`);
}
