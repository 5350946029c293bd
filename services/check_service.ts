/**
 * What is wrong with a service, before any runs.
 *
 * @module
 */

import { checkCommand, type CommandOptions } from "../container/command_options.ts";
import { Recipe } from "../container/recipe.ts";
import {
  integer,
  invalidField,
  isObject,
  list,
  object,
  oneOf,
  optional,
  type Schema,
  schema,
  text,
} from "../recipe/schema.ts";
import { shown } from "../recipe/shown.ts";
import type { SupervisedOptions } from "./supervise.ts";

/**
 * Checks the options of a service.
 *
 * @throws {TypeError} that names the service and the option
 */
export function checkService(name: string, options: SupervisedOptions): void {
  if (!isObject(options)) {
    throw new TypeError(`the service ${name} should be an object, not ${shown(options)}`);
  }
  const wrong = invalidField(options, FIELDS);
  if (wrong !== undefined) {
    throw new TypeError(`the service ${name}: its option "${wrong.field}" ${wrong.issue}`);
  }
  try {
    checkCommand(String(options.program), commandOptionsOf(options));
  } catch (error) {
    throw new TypeError(`the service ${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** What a recipe's command() takes of the options of a service. */
export function commandOptionsOf(options: SupervisedOptions): CommandOptions {
  const entries = Object.entries(options).filter(([name]) => Object.hasOwn(OF_COMMANDS, name));
  return Object.fromEntries(entries);
}

function instance(expected: string, holds: (value: unknown) => boolean): Schema {
  const issue = (value: unknown) => `should be ${expected}, not ${shown(value)}`;
  return schema(expected, (value) => holds(value) ? undefined : issue(value));
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

/** Those of a command are checked as that has them. */
const ANY: Schema = optional(schema("a value", () => undefined));

const OF_COMMANDS = {
  args: ANY,
  argv0: ANY,
  clearEnv: ANY,
  cwd: ANY,
  env: ANY,
  fds: ANY,
  gid: ANY,
  killAfter: ANY,
  permissions: ANY,
  uid: ANY,
};

const NAMES = list(text());
const COMMAND = list(text(), 1);

const FIELDS: Readonly<Record<keyof SupervisedOptions, Schema>> = {
  ...OF_COMMANDS,
  program: instance(
    "a program",
    (value) => typeof value === "string" || value instanceof URL,
  ),
  recipe: optional(instance("a recipe", (value) => value instanceof Recipe)),
  ready: optional(
    instance(
      'port(NUMBER), line(PATTERN), "notify" or a function',
      (value) =>
        value === "notify" || isFunction(value) ||
        (isObject(value) && ("port" in value || "line" in value)),
    ),
  ),
  readyTimeout: optional(integer()),
  restart: optional(object({
    policy: optional(oneOf(["always", "on-failure", "never"])),
    backoff: optional(integer()),
    max: optional(integer()),
  })),
  health: optional(object({
    every: integer(1),
    command: instance(
      "a list of a program and its arguments, or a function",
      (value) => isFunction(value) || COMMAND.issue(value) === undefined,
    ),
    timeout: optional(integer(1)),
    failures: optional(integer(1)),
  })),
  watchdog: optional(integer(1)),
  log: optional(
    instance(
      '"inherit", "null", a function or an object with the path of a file',
      (value) => value === "inherit" || value === "null" || isFunction(value) || isObject(value),
    ),
  ),
  after: optional(
    instance(
      "the name of a service, or a list of names",
      (value) => typeof value === "string" || NAMES.issue(value) === undefined,
    ),
  ),
};
