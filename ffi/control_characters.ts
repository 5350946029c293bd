/**
 * Characters that a terminal interprets instead of showing them. A recipe, the name of a file or of
 * a process may come from anybody, and must neither move the cursor, nor turn the direction of
 * letters, nor start a line of its own.
 *
 * @module
 */

/** Texts as most are. */
const PLAIN = /^[ -~]*$/;

/** How much of a string is shown. */
const LONGEST = 60;

/** Returns the text on one line, with these characters escaped as JSON does: `\u001b`. */
export function escapeControls(text: string): string {
  if (PLAIN.test(text)) return text;
  // Control characters (C0, DEL, C1), format characters (bidirectional or without width), line
  // separators, and the two that XML cannot have. Not at the top of the module: V8 takes a third of a
  // millisecond to make it, at each start.
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffe\uffff]/gu, (character) => {
    const json = JSON.stringify(character).slice(1, -1);
    if (json !== character) return json;
    return character.split("").map((unit) =>
      `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
    ).join("");
  });
}

/** Escapes all of these characters but the ends of lines. */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeControls).join("\n");
}

/** Returns the string in quotes, on one line; only the beginning of a long one. */
export function quoted(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
  return `"${escapeControls(shown)}"`;
}
