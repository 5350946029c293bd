/**
 * Variables of a recipe's text: `${name}` in any string. A string that is only a variable becomes
 * the variable's value, which may be a number; `$${` stands for `${` itself.
 *
 * @module
 */

import { suggestion } from "../recipe/nearest.ts";
import { quoted } from "../recipe/shown.ts";
import { MAX_TEXT } from "../recipe/size.ts";

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

/** Replaces each reference of a text; `dollars` are all those before its `{`. */
function replaceReferences(
  text: string,
  replacement: (dollars: string, name: string) => string,
): string {
  let result = "";
  let end = 0;
  // A regular expression would begin anew at each `$` of a long series.
  for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${", end)) {
    const close = text.indexOf("}", at);
    if (close < 0 || result.length > MAX_TEXT) break;
    let begin = at;
    while (begin > end && text[begin - 1] === "$") begin--;
    const [dollars, name] = [text.slice(begin, at + 1), text.slice(at + 2, close)];
    result += text.slice(end, begin) + replacement(dollars, name);
    end = close + 1;
  }
  return result + text.slice(end);
}

/** Returns the text with `${` escaped, so that substitution returns the text itself. */
export function escapeVariables(text: string): string {
  return replaceReferences(text, (dollars, name) => `$${dollars}{${name}}`);
}

/** Replaces the variables in the values of one text. */
export class Substitution {
  readonly #variables: ReadonlyMap<string, Variable>;
  /** By aliases one value can be in many places; it is replaced once. */
  readonly #done = new Map<object, unknown>();

  readonly #used: Set<string>;

  /**
   * Replaces variables by these values.
   *
   * @param used gets the names of those that are replaced
   */
  constructor(variables: ReadonlyMap<string, Variable>, used: Set<string>) {
    this.#variables = variables;
    this.#used = used;
  }

  /**
   * Returns the value with its variables replaced.
   *
   * @throws {VariableError} for a variable without a value, and for a value that contains itself
   */
  replace(value: unknown, path: readonly (string | number)[]): unknown {
    if (typeof value === "string") return this.#replaceIn(value, path);
    if (typeof value !== "object" || value === null) return value;
    if (this.#done.has(value)) {
      const done = this.#done.get(value);
      if (done !== undefined) return done;
      throw new VariableError("by an alias the value contains itself", path);
    }
    this.#done.set(value, undefined);
    const replaced = Array.isArray(value)
      ? value.map((item, index) => this.replace(item, [...path, index]))
      : Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, this.replace(item, [...path, key])]),
      );
    this.#done.set(value, replaced);
    return replaced;
  }

  #replaceIn(text: string, path: readonly (string | number)[]): Variable {
    const valueOf = (name: string): Variable => {
      this.#used.add(name);
      const value = this.#variables.get(name);
      if (value !== undefined) return value;
      throw new VariableError(
        `the variable ${quoted(name)} has no value${suggestion(name, [...this.#variables.keys()])}`,
        path,
      );
    };
    const whole = text.match(/^\$\{([^}]*)\}$/);
    if (whole !== null) return valueOf(whole[1]!);
    const result = replaceReferences(
      text,
      (dollars, name) => dollars === "$" ? String(valueOf(name)) : `${dollars.slice(1)}{${name}}`,
    );
    if (result.length <= MAX_TEXT) return result;
    throw new VariableError(`with its variables the text has more than ${MAX_TEXT} letters`, path);
  }
}
