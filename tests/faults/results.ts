/**
 * What the tests of faults have come to, row by row. Each file of them ends with the sums; with
 * `deno task proof`, the rows are kept for tests/faults/RESULTS.md.
 */

import { root } from "../support.ts";
import { type KeptRow, type Row, sums } from "./rows.ts";

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

/** The tables whose rows cannot be added up. */
const SINGLE: ReadonlySet<string> = new Set(["soak"]);

addEventListener("unload", () => {
  for (const [table, noted] of rows) {
    const told = SINGLE.has(table)
      ? noted.map(({ name, figures }) => `${name}: ${describe(Object.entries(figures))}`)
      : [describe(sums(noted))];
    // deno-lint-ignore no-console -- what the rows are for
    for (const line of told) console.log(`${table}: ${line}`);
  }
});

function describe(figures: Iterable<readonly [string, number]>): string {
  return [...figures].map(([column, figure]) => `${figure} ${column}`).join(", ");
}
