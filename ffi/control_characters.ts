/**
 * Characters that a terminal does not show as they are.
 *
 * @module
 */

// Controls, format characters (which turn letters around or have no width), separators of lines.
const CONTROLS = /\n(?! {2})|[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * The text with every such character escaped as in JSON: `\u001b`. What a recipe says can be
 * anybody's, and may neither move the cursor nor begin a line of its own. Only a line end with two
 * blanks behind it stays: that is how a message goes on.
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
