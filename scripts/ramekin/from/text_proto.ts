/**
 * Protocol buffers as text, as configurations of nsjail are written.
 *
 * @module
 */

import { UsageError } from "../usage.ts";

/** A value: a message, or the text of a string, a number, a word. */
export type Value = string | Message;

/** The fields of a message, each with its values. */
export type Message = ReadonlyMap<string, readonly Value[]>;

/** A part of a text: a string with quotes, a sign, or a word. */
const TOKEN =
  /\s+|#[^\n]*|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[{}:<>[\],;]|[^\s"'{}:<>[\],;#]+)/gys;

/**
 * Reads a message.
 *
 * @throws {UsageError} for a text that is none
 */
export function readMessage(text: string): Message {
  const tokens = tokensOf(text);
  const message = fieldsOf(tokens);
  if (tokens.length > 0) throw new UsageError(`${tokens[0]} is in no message`);
  return message;
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  let end = 0;
  for (const { 0: whole, 1: token, index } of text.matchAll(TOKEN)) {
    end = index + whole.length;
    if (token !== undefined) tokens.push(token);
  }
  if (end < text.length) {
    throw new UsageError(`a string is not closed: ${text.slice(end, end + 20)}`);
  }
  return tokens;
}

/** Takes the fields up to the end of the message. */
function fieldsOf(tokens: string[]): Message {
  const message = new Map<string, Value[]>();
  while (tokens[0] !== undefined && !"}>".includes(tokens[0])) {
    const name = tokens.shift()!;
    if (!/^\w+$/.test(name)) throw new UsageError(`${name} is not the name of a field`);
    if (tokens[0] === ":") tokens.shift();
    const values = message.get(name) ?? [];
    message.set(name, values);
    values.push(...valuesOf(name, tokens));
    while (tokens[0] === "," || tokens[0] === ";") tokens.shift();
  }
  return message;
}

function valuesOf(name: string, tokens: string[]): readonly Value[] {
  const first = tokens.shift();
  if (first === undefined || "}>:]".includes(first)) throw new UsageError(`${name} has no value`);
  if (first === "[") {
    const values: Value[] = [];
    while (tokens[0] !== "]") {
      values.push(...valuesOf(name, tokens));
      if (tokens[0] === ",") tokens.shift();
    }
    tokens.shift();
    return values;
  }
  if (first === "{" || first === "<") {
    const inner = fieldsOf(tokens);
    if (tokens.shift() === undefined) throw new UsageError(`${name} is not closed`);
    return [inner];
  }
  if (!/^["']/.test(first)) return [first];
  // Strings side by side are one.
  let text = unquoted(first);
  while (/^["']/.test(tokens[0] ?? "")) text += unquoted(tokens.shift()!);
  return [text];
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unquoted(token: string): string {
  return token.slice(1, -1).replace(
    /\\([0-7]{1,3}|x[\da-fA-F]{1,2}|.)/gs,
    (_, code: string) =>
      /^[0-7]/.test(code)
        ? String.fromCharCode(parseInt(code, 8))
        : /^x./.test(code)
        ? String.fromCharCode(parseInt(code.slice(1), 16))
        : ESCAPES[code] ?? code,
  );
}
