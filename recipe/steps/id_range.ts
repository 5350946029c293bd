/**
 * A line of an id map, and what it does to an id.
 *
 * @module
 */

/** A range of `count` ids: those from `inside` on in the container are those from `outside` on. */
export interface IdRange {
  /** The first id in the container. */
  readonly inside: number;
  /** The first id outside, as the user who runs the recipe sees it. */
  readonly outside: number;
  /** How many ids. */
  readonly count: number;
}

/** Returns the id in the container of one outside; `undefined` if it is not mapped. */
export function imageOf(id: number, ranges: readonly IdRange[]): number | undefined {
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  return range && range.inside + id - range.outside;
}
