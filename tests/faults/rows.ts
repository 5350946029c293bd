/** The rows of the tables that `deno task proof` writes. */

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
