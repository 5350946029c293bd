/**
 * `ramekin sandbox --degrade`: where user namespaces are refused, what the weaker sandbox does not hold.
 *
 * @module
 */

import type { Degradation } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { AUDIT } from "./audit.ts";
import { isDetached } from "./detach_flags.ts";
import { printError } from "./output.ts";
import { grantedList } from "./permission_flags.ts";
import { type Flag, UsageError } from "./usage.ts";

/** The flag. */
export const DEGRADE: Flag = {
  name: "degrade",
  summary: "where this machine refuses user namespaces, hold it by Landlock and seccomp alone",
};

/** The flag that keeps it from saying so. */
export const QUIET: Flag = {
  name: "quiet",
  letter: "q",
  summary: "do not tell what a degraded sandbox lacks",
};

/** Tells what the sandbox lacks, and refuses what it cannot do. */
export function reportDegradation(given: Arguments, { refused, lacks }: Degradation): void {
  const why = `this machine refuses user namespaces (${refused})`;
  const [host] = grantedList(given, "net", given.has("allow-all")) ?? [];
  if (host !== undefined) {
    throw new UsageError(
      `--allow-net=${host}: ${why}, and without them the program cannot be held to hosts; ` +
        "--allow-net gives it the whole network",
    );
  }
  if (isDetached(given)) {
    throw new UsageError(
      `--detach: ${why}, and without them what the program leaves running goes on`,
    );
  }
  if (given.has(AUDIT.name)) {
    throw new UsageError(`--audit: ${why}, and it sees nothing of what Landlock denies`);
  }
  if (given.has(QUIET.name)) return;
  printError(`ramekin: ${why}; the sandbox is a weaker one:\n  ${lacks.join("\n  ")}`);
}
