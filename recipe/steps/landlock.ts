/**
 * The step `landlock`: which files and TCP ports the program may use. See landlock(7).
 *
 * @module
 */

import { type Fd, ResultOf } from "../../ffi/call.ts";
import { close, O_CLOEXEC, O_PATH, pipe2, PipeEnds, read } from "../../ffi/calls/files.ts";
import {
  addNetPort,
  addPathBeneath,
  landlock_create_ruleset,
  landlock_restrict_self,
  pathBeneathOutput,
  writePathBeneath,
} from "../../ffi/calls/landlock.ts";
import { UnsupportedError } from "../../ffi/errors.ts";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import { Label } from "../../ffi/program.ts";
import type { Draft } from "../drafting/draft.ts";
import { absolutePath, boolean, integer, list, oneOf, optional } from "../fields.ts";
import { normalize } from "../drafting/ground.ts";
import {
  deniableFileRights,
  FILE_RIGHTS,
  FILES_SINCE,
  PORT_RIGHTS,
  PORTS_SINCE,
  RIGHTS_OF_FILE,
  SCOPES,
  SCOPES_SINCE,
} from "../filters/landlock_rights.ts";
import { openAt } from "../drafting/place.ts";
import type { StepDefinition } from "../step.ts";

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
 * Paths are files, or folders with all that lies beneath them, in the container as it is at this
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

const FILE_WORDS = ["read", "write", "execute"] as const;
const PORT_WORDS = ["bindTcp", "connectTcp"] as const;

/** How `landlock` is checked and planned. */
export const landlockDefinition: StepDefinition<LandlockStep> = {
  step: "landlock",
  get fields() {
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
  },
  complaint(step) {
    return [...FILE_WORDS, ...PORT_WORDS, "isolate" as const].every((word) =>
        step[word] === undefined
      )
      ? `says neither of files (${FILE_WORDS.join(", ")}), nor of ports ` +
        `(${PORT_WORDS.join(", ")}), nor what to isolate`
      : undefined;
  },
  plan(step, draft) {
    const version = landlockVersion();
    if (step.degrade !== true) refuseOlder(step, version);
    const files = FILE_WORDS.some((word) => step[word] !== undefined)
      ? deniableFileRights(version)
      : 0;
    const ports = version < PORTS_SINCE ? 0 : PORT_WORDS.reduce(
      (sum, word) => sum + (step[word] === undefined ? 0 : PORT_RIGHTS[word]),
      0,
    );
    const scopes = version < SCOPES_SINCE ? 0 : (step.isolate ?? []).reduce(
      (sum, word) => sum | SCOPES[word],
      0,
    );
    if (files + ports + scopes === 0) return;
    const created = draft.call(landlock_create_ruleset({ files, ports, scopes }));
    const ruleset = new ResultOf(created, "ruleset");
    if (files !== 0) allowFiles(step, files, ruleset, draft);
    if (ports !== 0) allowPorts(step, ruleset, draft);
    draft.gainNoPrivileges();
    draft.lastly(landlock_restrict_self(ruleset));
  },
};

function refuseOlder(step: LandlockStep, version: number): void {
  const lacking = FILE_WORDS.some((word) => step[word] !== undefined) && version < FILES_SINCE
    ? "limit files (Linux 6.2)"
    : PORT_WORDS.some((word) => step[word] !== undefined) && version < PORTS_SINCE
    ? "limit ports (Linux 6.7)"
    : step.isolate !== undefined && version < SCOPES_SINCE
    ? "isolate a program (Linux 6.12)"
    : undefined;
  if (lacking === undefined) return;
  throw new UnsupportedError(
    `landlock: this kernel cannot ${lacking}: ` +
      (version === 0
        ? "it has no landlock, or not among its security modules (lsm=landlock,...)"
        : `its landlock has version ${version}`) +
      "; { degrade: true } takes what there is",
  );
}

function allowFiles(step: LandlockStep, deniable: number, ruleset: Fd, draft: Draft): void {
  const rights = new Map<string, number>();
  for (const word of FILE_WORDS) {
    for (const path of step[word] ?? []) {
      const place = normalize(path);
      rights.set(place, (rights.get(place) ?? 0) | (FILE_RIGHTS[word] & deniable));
    }
  }
  const pipe = new PipeEnds();
  draft.call(pipe2(pipe.output, O_CLOEXEC));
  for (const [path, allowed] of rights) {
    const place = openAt(draft, path, O_PATH);
    // A folder's rights are EINVAL for a file: nothing tells before which one it is.
    const isFile = new Label("it is a file");
    const done = new Label("it is a folder");
    draft.call(writePathBeneath(pipe.writer, allowed, place));
    const rule = pathBeneathOutput(allowed);
    draft.call(read(pipe.reader, rule, rule.size));
    draft.call(addPathBeneath(ruleset, rule), {
      accept: ["EINVAL"],
      onAccepted: isFile,
      onZero: done,
    });
    draft.place(isFile);
    const ofFile = allowed & RIGHTS_OF_FILE;
    draft.call(writePathBeneath(pipe.writer, ofFile, place));
    const fileRule = pathBeneathOutput(ofFile);
    draft.call(read(pipe.reader, fileRule, fileRule.size));
    draft.call(addPathBeneath(ruleset, fileRule));
    draft.place(done);
    draft.call(close(place));
  }
  draft.call(close(pipe.reader));
  draft.call(close(pipe.writer));
}

function allowPorts(step: LandlockStep, ruleset: Fd, draft: Draft): void {
  const rights = new Map<number, number>();
  for (const word of PORT_WORDS) {
    for (const port of step[word] ?? []) {
      rights.set(port, (rights.get(port) ?? 0) | PORT_RIGHTS[word]);
    }
  }
  for (const [port, allowed] of rights) draft.call(addNetPort(ruleset, allowed, port));
}
