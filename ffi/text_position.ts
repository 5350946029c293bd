/**
 * Where in a text something stands.
 *
 * @module
 */

/** Where in a text something stands. */
export interface TextPosition {
  /** The file, where the text is one's. */
  readonly file?: string | undefined;
  /** The line, counted from 1. */
  readonly line: number;
  /** The column, counted from 1. */
  readonly column: number;
}

/** What a message about it begins with: `box.yaml:7:5: `. */
export function positionText(position: TextPosition | undefined): string {
  if (position === undefined) return "";
  const { file, line, column } = position;
  return file === undefined ? `line ${line}, column ${column}: ` : `${file}:${line}:${column}: `;
}
