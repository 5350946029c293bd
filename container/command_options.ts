/**
 * The options of a command, and their validation.
 *
 * @module
 */

import {
  boolean,
  dictionary,
  either,
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
import { type Permissions, permissionsSchema } from "../permissions/permissions.ts";
import { CONTAINER_NAME, isContainerName } from "../recipe/container_name.ts";
import { shown } from "../recipe/shown.ts";
import { optionError, pathOf } from "./command_paths.ts";
import { fdsSchema, type StdioOptions, stdioSchema } from "./stdio_options.ts";

/** Options of a command: those of `Deno.Command`, and what a container adds. */
export interface CommandOptions extends StdioOptions {
  /** The program's arguments. */
  readonly args?: readonly string[];
  /**
   * The name by which the program is called, its argv[0]: `"-sh"` makes a shell a login shell. The
   * default is the name of the command.
   */
  readonly argv0?: string;
  /**
   * The name of the container, by which `runningContainers()` lists it and `attach()` finds it: of
   * letters, digits, `.`, `_` and `-`, 64 at most. The default is the name of the program.
   */
  readonly name?: string;
  /** Its working directory in the container. The default is the one of the steps. */
  readonly cwd?: string | URL;
  /** Whether it gets no variables of this process's environment. */
  readonly clearEnv?: boolean;
  /** Variables that override those of this process and of the step `setEnv`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its user id in the container's user namespace. */
  readonly uid?: number;
  /** Its group id in the container's user namespace. */
  readonly gid?: number;
  /**
   * Ends the container when aborted: see `killAfter`. One that is aborted before throws its reason,
   * and nothing runs. Without effect in `outputSync()`, during which no event occurs.
   */
  readonly signal?: AbortSignal;
  /**
   * The number of bytes that `output()` and `outputSync()` collect of stdout, and of stderr. A
   * program that writes more is killed with its container (SIGKILL), and an
   * {@linkcode OutputLimitError} is thrown. Without it, the bound is that of the steps, which
   * `sandbox()` has; without one, or with `"unlimited"`, they collect whatever a program writes.
   */
  readonly maxOutput?: number | "unlimited";
  /**
   * The time after which the container is ended, in milliseconds: see `killAfter`. Without it, the
   * time is that of the steps, if they have one; `"unlimited"` is none. It begins with the program. A
   * launch that takes longer than this, or than a second, and `killAfter` together is ended too, with a
   * {@linkcode LaunchTimeoutError}.
   */
  readonly timeout?: number | "unlimited";
  /**
   * How long a program that is ended may go on, in milliseconds: by `signal`, by `timeout`, or at the
   * end of an `await using` scope. It gets SIGTERM, and after this time SIGKILL; with 0 it gets
   * SIGKILL at once. So does one that SIGTERM does not reach: a paused one, and PID 1 of a pid
   * namespace without a handler for it.
   *
   * @default {5000}
   */
  readonly killAfter?: number;
  /**
   * Whether the program gets a terminal of its own, which shells and editors need. Inherited
   * streams connect it with the script's terminal; a piped stream is the script's side of it.
   */
  readonly terminal?: boolean;
  /**
   * Whether the program has a session of its own, which no signal of the script's terminal reaches,
   * and runs on when the script ends: as by the steps `newSession` and `dieWithParent(null)`.
   * `unref()` lets the script end before it.
   */
  readonly detached?: boolean;
  /**
   * Whether `container.denials` tells what the program is denied. It takes a recipe with `seccomp()`,
   * as `sandbox()` has, and the event loop, which each call of the program waits for that names a file
   * or a host. With `"uses"`, `container.uses` also tells the files that it uses. A report, and no
   * protection: see docs/sandbox.md.
   */
  readonly audit?: boolean | "uses";
  /**
   * Is called with each message that the program sends as sd_notify(3) does, by the socket that the
   * variable NOTIFY_SOCKET names: `{ READY: "1" }`, `{ STATUS: "loading" }`. A message counts if it
   * comes out of a network of the container's own, or else from a process of the container's. It
   * takes the event loop, which `outputSync()` does not have. What it throws is an unhandled rejection.
   */
  readonly notify?: (message: Readonly<Record<string, string>>) => void;
  /** As for `Deno.Command`: without effect on Linux. */
  readonly windowsRawArguments?: boolean;
  /**
   * The access to the host that is granted: see {@linkcode Permissions}. Without this option, the
   * recipe is trusted like the script's own code.
   */
  readonly permissions?: Permissions;
}

/** Options of a program that enters a container. */
export interface EnterOptions extends CommandOptions {
  /**
   * Its user: that of the container's program, or root of the container's user namespace, with the
   * capabilities that the recipe leaves to root. In a container without a user namespace of its own,
   * `"root"` is the script's user. With `uid` or `gid`, it begins as root too.
   *
   * @default {"program"}
   */
  readonly user?: "program" | "root";
}

const containerName = schema(
  "a name",
  (value) =>
    typeof value === "string" && isContainerName(value)
      ? undefined
      : `should be a name of ${CONTAINER_NAME}, not ${shown(value)}`,
);

const NO_FUNCTION = "should be a function";

const commandFields = lazy((): Schemas<CommandOptions> => {
  return {
    args: optional(list(text())),
    argv0: optional(text()),
    name: optional(containerName),
    cwd: optional(text({ min: 1 })),
    clearEnv: optional(boolean()),
    env: optional(dictionary(variableName(), text())),
    uid: optional(id()),
    gid: optional(id()),
    signal: optional(schema("an AbortSignal", () => undefined)),
    stdin: optional(stdioSchema("stdin")),
    stdout: optional(stdioSchema("stdout")),
    stderr: optional(stdioSchema("stderr")),
    fds: optional(fdsSchema()),
    maxOutput: optional(either(integer(0), oneOf(["unlimited"]))),
    timeout: optional(either(integer(0), oneOf(["unlimited"]))),
    killAfter: optional(integer(0)),
    terminal: optional(boolean()),
    detached: optional(boolean()),
    audit: optional(either(boolean(), oneOf(["uses"]))),
    notify: optional(
      schema("a function", (value) => typeof value === "function" ? undefined : NO_FUNCTION),
    ),
    windowsRawArguments: optional(boolean()),
    permissions: permissionsSchema(),
  };
});

const enteringUser = lazy(() => optional(oneOf(["program", "root"])));

const programName = lazy(() => text({ min: 1 }));

/**
 * Checks the program and the options of a command.
 *
 * @throws {TypeError} if an option is invalid, like `Deno.Command`
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

/**
 * Checks the option of a program that enters a container, beside those of a command.
 *
 * @throws {TypeError} if it is invalid
 */
export function checkEnteringUser(user: EnterOptions["user"]): void {
  const issue = enteringUser().issue(user);
  if (issue !== undefined) throw optionError(`the command's option "user" ${issue}`);
}
