/**
 * The step `landlock`: the files and TCP ports that the program may use. See landlock(7).
 *
 * @module
 */

import { absolutePath, boolean, integer, list, oneOf, optional } from "../schema.ts";
import { SCOPES } from "../landlock_rights.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Limits the files and TCP ports that the program may use. */
export interface LandlockStep extends LandlockRules {
  /** The name of the step. */
  readonly step: "landlock";
}

/**
 * The rules of {@linkcode landlock}. With at least one of `read`, `write`, `execute` and `public`, all
 * files that none of them allows are denied; without the four, files are not limited. Likewise `bindTcp`
 * limits the ports to bind, and `connectTcp` the ports to connect to.
 *
 * A path is a file, or a directory with everything beneath it, in the container as it is at this
 * step.
 */
export interface LandlockRules {
  /** The files to read, and the directories to list. */
  readonly read?: readonly string[];
  /** The files and directories to write, create, remove and rename; reading is not included. */
  readonly write?: readonly string[];
  /**
   * The files to execute, which includes reading them: programs, their loader and their libraries.
   */
  readonly execute?: readonly string[];
  /**
   * The same, as far as they are there and all users may read them: for what differs from machine to
   * machine. Files of the host, in a recipe without a mount namespace and a root of its own.
   */
  readonly public?: readonly string[];
  /**
   * What a rule for a directory around them leaves out, by all names that mounts and links give it.
   * Landlock cannot take away what it allows, so there is a rule for each other file of that directory
   * in its place, as they are when the recipe is planned, and none for symbolic links: the directory
   * itself cannot be listed, and what is made in it later is denied. Files of the host, as those of
   * `public`.
   */
  readonly except?: readonly string[];
  /** The same of `write` alone. */
  readonly exceptWrite?: readonly string[];
  /**
   * Whether the program is untrusted, and may have put symbolic links in what it may write: a path of
   * the host that leads over such a link is refused. Filesystems of the kernel that are mounted below a
   * path, such as the /proc of a chroot, are left out, and refused as a path. Files of the host, as
   * those of `public`, which are trusted.
   */
  readonly untrusted?: boolean;
  /** The TCP ports to bind. */
  readonly bindTcp?: readonly number[];
  /** The TCP ports to connect to, on any address. */
  readonly connectTcp?: readonly number[];
  /**
   * What does not reach processes outside: unix sockets with abstract names, signals.
   */
  readonly isolate?: readonly ("abstractSockets" | "signals")[];
  /** Whether a kernel that cannot deny all of this may deny less, down to nothing. */
  readonly degrade?: boolean;
}

/**
 * Limits the files and TCP ports of the program and of all that it starts, whatever its user and
 * its namespaces. Open files stay open; the program can gain no privileges, as after
 * `noNewPrivileges()`.
 *
 * The rules take effect just before the program starts, so that they limit no other step; the
 * program itself cannot mount anything. It can change the attributes of mounts (mount_setattr(2)): what
 * is root in the container makes `readonlyPaths()` writable again, for which `capabilities({ keep: [] })`
 * leaves no right. Needs Linux 6.2 for files, 6.7 for ports and 6.12 for
 * `isolate`; `write` includes ioctl(2) on devices from Linux 6.10 on.
 *
 * @throws {RecipeError} without any rule; when it is planned, for `public` and `except` in a recipe with
 * other files than the host's, and for a file in `except` that has a second name (a hard link)
 * @throws {UnsupportedError} when it is planned where the kernel cannot deny all of this, and
 * `degrade` is not given
 * @throws {SyscallError} when it is run: `ENOENT` for a path that does not exist, `E2BIG` where 16
 * rulesets are active already; when the program is started: `EACCES` where `execute` does not
 * include it, its loader or a library
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

/** The rules about files, in the order in which they are added. */
export const FILE_WORDS = ["read", "write", "execute", "public"] as const;

/** The rules about ports, in the order in which they are added. */
export const PORT_WORDS = ["bindTcp", "connectTcp"] as const;

/** What the data of `landlock` may be. */
export const landlockSchema: StepSchema<LandlockStep> = stepSchema("landlock", () => {
  const paths = optional(list(absolutePath()));
  const ports = optional(list(integer(0, 65535)));
  return {
    read: paths,
    write: paths,
    execute: paths,
    public: paths,
    except: paths,
    exceptWrite: paths,
    untrusted: optional(boolean()),
    bindTcp: ports,
    connectTcp: ports,
    isolate: optional(list(oneOf(Object.keys(SCOPES)))),
    degrade: optional(boolean()),
  };
}, (step) => {
  const rules = [...FILE_WORDS, ...PORT_WORDS, "isolate"] as const;
  return rules.every((rule) => step[rule] === undefined)
    ? `needs at least one rule: ${rules.join(", ")}`
    : undefined;
});
