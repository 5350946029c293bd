/**
 * The steps about the process itself: `setEnv`, `umask`, `rlimit`, `newSession`, `dieWithParent`
 * and `init`.
 *
 * @module
 */

import { RLIMITS } from "../../ffi/calls/constants/limits.ts";
import { type SignalName, SIGNALS } from "../../ffi/calls/constants/signals.ts";
import {
  dictionary,
  either,
  integer,
  list,
  oneOf,
  optional,
  schema,
  text,
  variableName,
} from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Sets variables of the program's environment. */
export interface SetEnvStep {
  /** The name of the step. */
  readonly step: "setEnv";
  /** The variables. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Sets variables of the program's environment. Those that a command is given come over them. Needs
 * no privilege.
 *
 * @throws {SyscallError} when the program is started: `E2BIG` for a variable of 128 KiB or more, or
 * where the environment and the arguments together are more than execve(2) takes
 *
 * @example
 * ```ts
 * import { recipe, setEnv } from "@ramekin/ramekin";
 *
 * const { stdout } = await recipe(setEnv({ LANG: "C" })).command("printenv", { args: ["LANG"] })
 *   .output();
 * console.log(new TextDecoder().decode(stdout)); // C
 * ```
 */
export function setEnv(variables: Readonly<Record<string, string>>): SetEnvStep {
  return { step: "setEnv", variables };
}

/** What the data of `setEnv` may be. */
export const setEnvSchema: StepSchema<SetEnvStep> = stepSchema(
  "setEnv",
  () => ({ variables: dictionary(variableName(), text()) }),
);

/** Takes the environment away. */
export interface ClearEnvStep extends ClearEnvOptions {
  /** The name of the step. */
  readonly step: "clearEnv";
}

/** Options of {@linkcode clearEnv}. */
export interface ClearEnvOptions {
  /** The variables of the script that the program gets all the same, where they are set. */
  readonly keep?: readonly string[];
}

/**
 * Takes the script's environment away from the program, but for the variables that are to be kept.
 * What later steps and the command set is not touched. Needs no privilege, and nothing of it fails.
 *
 * @example
 * ```ts
 * import { clearEnv, recipe, setEnv } from "@ramekin/ramekin";
 *
 * const box = recipe(clearEnv({ keep: ["TERM"] }), setEnv({ LANG: "C" }));
 * const { stdout } = await box.command("/usr/bin/env").output();
 * console.log(new TextDecoder().decode(stdout)); // TERM=xterm LANG=C
 * ```
 */
export function clearEnv(options: ClearEnvOptions = {}): ClearEnvStep {
  return { step: "clearEnv", ...options };
}

/** What the data of `clearEnv` may be. */
export const clearEnvSchema: StepSchema<ClearEnvStep> = stepSchema(
  "clearEnv",
  () => ({ keep: optional(list(variableName())) }),
);

/** Sets the permission bits that new files do not get. */
export interface UmaskStep {
  /** The name of the step. */
  readonly step: "umask";
  /** The bits. */
  readonly mask: number;
}

/**
 * Sets the permission bits that new files do not get: `umask(0o077)`. Needs no privilege, and
 * nothing of it fails. See umask(2).
 *
 * @example
 * ```ts
 * import { recipe, umask } from "@ramekin/ramekin";
 *
 * const { stdout } = await recipe(umask(0o077)).command("sh", { args: ["-c", "umask"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // 0077
 * ```
 */
export function umask(mask: number): UmaskStep {
  return { step: "umask", mask };
}

/** What the data of `umask` may be. */
export const umaskSchema: StepSchema<UmaskStep> = stepSchema(
  "umask",
  () => ({ mask: integer(0, 0o777) }),
);

/** A resource that setrlimit(2) limits, by prlimit(1)'s word: `"nofile"`. */
export type ResourceName = Lowercase<keyof typeof RLIMITS>;

/** Limits a resource of the process. */
export interface RlimitStep {
  /** The name of the step. */
  readonly step: "rlimit";
  /** The resource. */
  readonly resource: ResourceName;
  /** What is enforced, in the resource's unit; the process may raise it up to `hard`. */
  readonly soft: number | "unlimited";
  /** The ceiling. */
  readonly hard: number | "unlimited";
}

/**
 * Limits a resource of the process and those that it starts, by prlimit(1)'s words: `"nofile"`,
 * `"nproc"`, `"as"`, `"core"` ... Sizes (`"as"`, `"core"`, `"data"`, `"fsize"`, `"memlock"`,
 * `"msgqueue"`, `"rss"`, `"stack"`) are in bytes, `"cpu"` in seconds, `"rttime"` in microseconds; the
 * others are numbers of things, or priorities. To raise a ceiling takes CAP_SYS_RESOURCE on the host.
 * See setrlimit(2).
 *
 * Wherever the step stands, `"nofile"` comes into force just before the program begins.
 *
 * @throws {RecipeError} where `soft` is beyond `hard`
 * @throws {SyscallError} when it is run: `EPERM` where it would raise a ceiling without
 * CAP_SYS_RESOURCE on the host, or `"nofile"` beyond the sysctl fs.nr_open
 *
 * @example
 * ```ts
 * import { recipe, rlimit } from "@ramekin/ramekin";
 *
 * const { stdout } = await recipe(rlimit("nofile", 64)).command("sh", { args: ["-c", "ulimit -n"] })
 *   .output();
 * console.log(new TextDecoder().decode(stdout)); // 64
 * ```
 */
export function rlimit(
  resource: ResourceName,
  soft: number | "unlimited",
  hard: number | "unlimited" = soft,
): RlimitStep {
  return { step: "rlimit", resource, soft, hard };
}

/** What the data of `rlimit` may be. */
export const rlimitSchema: StepSchema<RlimitStep> = stepSchema("rlimit", () => {
  const limit = either(integer(0), oneOf(["unlimited"]));
  return {
    resource: oneOf(Object.keys(RLIMITS).map((name) => name.toLowerCase())),
    soft: limit,
    hard: limit,
  };
}, ({ soft, hard }) => {
  if (hard !== "unlimited" && (soft === "unlimited" || soft > hard)) {
    return `"soft" (${soft}) is beyond "hard" (${hard})`;
  }
  return undefined;
});

/** Makes the program the leader of a new session. */
export interface NewSessionStep {
  /** The name of the step. */
  readonly step: "newSession";
}

/**
 * Makes the program the leader of a new session without a controlling terminal, so that it cannot
 * push characters into the caller's (TIOCSTI). Needs no privilege. See setsid(2).
 *
 * @throws {SyscallError} when it is run: `EPERM` where the program leads a session already, as it
 * does behind another `newSession`
 *
 * @example
 * ```ts
 * import { newSession, recipe } from "@ramekin/ramekin";
 *
 * const box = recipe(newSession());
 * console.log((await box.command("true").output()).success); // true
 * ```
 */
export function newSession(): NewSessionStep {
  return { step: "newSession" };
}

/** What the data of `newSession` may be. */
export const newSessionSchema: StepSchema<NewSessionStep> = stepSchema("newSession", () => ({}));

/** Says what becomes of the container when the script ends. */
export interface DieWithParentStep {
  /** The name of the step. */
  readonly step: "dieWithParent";
  /** The signal that it gets, or `null` when it is to live on. */
  readonly signal: SignalName | null;
}

/**
 * Says what becomes of the container when the script ends, by whatever cause. Without this step it
 * is killed; this one has it told by another signal, or live on: `dieWithParent(null)`. See
 * PR_SET_PDEATHSIG in prctl(2).
 *
 * It is the first process that ends with the script; in a pid namespace all others end with that. A
 * program that gains rights by its file (set-user-ID, capabilities) is no longer tied to the
 * script: `noNewPrivileges()`, `init()` or a user namespace keeps it so. Needs no privilege, and
 * nothing of it fails.
 *
 * @example
 * ```ts
 * import { dieWithParent, recipe } from "@ramekin/ramekin";
 *
 * const box = recipe(dieWithParent("SIGTERM"));
 * console.log((await box.command("true").output()).success); // true
 * ```
 */
export function dieWithParent(signal: SignalName | null = "SIGKILL"): DieWithParentStep {
  return { step: "dieWithParent", signal };
}

/** What the data of `dieWithParent` may be. */
export const dieWithParentSchema: StepSchema<DieWithParentStep> = stepSchema(
  "dieWithParent",
  () => {
    const names = Object.keys(SIGNALS);
    const name = oneOf(names);
    return {
      signal: schema(
        `${name.expected}, or null`,
        (value) => value === null ? undefined : name.issue(value),
        () => ({ enum: [...names, null] }),
      ),
    };
  },
);

/** Puts a small init before the program. */
export interface InitStep {
  /** The name of the step. */
  readonly step: "init";
}

/**
 * Makes a small init PID 1 of the container, and the program, with all steps behind this one, its
 * child. The init reaps orphans, forwards signals, and ends with the program: with its exit code,
 * or with 128 and the number of the signal that ended it. Without it the program itself is PID 1,
 * which ignores the signals that it does not handle (pid_namespaces(7)). Needs `unshare("pid")`
 * before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("pid")` before it, behind another one,
 * or in a pid namespace that is joined, where there is a PID 1 already
 *
 * @example
 * ```ts
 * import { init, mapRoot, proc, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), init());
 * const { stdout } = await box.command("sh", { args: ["-c", "echo $$"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // 2
 * ```
 */
export function init(): InitStep {
  return { step: "init" };
}

/** What the data of `init` may be. */
export const initSchema: StepSchema<InitStep> = stepSchema("init", () => ({}));
