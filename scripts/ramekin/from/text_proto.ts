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

/** The longest text, in characters, and how deep messages and lists may lie in one another. */
const [LONGEST, DEEPEST] = [1 << 20, 64];

/**
 * Reads a message.
 *
 * @throws {UsageError} for a text that is none, or is too long
 */
export function readMessage(text: string): Message {
  if (text.length > LONGEST) throw new UsageError(`it is longer than ${LONGEST} characters`);
  const tokens = new Tokens(text);
  const message = fieldsOf(tokens);
  if (tokens.next !== undefined) throw new UsageError(`${tokens.next} is in no message`);
  return message;
}

/** The parts of a text, one after the other. */
class Tokens {
  readonly #all: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#all = tokensOf(text);
  }

  /** The one that comes next, if there is one. */
  get next(): string | undefined {
    return this.#all[this.#at];
  }

  take(): string | undefined {
    return this.#all[this.#at++];
  }

  /** Reads what lies within brackets. */
  within<Result>(read: () => Result): Result {
    if (++this.#depth > DEEPEST) throw new UsageError(`more than ${DEEPEST} brackets are open`);
    const result = read();
    this.#depth--;
    return result;
  }
}

function tokensOf(text: string): readonly string[] {
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
function fieldsOf(tokens: Tokens): Message {
  const message = new Map<string, Value[]>();
  while (tokens.next !== undefined && !"}>".includes(tokens.next)) {
    const name = tokens.take()!;
    if (!/^\w+$/.test(name)) throw new UsageError(`${name} is not the name of a field`);
    if (tokens.next === ":") tokens.take();
    const values = message.get(name) ?? [];
    message.set(name, values);
    for (const value of valuesOf(name, tokens)) values.push(value);
    while (tokens.next === "," || tokens.next === ";") tokens.take();
  }
  return message;
}

function valuesOf(name: string, tokens: Tokens): readonly Value[] {
  const first = tokens.take();
  if (first === undefined || "}>:]".includes(first)) throw new UsageError(`${name} has no value`);
  if (first === "[") return tokens.within(() => listOf(name, tokens));
  if (first === "{" || first === "<") {
    const inner = tokens.within(() => fieldsOf(tokens));
    if (tokens.take() === undefined) throw new UsageError(`${name} is not closed`);
    return [inner];
  }
  if (!/^["']/.test(first)) return [first];
  // Strings side by side are one.
  let text = unquoted(first);
  while (/^["']/.test(tokens.next ?? "")) text += unquoted(tokens.take()!);
  return [text];
}

function listOf(name: string, tokens: Tokens): readonly Value[] {
  const values: Value[] = [];
  while (tokens.next !== "]") {
    for (const value of valuesOf(name, tokens)) values.push(value);
    if (tokens.next === ",") tokens.take();
  }
  tokens.take();
  return values;
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
