/**
 * How much data a recipe may be. It may come from an untrusted author, and is checked and planned
 * before anything is granted to it.
 *
 * @module
 */

/** The most values of a recipe: those of all lists and objects. */
export const MAX_VALUES = 100_000;

/** The most UTF-16 units of all its strings. */
export const MAX_TEXT = 16 * 1024 * 1024;

/** How deep lists and objects may lie in each other; no schema goes as deep. */
const MAX_DEPTH = 16;

/** An amount of data. */
export interface Size {
  readonly values: number;
  readonly text: number;
}

/**
 * Returns the size of a value. What can be reached by several ways counts for each of them, as it is
 * checked and planned for each; it is measured once.
 */
export function sizeOf(value: unknown): Size {
  return measure(value, MAX_DEPTH, new Map());
}

/** Returns what is wrong with this size of a whole recipe; `undefined` when nothing is. */
export function sizeIssue({ values, text }: Size): string | undefined {
  if (values > MAX_VALUES) {
    return `a recipe has at most ${MAX_VALUES} values, those that are repeated counted each time, ` +
      `and at most ${MAX_DEPTH} in each other`;
  }
  return text > MAX_TEXT ? `the strings of a recipe have at most ${MAX_TEXT} letters` : undefined;
}

/** The sum of two sizes. */
export function plus(one: Size, other: Size): Size {
  return { values: one.values + other.values, text: one.text + other.text };
}

function measure(value: unknown, depth: number, known: Map<object, Size>): Size {
  if (typeof value === "string") return { values: 1, text: value.length };
  if (typeof value !== "object" || value === null) return { values: 1, text: 0 };
  const before = known.get(value);
  if (before !== undefined) return before;
  if (depth === 0) return { values: Infinity, text: 0 };
  // An object that contains itself is not entered again; no schema takes it.
  known.set(value, { values: 1, text: 0 });
  let [values, text] = [1, 0];
  for (const [key, item] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    const size = measure(item, depth - 1, known);
    values += size.values;
    text += size.text + (typeof key === "string" ? key.length : 0);
  }
  const size = { values, text };
  known.set(value, size);
  return size;
}
