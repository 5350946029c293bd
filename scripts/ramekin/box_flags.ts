/**
 * The flags of a sandbox, read for a box: by their words alone, as the machine, the directory and the
 * variables are those of whoever runs it.
 *
 * @module
 */

import { type Recipe, sandbox } from "../../mod.ts";
import { climbs } from "../../recipe/path.ts";
import { includesVariable } from "../../recipe/variable_pattern.ts";
import type { Arguments } from "./arguments.ts";
import { DENIAL_FLAGS, deniedList, type DeniedName, listOf } from "./permission_flags.ts";
import { type FlagReading, optionsOf } from "./sandbox.ts";
import { byFlags } from "./sandbox_flags.ts";
import { UsageError } from "./usage.ts";

/** How the flags of a box are read. */
export const IN_BOX: FlagReading = {
  path: boxPath,
  optional: boxPath,
  // refuseDenials() has refused it.
  denied: boxPath,
  variables: () => ["*"],
  without: withoutDenied,
};

/** A pattern stays as it is, so that it can only be denied as a whole. */
function withoutDenied(allowed: readonly string[], denied: readonly string[]): readonly string[] {
  const kept = allowed.filter((name) => !includesVariable(denied, name));
  for (const pattern of kept.filter((name) => name.endsWith("*"))) {
    const name = denied.find((name) => name.startsWith(pattern.slice(0, -1)));
    if (name === undefined) continue;
    const some = pattern === "*" ? "all variables are" : `${pattern} stands for`;
    throw new UsageError(
      `--deny-env=${name}: what ${some} is known only where the box runs; list those that it ` +
        "gets: --allow-env=NAMES",
    );
  }
  return kept;
}

function boxPath(path: string, flag: string): string {
  if (!path.startsWith("/")) {
    throw new UsageError(
      `${flag}: the directory is that of who runs the box, or another one; name the file from ` +
        `the root: ${fromRoot(path)}`,
    );
  }
  if (climbs(path)) {
    throw new UsageError(
      `${flag}: where .. leads is known only where the box runs; name the file without it`,
    );
  }
  return path;
}

/** How the shell writes the path from the root. */
function fromRoot(path: string): string {
  if (path.startsWith("~")) return 'write "$HOME", as a shell expands ~ only where a word begins';
  const below = path.replace(/^(\.(\/+|$))+/, "");
  return climbs(path) ? "/..." : below === "" ? '"$PWD"' : `"$PWD"/${below}`;
}

/** The sandbox that the flags ask for, of a kind that a box can make. */
export function boxedSandbox(given: Arguments, reading: FlagReading): Recipe {
  if (given.has("allow-net") && listOf(given, "allow-net") !== undefined) {
    throw new UsageError(
      "--allow-net with hosts: a box cannot pass connections on, as ramekin does; --allow-net alone " +
        "gives it the whole network",
    );
  }
  refuseDenials(given);
  const options = optionsOf(given, reading);
  const terminal = includesVariable(deniedList(given, "env"), "TERM") ? [] : ["TERM"];
  const env = [...new Set([...terminal, ...options.env ?? []])];
  return byFlags(() => sandbox({ ...options, env }));
}

/** Refuses what a box cannot deny. */
function refuseDenials(given: Arguments): void {
  for (const [denied, why] of Object.entries(NOT_IN_BOX)) {
    const { name } = DENIAL_FLAGS[denied as DeniedName];
    if (!given.has(name)) continue;
    const [value] = listOf(given, name) ?? [];
    throw new UsageError(`--${name}${value === undefined ? "" : `=${value}`}: ${why}`);
  }
}

const NOT_IN_BOX: Readonly<Partial<Record<DeniedName, string>>> = {
  net:
    "a box cannot hold connections to hosts, as ramekin does; it has no network without --allow-net",
};
