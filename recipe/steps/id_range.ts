/**
 * A line of an id map.
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
