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

/** Adds up the sizes of the values of a recipe. */
export class RecipeSize {
  #values = 0;
  #text = 0;
  /** What can be reached by several ways is measured once. */
  readonly #known = new Map<object, Size>();

  /**
   * Adds a value, and returns its size. What can be reached by several ways counts for each of them,
   * as it is checked and planned for each.
   */
  add(value: unknown): Size {
    const [values, text] = [this.#values, this.#text];
    this.#visit(value, 0);
    return { values: this.#values - values, text: this.#text - text };
  }

  /** Adds a value of this size. */
  addSize({ values, text }: Size): void {
    this.#values += values;
    this.#text += text;
  }

  /** What is wrong with the size of all together; `undefined` when nothing is. */
  get issue(): string | undefined {
    if (this.#values > MAX_VALUES) {
      return `a recipe has at most ${MAX_VALUES} values, those that are repeated counted each ` +
        `time, and at most ${MAX_DEPTH} in each other`;
    }
    return this.#text > MAX_TEXT
      ? `the strings of a recipe have at most ${MAX_TEXT} letters`
      : undefined;
  }

  #visit(value: unknown, depth: number): void {
    this.#values++;
    if (typeof value === "string") this.#text += value.length;
    if (typeof value !== "object" || value === null) return;
    // A list may have holes, and be long without any value.
    if (depth > MAX_DEPTH || Array.isArray(value) && value.length > MAX_VALUES) {
      this.#values = Infinity;
      return;
    }
    const known = this.#known.get(value);
    if (known !== undefined) return this.addSize(known);
    const [values, text] = [this.#values, this.#text];
    // An object that contains itself is not entered again; no schema takes it.
    if (depth > 0) this.#known.set(value, NOTHING);
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) this.#visit(value[index], depth + 1);
    } else {
      for (const key of Object.keys(value)) {
        this.#text += key.length;
        this.#visit((value as Readonly<Record<string, unknown>>)[key], depth + 1);
      }
    }
    if (depth > 0) {
      this.#known.set(value, { values: this.#values - values, text: this.#text - text });
    }
  }
}

const NOTHING: Size = { values: 0, text: 0 };
