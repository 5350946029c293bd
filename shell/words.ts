/**
 * The words of a template. There is no shell: a word is what the template makes of it, and no value
 * that is put into the template is ever split, or has a meaning of its own.
 *
 * @module
 */

import { pathOf } from "../container/command_paths.ts";
import { escapeControls } from "../ffi/control_characters.ts";
import { shellWord } from "../recipe/shell_word.ts";
import { shown } from "../recipe/shown.ts";

/** A value that can be put into a template: one word, or an array of them. */
export type TemplateValue =
  | string
  | number
  | bigint
  | URL
  | readonly (string | number | bigint | URL)[];

/**
 * Returns the words of a template. Blanks and line ends separate them; single quotes, double quotes
 * and backslashes in the text keep what they stand for. A value is a part of its word, and an array
 * that stands alone is a word for each of its values.
 *
 * @throws {TypeError} for what only a shell could do, an open quote, a value that is no word, or what
 * is no template
 */
export function wordsOf(
  template: TemplateStringsArray,
  values: readonly TemplateValue[],
): string[] {
  // An object of JSON can have a list "raw", but cannot be a list that has one.
  if (!Array.isArray(template) || !Array.isArray(template.raw)) {
    throw new TypeError(
      `a command should be a template, as $\`ls\` or .pipe\`cat\`, not ${shown(template)}: write ` +
        "it without parentheses, and put values in by ${...}",
    );
  }
  const reader = new WordReader();
  template.raw.forEach((text, index) => {
    // These two are JavaScript's own escapes, and never meant for the program.
    reader.text(text.replaceAll("\\`", "`").replaceAll("\\${", "${"));
    if (index < values.length) reader.value(values[index]!);
  });
  return reader.end();
}

/** A quote that is open, or the lack of one. */
type Quote = "'" | '"' | "";

class WordReader {
  readonly #words: string[] = [];
  /** The word that is being read; an empty one counts if it was quoted, or is a value. */
  #word: string | undefined;
  #quote: Quote = "";
  /** Whether the word is an array, which nothing may be joined to. */
  #isList = false;

  text(text: string): void {
    for (let at = 0; at < text.length; at++) {
      const char = text[at]!;
      if (this.#quote !== "") at += this.#quoted(char, text[at + 1]);
      else if (char === "'" || char === '"') this.#open(char);
      else if (/\s/.test(char)) this.#finish();
      else if (char === "\\") at += this.#escaped(text[at + 1]);
      else this.#plain(char, text.slice(at));
    }
  }

  value(value: TemplateValue): void {
    if (!Array.isArray(value)) return this.#add(textOf(value));
    if (this.#isList || this.#word !== undefined || this.#quote !== "") throw NOT_ALONE();
    this.#words.push(...value.map(textOf));
    this.#isList = true;
  }

  end(): string[] {
    if (this.#quote !== "") throw issue(`a quote is not closed: ${this.#quote}`);
    this.#finish();
    if (this.#words.length === 0) throw issue("it names no program");
    return this.#words;
  }

  #open(quote: Quote): void {
    this.#quote = quote;
    this.#add("");
  }

  /** Takes a character within quotes, and returns how many more were taken with it. */
  #quoted(char: string, next: string | undefined): number {
    if (char === this.#quote) {
      this.#quote = "";
      return 0;
    }
    const escapes = this.#quote === '"' && char === "\\" && next !== undefined &&
      '"\\$`'.includes(next);
    this.#add(escapes ? next : char);
    return escapes ? 1 : 0;
  }

  #escaped(next: string | undefined): number {
    // A line that goes on.
    if (next === "\n") this.#finish();
    else this.#add(next ?? "\\");
    return 1;
  }

  #plain(char: string, rest: string): void {
    const [what, instead] = ofShell(rest, this.#word === undefined) ?? [];
    if (what !== undefined) {
      const advice = `${instead}, or write it in quotes if it is a part of a word`;
      throw issue(`${what} is a shell's`, advice);
    }
    const isAssignment = char === "=" && this.#words.length === 0 && this.#quote === "" &&
      /^[A-Za-z_]\w*$/.test(this.#word ?? "");
    if (isAssignment) {
      throw issue(`${this.#word}= sets a variable in a shell`, "use .env()");
    }
    this.#add(char);
  }

  #add(text: string): void {
    if (this.#isList) throw NOT_ALONE();
    this.#word = (this.#word ?? "") + text;
  }

  #finish(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
    this.#isList = false;
  }
}

/** What a shell would take for its own at the beginning of this text, and what to use instead. */
function ofShell(text: string, beginsWord: boolean): readonly [string, string] | undefined {
  const char = text[0]!;
  if (text.startsWith("||")) return ["||", "use .code() or .noThrow()"];
  if (text.startsWith("&&")) return ["&&", "await one command after the other"];
  if (char === "|") return [char, "use .pipe()"];
  if (char === ">" || char === "<") return [char, "use .stdout() and .stdin()"];
  if (char === ";" || char === "&") return [char, "use one command for each program"];
  if (char === "(" || char === ")" || char === "`") return [char, "use JavaScript"];
  if (char === "*" || char === "?") return [char, "use glob()"];
  if (/^\$[\w({]/.test(text)) return [char, "put the value in by ${...}"];
  if (beginsWord && /^~(\/|\s|$)/.test(text)) return [char, "put the path in by ${...}"];
  return undefined;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof URL) {
    return value.protocol === "file:" ? pathOf(value) : value.href;
  }
  const kind = value === null ? "null" : typeof value;
  throw issue(
    `a value is ${kind}, and no word: it has to be text, a number, a URL, or an array of them`,
  );
}

/** Refuses what would be U+FFFD in UTF-8, and so another word. */
function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw issue(
    `a value has a lone surrogate, which no argument can have: ${shown(text)}; the name ` +
      "of a file that is not UTF-8 cannot be passed on",
  );
}

const NOT_ALONE = () => issue("an array is several words, and has to stand alone between blanks");

/** The error of a text that is no command without a shell. */
export class WordsError extends TypeError {
  /** What is wrong, without what a template has in its place. */
  readonly issue: string;

  /** Creates an error of one line, whatever the text. */
  constructor(issue: string, advice?: string) {
    const more = advice === undefined ? "" : `; ${advice}`;
    super(escapeControls(`the template of a command: ${issue}${more}`));
    this.issue = issue;
  }
}

function issue(text: string, advice?: string): WordsError {
  return new WordsError(text, advice);
}

/** Returns words as a person would type them in a shell. */
export function shownWords(words: readonly string[]): string {
  return escapeControls(words.map(shellWord).join(" "));
}
