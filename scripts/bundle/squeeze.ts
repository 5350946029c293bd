/**
 * Leaves out of a bundle what nobody reads: comments, indentation, and blanks around punctuation. Deno
 * reads, checks and copies the whole text at each start. Lines stay lines, so that the place of an error
 * is told as before, and names are left as they are.
 *
 * @module
 */

import { parse, type Token } from "acorn";

/** Punctuation that no other token can be joined with to mean something else. */
const APART = /[,;:?=(){}[\]]/;

/** The bundle, with as few blanks as it needs. */
export function squeezed(source: string): string {
  const tokens: Token[] = [];
  parse(source, { ecmaVersion: "latest", sourceType: "module", onToken: tokens });
  let text = "";
  let end = 0;
  for (const token of tokens) {
    text += between(source, end, token.start) + source.slice(token.start, token.end);
    end = token.end;
  }
  return `${text}\n`;
}

/** What stands for the blanks and comments between two tokens. */
function between(source: string, start: number, end: number): string {
  const gap = source.slice(start, end);
  if (gap === "" || start === 0 || end === source.length) return "";
  if (gap.includes("\n")) return "\n";
  return APART.test(source[start - 1]!) || APART.test(source[end]!) ? "" : " ";
}
