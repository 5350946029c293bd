/**
 * Recipes from YAML texts (JSON is a subset of YAML), with the line and column of each error.
 *
 * @module
 */

import { PermissionError } from "../ffi/errors.ts";
import type { TextPosition } from "../ffi/text_position.ts";
import { suggestion } from "../recipe/nearest.ts";
import { isObject } from "../recipe/schema.ts";
import { quoted } from "../recipe/shown.ts";
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
  readonly include?: (path: string, from: string | undefined) => { file: string; text: string };
}

/** A recipe from a text, with the positions of its steps. */
export interface RecipeText {
  /** The recipe. */
  readonly recipe: Recipe;
  /** Returns the error with the position of its step in the text. */
  located<E extends RecipeError | PermissionError>(error: E): E;
}

/** A step with its position. */
interface StepText {
  readonly step: unknown;
  position(field?: string): TextPosition;
}

/** The most steps of a recipe. By aliases, a small text could have any number. */
const MAX_STEPS = 1000;

/** Reads a recipe, and keeps the positions of its steps. */
export function readRecipe(text: string, options: ParseOptions = {}): RecipeText {
  const steps = stepsOf(text, options, []);
  const located = <E extends RecipeError | PermissionError>(error: E): E => {
    const at = error.stepIndex === undefined ? undefined : steps[error.stepIndex];
    return at === undefined || error.position !== undefined ? error : placed(error, at) as E;
  };
  try {
    return { recipe: recipe(...steps.map(({ step }) => step as Step)), located };
  } catch (error) {
    throw error instanceof RecipeError ? located(error) : error;
  }
}

function placed(error: RecipeError | PermissionError, at: StepText): RecipeError | PermissionError {
  const { step, stepIndex } = error;
  if (error instanceof PermissionError) {
    const { issue, grant, value } = error;
    return new PermissionError(issue, grant, { value, step, stepIndex, position: at.position() });
  }
  const { issue, field } = error;
  return new RecipeError(issue, { step, stepIndex, field, position: at.position(field) });
}

const KEYS = ["steps", "variables"];

function stepsOf(text: string, options: ParseOptions, chain: readonly string[]): StepText[] {
  const { value, positions } = parse(text, options.file);
  const position = (path: readonly (string | number)[]) => ({
    file: options.file,
    ...positions.at(path),
  });
  const refuse = (message: string, ...path: (string | number)[]): never => {
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
  const variables = new Substitution(variablesOf(value["variables"], options, refuse));
  const steps = list.flatMap((item, index): StepText[] => {
    const path = ["steps", index];
    const included = isObject(item) && Object.keys(item).length === 1 ? item["include"] : undefined;
    const step = replaced(included ?? item, variables, path, refuse);
    if (included === undefined) {
      return [{ step, position: (field) => position(field ? [...path, field] : path) }];
    }
    if (typeof step !== "string") return refuse('"include" should be a path', ...path, "include");
    return includedSteps(step, options, chain, (message) => refuse(message, ...path, "include"));
  });
  if (steps.length > MAX_STEPS) refuse(`a recipe has at most ${MAX_STEPS} steps`, "steps");
  return steps;
}

function includedSteps(
  path: string,
  options: ParseOptions,
  chain: readonly string[],
  refuse: (message: string) => never,
): StepText[] {
  if (options.include === undefined) {
    return refuse("a text can include no files; load the recipe from a file");
  }
  let read: { file: string; text: string };
  try {
    read = options.include(path, options.file);
  } catch (error) {
    return refuse(`"${path}" cannot be read: ${(error as Error).message}`);
  }
  const way = [...chain, options.file ?? ""];
  if (way.includes(read.file)) {
    return refuse(`"${path}" includes itself: ${[...way, read.file].join(" > ")}`);
  }
  return stepsOf(read.text, { ...options, file: read.file }, way);
}

function parse(
  text: string,
  file: string | undefined,
): { readonly value: unknown; readonly positions: Positions } {
  try {
    const events = parseEvents(text, {});
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
  refuse: (message: string, ...path: (string | number)[]) => never,
): Map<string, Variable> {
  if (declared !== undefined && !isObject(declared)) {
    return refuse('"variables" should be a mapping of names and their defaults', "variables");
  }
  const defaults = Object.entries(declared ?? {});
  for (const [name, value] of defaults) {
    if (value !== null && !isVariable(value)) {
      refuse(
        `the default of "${name}" should be a string, a number, true or false`,
        "variables",
        name,
      );
    }
  }
  return new Map(
    [...defaults, ...Object.entries(given)].filter((entry): entry is [string, Variable] =>
      isVariable(entry[1])
    ),
  );
}

function isVariable(value: unknown): value is Variable {
  return ["string", "number", "boolean"].includes(typeof value);
}

function replaced(
  value: unknown,
  variables: Substitution,
  path: readonly (string | number)[],
  refuse: (message: string, ...path: (string | number)[]) => never,
): unknown {
  try {
    return variables.replace(value, path);
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    return refuse(error.message, ...error.path);
  }
}
