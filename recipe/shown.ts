/**
 * Values as messages show them: short, whatever they are.
 *
 * @module
 */

import { quoted } from "../ffi/control_characters.ts";

export { quoted };

/** How many fields of an object are shown. */
const MOST_FIELDS = 4;

/** The value in a few words: `a list`, `an object`, `"soup"`. */
export function shown(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** An object with its first fields: `{}`, `{ name: "soup", kinds: a list }`. */
export function shownObject(value: object): string {
  const fields: string[] = [];
  for (const [name, field] of Object.entries(value).slice(0, MOST_FIELDS)) {
    fields.push(`${quoted(name).slice(1, -1)}: ${shown(field)}`);
  }
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
