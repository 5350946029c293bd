/**
 * The options of a command, and what they may be.
 *
 * @module
 */

import {
  boolean,
  dictionary,
  id,
  integer,
  invalidField,
  lazy,
  list,
  oneOf,
  optional,
  schema,
  type Schemas,
  text,
  variableName,
} from "../recipe/schema.ts";
import { escapeControls } from "../ffi/control_characters.ts";
import { type Permissions, permissionsSchema } from "../permissions/permissions.ts";
import type { StdioKind } from "../launch/stdio.ts";

/** Options of a command: those of `Deno.Command`, and what a container adds. */
export interface CommandOptions {
  /** Arguments of the program. */
  readonly args?: readonly string[];
  /** Its working directory, in the container; without it, the one that the steps have left. */
  readonly cwd?: string | URL;
  /** Whether it gets nothing of this process's environment. */
  readonly clearEnv?: boolean;
  /** Variables of its environment, over those of this process and of the step `setEnv`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its user, as the container's user namespace has it. */
  readonly uid?: number;
  /** Its group, as the container's user namespace has it. */
  readonly gid?: number;
  /** Kills the container (SIGKILL) when it is aborted. */
  readonly signal?: AbortSignal;
  /** The default is `"null"` for `output()` and `outputSync()`, and `"inherit"` for `spawn()`. */
  readonly stdin?: StdioKind;
  /** The default is `"piped"` for `output()` and `outputSync()`, and `"inherit"` for `spawn()`. */
  readonly stdout?: StdioKind;
  /** The default is `"piped"` for `output()` and `outputSync()`, and `"inherit"` for `spawn()`. */
  readonly stderr?: StdioKind;
  /** After how many milliseconds the container is killed (SIGKILL). */
  readonly timeout?: number;
  /**
   * Whether the program gets a terminal of its own, as shells and editors want one. With the
   * streams inherited, the script's terminal is joined with it; a stream that is piped is the
   * script's side of it.
   */
  readonly terminal?: boolean;
  /**
   * What the recipe may reach of the host: see {@linkcode Permissions}. Without it, the recipe is
   * trusted, as the script's own code is.
   */
  readonly permissions?: Permissions;
}

const commandFields = lazy((): Schemas<CommandOptions> => {
  const kind = optional(oneOf(["piped", "inherit", "null"]));
  return {
    args: optional(list(text())),
    cwd: optional(text({ min: 1 })),
    clearEnv: optional(boolean()),
    env: optional(dictionary(variableName(), text())),
    uid: optional(id()),
    gid: optional(id()),
    signal: optional(schema("an AbortSignal", () => undefined)),
    stdin: kind,
    stdout: kind,
    stderr: kind,
    timeout: optional(integer(0)),
    terminal: optional(boolean()),
    permissions: permissionsSchema(),
  };
});

const programName = lazy(() => text({ min: 1 }));

/**
 * Checks what a command is made of.
 *
 * @throws {TypeError} naming the option that is wrong, as `Deno.Command` does
 */
export function checkCommand(program: string, options: CommandOptions): void {
  const issue = programName().issue(program);
  if (issue !== undefined) throw optionError(`the program's name ${issue}`);
  const wrong = invalidField(
    { ...options, cwd: options.cwd && pathOf(options.cwd) },
    commandFields(),
  );
  if (wrong !== undefined) {
    throw optionError(`the command's option "${wrong.field}" ${wrong.issue}`);
  }
}

/** The path of a file, which may be given as a URL. */
export function pathOf(path: string | URL): string {
  if (typeof path === "string") return path;
  if (path.protocol !== "file:") throw optionError(`${path} is no file: URL`);
  return decodeURIComponent(path.pathname);
}

function optionError(message: string): TypeError {
  return new TypeError(escapeControls(message));
}
