/**
 * What the tests of faults have come to, row by row. Each file of them ends with the sums; with
 * `deno task proof`, the rows are kept for tests/faults/RESULTS.md.
 */

import { root } from "../recipe/support.ts";

/** A row of one of the tables: a name, and figures by the names of their columns. */
export interface Row {
  readonly name: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** A row, as it is kept. */
export interface KeptRow extends Row {
  readonly table: string;
  readonly who: string;
}

/** Where `deno task proof` keeps the rows. */
const file = Deno.env.get("PROOF")?.startsWith("/") ? Deno.env.get("PROOF") : undefined;

const rows = new Map<string, Row[]>();

/** Adds a row to a table. */
export function note(table: string, name: string, figures: Row["figures"]): void {
  rows.set(table, [...(rows.get(table) ?? []), { name, figures }]);
  if (file === undefined) return;
  const kept: KeptRow = { table, who: root ? "root" : "an ordinary user", name, figures };
  Deno.writeTextFileSync(file, `${JSON.stringify(kept)}\n`, { append: true, create: false });
}

/** The sum of each column. */
export function sums(rows: readonly Row[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { figures } of rows) {
    for (const [column, figure] of Object.entries(figures)) {
      sums.set(column, (sums.get(column) ?? 0) + figure);
    }
  }
  return sums;
}

addEventListener("unload", () => {
  for (const [table, noted] of rows) {
    const told = [...sums(noted)].map(([column, sum]) => `${sum} ${column}`).join(", ");
    // deno-lint-ignore no-console -- what the rows are for
    console.log(`${table}: ${told}`);
  }
});
