/**
 * The steps about the process itself: `setEnv`, `clearEnv`, `umask`, `rlimit`, `newSession`,
 * `dieWithParent` and `init`.
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
  maskBits,
  oneOf,
  optional,
  schema,
  text,
  variableName,
  withDefault,
  withDefaultOf,
} from "../schema.ts";
import { variablePattern } from "../variable_pattern.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Sets variables of the program's environment. */
export interface SetEnvStep {
  /** The name of the step. */
  readonly step: "setEnv";
  /** The variables. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Sets variables of the program's environment. Variables of the command override them. Needs no
 * privilege.
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

/** Clears the environment. */
export interface ClearEnvStep extends ClearEnvOptions {
  /** The name of the step. */
  readonly step: "clearEnv";
}

/** Options of {@linkcode clearEnv}. */
export interface ClearEnvOptions {
  /**
   * The variables of the script's environment that stay, where they are set; `"AWS_*"` is all that
   * begin so.
   */
  readonly keep?: readonly string[];
}

/**
 * Clears the environment that the program gets from the script, except the variables to keep.
 * Variables that later steps and the command set are not affected. Needs no privilege, and
 * nothing of it fails.
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
  () => ({ keep: optional(list(variablePattern())) }),
);

/** Sets the file mode creation mask. */
export interface UmaskStep {
  /** The name of the step. */
  readonly step: "umask";
  /** The bits. */
  readonly mask: number;
}

/**
 * Sets the file mode creation mask, the permission bits that new files do not get: `umask(0o077)`.
 * Needs no privilege, and nothing of it fails. See umask(2).
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
  () => ({ mask: maskBits() }),
);

/** A resource that setrlimit(2) limits, by the name that prlimit(1) has for it: `"nofile"`. */
export type ResourceName = Lowercase<keyof typeof RLIMITS>;

/** Limits a resource of the process. */
export interface RlimitStep {
  /** The name of the step. */
  readonly step: "rlimit";
  /** The resource. */
  readonly resource: ResourceName;
  /** The limit that is enforced, in the resource's unit; the process may raise it up to `hard`. */
  readonly soft: number | "unlimited";
  /** The greatest value that the soft limit can have. */
  readonly hard: number | "unlimited";
}

/**
 * Limits a resource of the process and of those that it starts, by the names of prlimit(1):
 * `"nofile"`, `"nproc"`, `"as"`, `"core"` ... Sizes (`"as"`, `"core"`, `"data"`, `"fsize"`,
 * `"memlock"`, `"msgqueue"`, `"rss"`, `"stack"`) are in bytes, `"cpu"` is in seconds, `"rttime"` in
 * microseconds; the others are counts or priorities. Raising a hard limit needs CAP_SYS_RESOURCE on
 * the host. See setrlimit(2).
 *
 * `"fsize"` limits the files that the program has open itself, and not a stdout or stderr that is
 * copied to a file of the host, as behind `pivotRoot()` (docs/inherited.md).
 *
 * Wherever the step is in the recipe, `"nofile"` takes effect just before the program starts.
 *
 * @throws {RecipeError} where `soft` is greater than `hard`
 * @throws {SyscallError} when it is run: `EPERM` where it would raise a hard limit without
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
    hard: withDefaultOf(limit, "soft"),
  };
}, ({ soft, hard }) => {
  if (hard !== "unlimited" && (soft === "unlimited" || soft > hard)) {
    return `"soft" (${soft}) is greater than "hard" (${hard})`;
  }
  return undefined;
});

/** Sets how likely the OOM killer takes the program. */
export interface OomScoreAdjStep {
  /** The name of the step. */
  readonly step: "oomScoreAdj";
  /** From -1000, never, to 1000, first of all. */
  readonly value: number;
}

/**
 * Sets how likely the kernel kills the program, and what it starts, where memory is short: from
 * -1000, never, to 1000, before all others. A value below the script's own needs CAP_SYS_RESOURCE
 * on the host. See proc_pid_oom_score_adj(5).
 *
 * @throws {SyscallError} when it is run: `EACCES` for a lower value without CAP_SYS_RESOURCE
 *
 * @example
 * ```ts
 * import { oomScoreAdj, recipe } from "@ramekin/ramekin";
 *
 * const box = recipe(oomScoreAdj(1000));
 * const { stdout } = await box.command("cat", { args: ["/proc/self/oom_score_adj"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // 1000
 * ```
 */
export function oomScoreAdj(value: number): OomScoreAdjStep {
  return { step: "oomScoreAdj", value };
}

/** What the data of `oomScoreAdj` may be. */
export const oomScoreAdjSchema: StepSchema<OomScoreAdjStep> = stepSchema(
  "oomScoreAdj",
  () => ({ value: integer(-1000, 1000) }),
);

/** Makes the program the leader of a new session. */
export interface NewSessionStep {
  /** The name of the step. */
  readonly step: "newSession";
}

/**
 * Makes the program the leader of a new session without a controlling terminal, so that it cannot
 * put characters into the caller's terminal (TIOCSTI). Needs no privilege. See setsid(2).
 *
 * @throws {SyscallError} when it is run: `EPERM` where the program is a session leader already, as
 * after another `newSession`
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

/** Sets what happens to the container when the script ends. */
export interface DieWithParentStep {
  /** The name of the step. */
  readonly step: "dieWithParent";
  /** The signal that the container gets; with `null` it goes on. */
  readonly signal: SignalName | null;
}

/**
 * Sets what happens to the container when the script ends, for whatever reason. Without this step
 * the container is killed; with it, the container gets another signal, or goes on:
 * `dieWithParent(null)`, which the option `detached` of a command does too. See PR_SET_PDEATHSIG in
 * prctl(2).
 *
 * The signal goes to the first process of the container; in a pid namespace all others end with
 * that one. A program can reset the setting for itself (prctl(2)), but not for an `init()` that it
 * cannot trace, and can survive any signal but SIGKILL. The kernel drops the setting when a program
 * gains privileges by its file (set-user-ID, capabilities); `noNewPrivileges()`, `init()` or a user
 * namespace prevents that. Needs no privilege.
 *
 * With anything but SIGKILL a small process beside the container, `ramekin-marker NAME`, ends with
 * it: `ramekin ps`, `ramekin enter` and `runningContainers()` find the container by that when the
 * script has ended.
 *
 * What the script does for the container ends with the script in any case: its `timeout` and
 * `maxOutput`, the copying of its `terminal`, and what a step would do at its end, such as moving an
 * interface back (`moveInterface()`).
 *
 * @throws {RecipeError} when it is planned with `null`, and the script forwards its connections: with
 * `publish()`, `masquerade()`, `userNetwork()`, or a list of hosts as a permission
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
      signal: withDefault(
        schema(
          `${name.expected}, or null`,
          (value) => value === null ? undefined : name.issue(value),
          () => ({ enum: [...names, null] }),
        ),
        "SIGKILL",
      ),
    };
  },
);

/** Runs the program as the child of a small init. */
export interface InitStep {
  /** The name of the step. */
  readonly step: "init";
}

/**
 * Makes a small init PID 1 of the container, and the program, with all later steps, its child. The
 * init reaps orphans, forwards signals, and ends with the program: with the same exit code, or with
 * 128 plus the number of the signal that ended it. Without this step the program itself is PID 1,
 * which ignores the signals that it does not handle (pid_namespaces(7)). A PID 1 cannot end itself
 * by a signal either: abort(3) of any program, and SIGTERM of Deno, become SIGSEGV, and the code 139
 * where it would be 134 and 143, as behind an init. Needs `unshare("pid")` before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("pid")` before it, after another one,
 * or in a pid namespace that is joined, which has a PID 1 already
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
