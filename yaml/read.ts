/**
 * Recipes from YAML texts (JSON is a subset of YAML), with the line and column of each error.
 *
 * @module
 */

import {
  PermissionError,
  type RamekinError,
  SyscallError,
  UnsupportedError,
} from "../ffi/errors.ts";
import type { TextPosition } from "../ffi/text_position.ts";
import { suggestion } from "../recipe/nearest.ts";
import { isObject } from "../recipe/schema.ts";
import { quoted } from "../recipe/shown.ts";
import { MAX_VALUES, RecipeSize } from "../recipe/size.ts";
import { type Recipe, recipe } from "../container/recipe.ts";
import { RecipeError } from "../recipe/errors.ts";
import type { Step } from "../recipe/steps.ts";
import { constructFromEvents, parseEvents, YAMLException } from "./js_yaml.ts";
import { Positions } from "./positions.ts";
import { Substitution, type Variable, VariableError } from "./variables.ts";

/** Options of {@linkcode parseRecipe}. */
export interface ParseOptions {
  /** The name of the file of the text, for messages. */
  readonly file?: string;
  /** Values for the variables of the text, in place of their defaults. */
  readonly variables?: Readonly<Record<string, Variable>>;
  /**
   * Reads an included file, or throws if that is not allowed; without it, a text can include none.
   */
  readonly include?: (path: string, from: string | undefined) => RecipeSource;
}

/** A file of a recipe. */
export interface RecipeSource {
  /** The name of the file, for messages; files of the same name are the same. */
  readonly file: string;
  /** What is in it. */
  readonly text: string;
}

/** A recipe from a text, with the positions of its steps. */
export interface RecipeText {
  /** The recipe. */
  readonly recipe: Recipe;
  /** Returns the error with the position of its step in the text. */
  located<E extends RamekinError>(error: E): E;
}

/** A step with its position. */
interface StepText {
  readonly step: unknown;
  position(field?: string): TextPosition;
}

/** The most bytes of all texts of a recipe. It may come from an untrusted author. */
export const MAX_BYTES = 1024 * 1024;

/** The most events of a text: a value with its key, and the end of a list or an object. */
const MAX_EVENTS = 3 * MAX_VALUES;

/** The most files that a recipe includes, a file that is included twice counted twice. */
const MAX_INCLUDES = 100;

/** How deep files may include each other. */
const MAX_INCLUDE_DEPTH = 20;

/** The most steps of a recipe. By aliases, a small text could have any number. */
const MAX_STEPS = 1000;

/** Reads a recipe, and keeps the positions of its steps. */
export function readRecipe(text: string, options: ParseOptions = {}): RecipeText {
  const reader = new RecipeReader(options);
  const steps = reader.stepsOf(text, options.file, []);
  reader.requireUse();
  const located = <E extends RamekinError>(error: E): E => {
    const at = error.stepIndex === undefined ? undefined : steps[error.stepIndex];
    return at === undefined || error.position !== undefined ? error : placed(error, at) as E;
  };
  try {
    return { recipe: recipe(...steps.map(({ step }) => step as Step)), located };
  } catch (error) {
    throw error instanceof RecipeError ? located(error) : error;
  }
}

/** Returns an error of the same class with the position. */
function placed(error: RamekinError, at: StepText): RamekinError {
  const { issue, step, stepIndex, field, advice, cause } = error;
  const details = { step, stepIndex, field, advice, cause, position: at.position(field) };
  if (error instanceof PermissionError) {
    return new PermissionError(issue, error.grant, { ...details, value: error.value });
  }
  if (error instanceof SyscallError) {
    const { syscall, errno, call, hint } = error;
    return new SyscallError({ ...details, syscall, errno, call, hint });
  }
  if (error instanceof UnsupportedError) return new UnsupportedError(issue, details);
  return error instanceof RecipeError ? new RecipeError(issue, details) : error;
}

const KEYS = ["steps", "variables"];

/** Throws an error about a value of a text, by the keys that lead to it. */
type Refuse = (message: string, ...path: (string | number)[]) => never;

/** Reads the texts of one recipe. */
class RecipeReader {
  readonly #options: ParseOptions;
  #length = 0;
  #includes = 0;
  #steps = 0;
  readonly #size = new RecipeSize();
  /** The names of the variables that the texts have, by their defaults or in a value. */
  readonly #variables = new Set<string>();

  constructor(options: ParseOptions) {
    this.#options = options;
  }

