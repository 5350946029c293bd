/**
 * Variables of a recipe's text: `${name}` in any string. A string that is only a variable becomes
 * the variable's value, which may be a number; `$${` stands for `${` itself.
 *
 * @module
 */

import { suggestion } from "../recipe/nearest.ts";
import { quoted } from "../recipe/shown.ts";

/** The value of a variable. */
export type Variable = string | number | boolean;

/** The error of a variable without a value, or of a text with too many values. */
export class VariableError extends Error {
  /** Where it is: the keys from the top of the text. */
  readonly path: readonly (string | number)[];

  /** An error at the end of the path. */
  constructor(message: string, path: readonly (string | number)[]) {
    super(message);
    this.path = path;
  }
}

const REFERENCE = /\$(\$*)\{([^}]*)\}/g;

/** Returns the text with `${` escaped, so that substitution returns the text itself. */
export function escapeVariables(text: string): string {
  return text.replaceAll(REFERENCE, (reference) => `$${reference}`);
}

/** The most values of a text, with those that aliases repeat. */
const MAX_VALUES = 1_000_000;

/** Replaces the variables in the values of one text. */
export class Substitution {
  readonly #variables: ReadonlyMap<string, Variable>;
  /** By aliases one value can be in many places; it is replaced once. */
  readonly #done = new Map<object, { readonly replaced: unknown; readonly count: number }>();
  #count = 0;

  /** Replaces variables by these values. */
  constructor(variables: ReadonlyMap<string, Variable>) {
    this.#variables = variables;
  }

  /**
   * Returns the value with its variables replaced.
   *
   * @throws {VariableError} for a variable without a value, and where aliases make the text too large
   */
  replace(value: unknown, path: readonly (string | number)[]): unknown {
    this.#add(1, path);
    if (typeof value === "string") return substituteText(value, this.#variables, path);
    if (typeof value !== "object" || value === null) return value;
    const done = this.#done.get(value);
    if (done !== undefined) {
      this.#add(done.count, path);
      return done.replaced;
    }
    const before = this.#count;
    const replaced = Array.isArray(value)
      ? value.map((item, index) => this.replace(item, [...path, index]))
      : Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, this.replace(item, [...path, key])]),
      );
    this.#done.set(value, { replaced, count: this.#count - before });
    return replaced;
  }

  #add(count: number, path: readonly (string | number)[]): void {
    this.#count += count;
    if (this.#count <= MAX_VALUES) return;
    throw new VariableError(`the text has more than ${MAX_VALUES} values`, path);
  }
}

function substituteText(
  text: string,
  variables: ReadonlyMap<string, Variable>,
  path: readonly (string | number)[],
): Variable {
  const valueOf = (name: string): Variable => {
    const value = variables.get(name);
    if (value !== undefined) return value;
    throw new VariableError(
      `the variable ${quoted(name)} has no value${suggestion(name, [...variables.keys()])}`,
      path,
    );
  };
  const whole = text.match(/^\$\{([^}]*)\}$/);
  if (whole !== null) return valueOf(whole[1]!);
  return text.replace(
    REFERENCE,
    (_, escapes, name) => escapes === "" ? String(valueOf(name)) : `${escapes}{${name}}`,
  );
}
