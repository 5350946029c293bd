/**
 * Values as messages show them: short, whatever they are.
 *
 * @module
 */

/** How much of a string is shown. */
const LONGEST = 60;

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

/** The string in quotes; only the beginning of a long one. */
export function quoted(text: string): string {
  return text.length > LONGEST ? `"${text.slice(0, LONGEST)}..."` : `"${text}"`;
}

/** An object with its first fields: `{}`, `{ name: "soup", kinds: a list }`. */
export function shownObject(value: object): string {
  const fields: string[] = [];
  for (const [name, field] of Object.entries(value).slice(0, MOST_FIELDS)) {
    fields.push(`${name.slice(0, LONGEST)}: ${shown(field)}`);
  }
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
