/**
 * Lists of variables, in Deno's notation: `"HOME"`, or `"AWS_*"` for all that begin so.
 *
 * @module
 */

import { quoted } from "./shown.ts";
import { type Schema, text } from "./schema.ts";

/** An entry of such a list. */
export function variablePattern(): Schema {
  const expected = 'the name of a variable, or "AWS_*" for all that begin so';
  return text({
    expected,
    min: 1,
    pattern: "^[^=*]*\\*?$",
    issue: (name) => /^[^=*]*\*?$/.test(name) ? undefined : `${quoted(name)} is not ${expected}`,
  });
}

/** Whether a variable is in the list. */
export function includesVariable(patterns: Iterable<string>, name: string): boolean {
  for (const pattern of patterns) {
    if (pattern === name) return true;
    if (pattern.endsWith("*") && name.startsWith(pattern.slice(0, -1))) return true;
  }
  return false;
}
