/**
 * Variables of a recipe's text: `${name}` in any string of it. A string that is nothing but a
 * variable becomes the variable's value, a number too; `$${` stands for `${` itself.
 *
 * @module
 */

import { suggestion } from "../recipe/nearest.ts";
import { quoted } from "../recipe/shown.ts";

/** What a variable can be. */
export type Variable = string | number | boolean;

/** A variable that is used and has no value, or is none. */
export class VariableError extends Error {
  /** Where it is used: the keys on the way from the text's beginning. */
  readonly path: readonly (string | number)[];

  /** An error at the end of the path. */
  constructor(message: string, path: readonly (string | number)[]) {
    super(message);
    this.path = path;
  }
}

const REFERENCE = /\$(\$*)\{([^}]*)\}/g;

/** The text as it has to be written for it to stay as it is. */
export function escapeVariables(text: string): string {
  return text.replaceAll(REFERENCE, (reference) => `$${reference}`);
}

/** The value with its variables replaced. */
export function substitute(
  value: unknown,
  variables: ReadonlyMap<string, Variable>,
  path: readonly (string | number)[] = [],
): unknown {
  // Aliases make one value stand in many places; it is gone through once.
  const done = new Map<unknown, unknown>();
  const replace = (value: unknown, path: readonly (string | number)[]): unknown => {
    if (typeof value === "string") return substituteText(value, variables, path);
    if (typeof value !== "object" || value === null) return value;
    if (done.has(value)) return done.get(value);
    const replaced = Array.isArray(value)
      ? value.map((item, index) => replace(item, [...path, index]))
      : Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, replace(item, [...path, key])]),
      );
    done.set(value, replaced);
    return replaced;
  };
  return replace(value, path);
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
