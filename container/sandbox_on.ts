/**
 * What a sandbox is on one machine: the weaker one that needs no user namespaces, and why; and whether
 * there can be others in it.
 *
 * @module
 */

import { UnsupportedError } from "../ffi/errors.ts";
import type { Host } from "../host/host.ts";
import { refusalFix } from "../plan/namespace_fixes.ts";
import { degradedSteps, lacksOf } from "../recipe/degraded_sandbox.ts";
import { FILES_SINCE } from "../recipe/landlock_rights.ts";
import { type SandboxOptions, sandboxSteps } from "../recipe/sandbox.ts";
import type { Step } from "../recipe/steps.ts";

/** Why a sandbox is weaker than others, and what it does not hold. */
export interface Degradation {
  /** What this machine refuses: `"clone fails with EPERM"`. */
  readonly refused: string;
  /** What to do about it, where that is known. */
  readonly fix: string | undefined;
  /** What is not held, in short. */
  readonly lacks: readonly string[];
}

/** The steps of a sandbox on one machine. */
export interface SandboxOnHost {
  readonly steps: readonly Step[];
  readonly degraded: Degradation | undefined;
}

/**
 * Returns the steps of a sandbox: those of the weaker one if `degrade` allows it and the host refuses
 * user namespaces.
 *
 * @throws {UnsupportedError} where the host refuses them, and its Landlock holds no files; with `nest`
 * as root
 */
export function sandboxOn(host: Host, options: SandboxOptions): SandboxOnHost {
  const whole = sandboxSteps(options);
  if (options.nest === true && host.credentials().euid === 0) {
    throw new UnsupportedError(
      "as root the program could map root's id in a user namespace only with CAP_SETFCAP, by which " +
        "it could give files capabilities on this machine; run it as another user",
      { step: "sandbox", field: "nest" },
    );
  }
  const refusal = options.degrade === true ? host.userNamespaceRefusal() : undefined;
  if (refusal === undefined) return { steps: whole, degraded: undefined };
  const { syscall, code } = refusal;
  const version = host.landlockVersion();
  const degraded = {
    refused: `${syscall} fails with ${code}`,
    fix: refusalFix(code, host),
    lacks: lacksOf(options, version),
  };
  if (version >= FILES_SINCE) {
    const { read = [], tryRead = [], ...others } = options;
    const there = tryRead.filter((path) => host.resolve(path).type !== undefined);
    return { steps: degradedSteps({ ...others, read: [...read, ...there] }), degraded };
  }
  throw new UnsupportedError(
    `this machine refuses user namespaces (${degraded.refused}), and ` +
      (version === 0 ? "it has no Landlock" : `its Landlock has version ${version}`) +
      ", where version 3 holds files (Linux 6.2), so that it can make no sandbox at all",
    { advice: degraded.fix === undefined ? [] : [degraded.fix] },
  );
}
