/**
 * The step `landlock`: which files and TCP ports the program may use. See landlock(7).
 *
 * @module
 */

import { absolutePath, boolean, integer, list, oneOf, optional } from "../schema.ts";
import { SCOPES } from "../landlock_rights.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Says which files and TCP ports the program may use. */
export interface LandlockStep extends LandlockRules {
  /** Which step it is. */
  readonly step: "landlock";
}

/**
 * What {@linkcode landlock} allows. Where one of `read`, `write` and `execute` is given, the files
 * that none of them allows are denied; with none of the three, files are as they were. Likewise no
 * port may be bound where `bindTcp` does not allow it, nor connected to but by `connectTcp`.
 *
 * Paths are files, or directories with all that lies beneath them, in the container as it is at this
 * step.
 */
export interface LandlockRules {
  /** What may be read and listed. */
  readonly read?: readonly string[];
  /** What may be written, made, removed, renamed; reading is not among it. */
  readonly write?: readonly string[];
  /**
   * What may be executed, and read, as executing takes it: programs, their loader and their
   * libraries.
   */
  readonly execute?: readonly string[];
  /** The TCP ports that a program may serve. */
  readonly bindTcp?: readonly number[];
  /** The TCP ports that a program may connect to, wherever. */
  readonly connectTcp?: readonly number[];
  /**
   * How the program does not reach those outside: by unix sockets with abstract names, by signals.
   */
  readonly isolate?: readonly ("abstractSockets" | "signals")[];
  /** Whether the kernel's best is good enough where it cannot deny all of this; down to nothing. */
  readonly degrade?: boolean;
}

/**
 * Limits the files and TCP ports of the program and of all that it starts, whatever its user and
 * its namespaces. Files that are open already stay so; the program gains no privileges any more, as
 * after `noNewPrivileges()`.
 *
 * The rules come into force just before the program begins, so that they limit no other step; but
 * then nothing can be mounted any more. Needs Linux 6.2 for files, 6.7 for ports and 6.12 for
 * `isolate`; control of devices (ioctl(2)) goes with `write` from Linux 6.10 on.
 *
 * @throws {RecipeError} where it says neither of files, nor of ports, nor what to isolate
 * @throws {UnsupportedError} when it is planned where the kernel cannot deny all of this, and
 * `degrade` is not given
 * @throws {SyscallError} when it is run: `ENOENT` for a path that does not exist, `E2BIG` where 16
 * rulesets are in force already; when the program is started: `EACCES` where it, its loader or a
 * library is not among what may be executed
 *
 * @example
 * ```ts
 * import { landlock, recipe } from "@ramekin/ramekin";
 *
 * const box = recipe(landlock({ execute: ["/"], write: ["/tmp"], connectTcp: [443], degrade: true }));
 * const { success } = await box.command("true").output();
 * console.log(success); // true
 * ```
 */
export function landlock(rules: LandlockRules): LandlockStep {
  return { step: "landlock", ...rules };
}

/** Shared with the lowering. */
export const FILE_WORDS = ["read", "write", "execute"] as const;

/** Shared with the lowering. */
export const PORT_WORDS = ["bindTcp", "connectTcp"] as const;

/** What the data of `landlock` may be. */
export const landlockSchema: StepSchema<LandlockStep> = stepSchema("landlock", () => {
  const paths = optional(list(absolutePath()));
  const ports = optional(list(integer(0, 65535)));
  return {
    read: paths,
    write: paths,
    execute: paths,
    bindTcp: ports,
    connectTcp: ports,
    isolate: optional(list(oneOf(Object.keys(SCOPES)))),
    degrade: optional(boolean()),
  };
}, (step) => {
  return [...FILE_WORDS, ...PORT_WORDS, "isolate" as const].every((word) =>
      step[word] === undefined
    )
    ? `says neither of files (${FILE_WORDS.join(", ")}), nor of ports ` +
      `(${PORT_WORDS.join(", ")}), nor what to isolate`
    : undefined;
});