  /** Refuses a variable that is given and that no text has. */
  requireUse(): void {
    const names = [...this.#variables];
    for (const name of Object.keys(this.#options.variables ?? {})) {
      if (this.#variables.has(name)) continue;
      throw new RecipeError(`there is no variable ${quoted(name)}${suggestion(name, names)}`, {
        position: { file: this.#options.file, line: 1, column: 1 },
      });
    }
  }

  /**
   * Reads the steps of a text.
   *
   * @param chain the files that include it, the outermost first
   */
  stepsOf(text: string, file: string | undefined, chain: readonly string[]): StepText[] {
    this.#length += text.length;
    if (this.#length > MAX_BYTES) {
      throw new RecipeError(`a recipe has at most ${MAX_BYTES} bytes, with all that it includes`, {
        position: { file, line: 1, column: 1 },
      });
    }
    const { value, positions } = parse(text, file);
    const position = (path: readonly (string | number)[]) => ({ file, ...positions.at(path) });
    const refuse: Refuse = (message, ...path) => {
      throw new RecipeError(message, { position: position(path) });
    };
    if (!isObject(value)) return refuse('a recipe should be a mapping with the key "steps"');
    for (const key of Object.keys(value)) {
      if (KEYS.includes(key)) continue;
      refuse(
        `there is no key ${quoted(key)} in a recipe, only "steps" and "variables"` +
          suggestion(key, KEYS),
        key,
      );
    }
    const list = value["steps"];
    if (!Array.isArray(list)) return refuse('"steps" should be a list of steps', "steps");
    const variables = variablesOf(value["variables"], this.#options, refuse);
    for (const name of Object.keys(value["variables"] ?? {})) this.#variables.add(name);
    const substitution = new Substitution(variables, this.#variables);
    return list.flatMap((item, index): StepText[] => {
      const path = ["steps", index];
      // By aliases, a small text can have much to replace variables in.
      this.#size.add(item);
      const { issue } = this.#size;
      if (issue !== undefined) refuse(issue, ...path);
      const included = isObject(item) && Object.keys(item).length === 1
        ? item["include"]
        : undefined;
      const step = replaced(included ?? item, substitution, path, refuse);
      if (included === undefined) {
        if (++this.#steps > MAX_STEPS) refuse(`a recipe has at most ${MAX_STEPS} steps`, ...path);
        return [{ step, position: (field) => position(field ? [...path, field] : path) }];
      }
      if (typeof step !== "string") return refuse('"include" should be a path', ...path, "include");
      return this.#included(step, file, chain, (message) => refuse(message, ...path, "include"));
    });
  }

  #included(
    path: string,
    from: string | undefined,
    chain: readonly string[],
    refuse: Refuse,
  ): StepText[] {
    const { include } = this.#options;
    if (include === undefined) {
      return refuse("a text can include no files; load the recipe from a file");
    }
    if (++this.#includes > MAX_INCLUDES) refuse(`a recipe includes at most ${MAX_INCLUDES} files`);
    const way = [...chain, from ?? ""];
    if (way.length > MAX_INCLUDE_DEPTH) {
      refuse(`files include each other at most ${MAX_INCLUDE_DEPTH} deep`);
    }
    let read: RecipeSource;
    try {
      read = include(path, from);
    } catch (error) {
      return refuse(`${quoted(path)} cannot be read: ${(error as Error).message}`);
    }
    if (way.includes(read.file)) {
      return refuse(`${quoted(path)} includes itself: ${[...way, read.file].join(" > ")}`);
    }
    return this.stepsOf(read.text, read.file, way);
  }
}

function parse(
  text: string,
  file: string | undefined,
): { readonly value: unknown; readonly positions: Positions } {
  try {
    const events = parseEvents(text, {});
    if (events.length > MAX_EVENTS) {
      throw new RecipeError(`a recipe has at most ${MAX_VALUES} values`, {
        position: { file, line: 1, column: 1 },
      });
    }
    const documents = constructFromEvents(events, { source: text });
    if (documents.length > 1) {
      throw new RecipeError("a recipe is one document, and another one follows `---`");
    }
    return { value: documents[0], positions: new Positions(text, events) };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { line = 0, column = 0 } = error.mark ?? {};
    throw new RecipeError(`invalid YAML: ${error.reason}`, {
      position: { file, line: line + 1, column: column + 1 },
    });
  }
}

/** Returns the values of the variables: those that are given, else the defaults of the text. */
function variablesOf(
  declared: unknown,
  { variables: given = {} }: ParseOptions,
  refuse: Refuse,
): Map<string, Variable> {
  if (declared !== undefined && !isObject(declared)) {
    return refuse('"variables" should be a mapping of names and their defaults', "variables");
  }
  const defaults = Object.entries(declared ?? {});
  for (const [name, value] of defaults) {
    if (value !== null && !isVariable(value)) {
      refuse(
        `the default of ${quoted(name)} should be a string, a number, true or false`,
        "variables",
        name,
      );
    }
  }
  const values = new Map(
    defaults.filter((entry): entry is [string, Variable] => isVariable(entry[1])),
  );
  for (const [name, value] of Object.entries(given)) {
    if (!isVariable(value)) continue;
    // --set name=12 is the text "12" where the default is a text.
    values.set(name, typeof values.get(name) === "string" ? String(value) : value);
  }
  return values;
}

function isVariable(value: unknown): value is Variable {
  return ["string", "number", "boolean"].includes(typeof value);
}

function replaced(
  value: unknown,
  variables: Substitution,
  path: readonly (string | number)[],
  refuse: Refuse,
): unknown {
  try {
    return variables.replace(value, path);
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    return refuse(error.message, ...error.path);
  }
}
