/**
 * Positions in texts.
 *
 * @module
 */

/** A position in a text. */
export interface TextPosition {
  /** The file, if the text was read from one. */
  readonly file?: string | undefined;
  /** The line, counted from 1. */
  readonly line: number;
  /** The column, counted from 1. */
  readonly column: number;
}

/** The beginning of a message about a position: `box.yaml:7:5: `. */
export function positionText(position: TextPosition | undefined): string {
  if (position === undefined) return "";
  const { file, line, column } = position;
  return file === undefined ? `line ${line}, column ${column}: ` : `${file}:${line}:${column}: `;
}
