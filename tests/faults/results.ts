/**
 * The results of the fault tests, row by row. Each test file ends with the sums; with
 * `deno task proof`, the rows are kept for tests/faults/RESULTS.md.
 */

import { root } from "../support.ts";
import { type KeptRow, type Row, sums } from "./rows.ts";

/** The file in which `deno task proof` keeps the rows. */
const file = Deno.env.get("PROOF")?.startsWith("/") ? Deno.env.get("PROOF") : undefined;

const rows = new Map<string, Row[]>();

/** Adds a row to a table. */
export function note(table: string, name: string, figures: Row["figures"]): void {
  rows.set(table, [...(rows.get(table) ?? []), { name, figures }]);
  if (file === undefined) return;
  const kept: KeptRow = { table, who: root ? "root" : "an ordinary user", name, figures };
  Deno.writeTextFileSync(file, `${JSON.stringify(kept)}\n`, { append: true, create: false });
}

/** The tables whose rows have no sums. */
const SINGLE: ReadonlySet<string> = new Set(["soak", "shell"]);

addEventListener("unload", () => {
  for (const [table, noted] of rows) {
    const lines = SINGLE.has(table)
      ? noted.map(({ name, figures }) => `${name}: ${describe(Object.entries(figures))}`)
      : [describe(sums(noted))];
    // deno-lint-ignore no-console -- the purpose of the rows
    for (const line of lines) console.log(`${table}: ${line}`);
  }
});

function describe(figures: Iterable<readonly [string, number]>): string {
  return [...figures].map(([column, figure]) => `${figure} ${column}`).join(", ");
}
