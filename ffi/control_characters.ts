/**
 * Characters that a terminal interprets instead of showing them.
 *
 * @module
 */

// Control characters, format characters (bidirectional or without width), and line separators.
const CONTROLS = /\n(?! {2})|[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes these characters as JSON does: `\u001b`. A recipe may come from an untrusted author, whose
 * texts must neither move the cursor nor start a new line of a message. Only a line end with two
 * blanks after it stays: messages continue that way.
 */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => {
    const json = JSON.stringify(character).slice(1, -1);
    if (json !== character) return json;
    return character.split("").map((unit) =>
      `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
    ).join("");
  });
}
