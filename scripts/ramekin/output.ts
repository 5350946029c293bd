/**
 * What the program writes: text with colours where a person reads it, tables, and JSON.
 *
 * @module
 */

import { escapeControls, escapeLines } from "../../ffi/control_characters.ts";
import { writable } from "./file_error.ts";

/** How a piece of text looks. */
export type Look = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

const CODES: Readonly<Record<Look, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Gives a piece of text a look, or returns it as it is. */
export type Paint = (look: Look, text: string) => string;

/** Returns every text as it is. */
export function plain(_look: Look, text: string): string {
  return text;
}

/** Colours where the stream is a terminal, and NO_COLOR is not set. */
export function paintFor(stream: { isTerminal(): boolean }): Paint {
  return Deno.noColor || !stream.isTerminal() ? plain : paint;
}

/** What begins a colour up to {@linkcode print}: no text of others' can have it. */
const MARK = `\x1b[${crypto.randomUUID()};`;
const COLOUR = new RegExp(`\\x1b\\[${MARK.slice(2)}(\\d+)m`);

/** Gives it colours for `print()` and `printError()`, which alone know them. */
export function paint(look: Look, text: string): string {
  return `${MARK}${CODES[look][0]}m${text}${MARK}${CODES[look][1]}m`;
}

/** Writes a text and a newline to the standard output. */
export function print(text: string): void {
  writable("the standard output", () => write(Deno.stdout, `${text}\n`));
}

/** Writes a text and a newline to the standard error. */
export function printError(text: string): void {
  write(Deno.stderr, `${text}\n`);
}

/** Writes a value as JSON to the standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(escaped(text));
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}

/** The text with its colours, and every other control character escaped, whoever has left it in. */
export function escaped(text: string): string {
  // At every other place of the pieces there is a colour.
  return text.split(COLOUR)
    .map((piece, index) => index % 2 === 1 ? `\x1b[${piece}m` : escapeLines(piece)).join("");
}

/** The width of the terminal, if the standard output is one. */
export function width(): number | undefined {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined;
}

/** Rows in columns, the heads first; the last column takes what is left of the terminal. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint = plain,
  limit: number | undefined = width(),
): string {
  const shown = rows.map((row) => row.map(escapeControls));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...shown.map((row) => row[column]!.length))
  );
  const line = (cells: readonly string[]) => {
    const text = cells.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd();
    return limit === undefined ? text : text.slice(0, limit);
  };
  return [paint("bold", line(heads)), ...shown.map(line)].join("\n");
}
