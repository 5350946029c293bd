/**
 * `ramekin learn`: runs a program with all that its user may read, and tells what it has used as the
 * flags of `ramekin sandbox` and as a recipe.
 *
 * @module
 */

import { type Held, type HeldSandboxOptions, hold } from "../../changes/mod.ts";
import { environment } from "../../host.ts";
import {
  type CommandOptions,
  type Container,
  type Permissions,
  sandbox,
  type SandboxOptions,
} from "../../mod.ts";
import { stringifyRecipe } from "../../yaml/mod.ts";
import type { Arguments } from "./arguments.ts";
import { learnedFlags } from "./learn/flags.ts";
import { isWide, learn, type Learnt } from "./learn/grants.ts";
import { homeDirectories } from "./learn/homes.ts";
import { printLearnt, reportOf } from "./learn/report.ts";
import { startedFile } from "./learn/started.ts";
import { NAME_SERVERS, realPath, Secrets } from "./learn/secrets.ts";
import { ReportFile } from "./report_file.ts";
import { runProgram } from "./run_program.ts";
import {
  inheritedBy,
  optionsOf,
  permissionsOf,
  type ShownPaths,
  visibleDirectory,
} from "./sandbox.ts";
import { SUBCOMMANDS } from "./subcommands.ts";
import { tellFinished } from "./try.ts";
import { byFlags } from "./sandbox_flags.ts";
import { UsageError } from "./usage.ts";

/** The flag by which no change stays. */
const DISCARD = "discard";

/** The flag by which what is told is written as JSON. */
const REPORT = "report";

/** All flags of the subcommand. */
const FLAGS = SUBCOMMANDS.find(({ name }) => name === "learn")!.flags;

/** Runs the program, and tells. */
export async function run(given: Arguments): Promise<number> {
  const file = given.value("output");
  using recipe = file === undefined ? undefined : new ReportFile(file, "output");
  const asked = given.value(REPORT);
  using report = asked === undefined ? undefined : new ReportFile(asked, REPORT);
  const homes = homeDirectories(environment()["HOME"]);
  const secrets = new Secrets(homes, Deno.cwd());
  const options = learningOptions(given, secrets, homes);
  await using held = given.has(DISCARD) ? await heldChanges(options) : undefined;
  const permissions = permissionsFor(given);
  const box = byFlags(() =>
    held === undefined ? sandbox(options) : held.sandbox(withoutWrite(options))
  );
  const make = (program: string, command: CommandOptions) =>
    box.command(program, {
      ...command,
      ...inheritedBy(given, options),
      ...(permissions !== undefined && { permissions }),
      audit: "uses",
    });
  let ended: Container | undefined;
  const code = await runProgram(given.program, make, {
    ended: (container) => ended = container,
  });
  if (ended === undefined) return code;
  const used = [...startedFile(given.program[0]!, options), ...ended.uses.list];
  const learnt = learn(used, { homes, writable: options.write, secrets });
  recipe?.write(recipeOf(given, options, learnt));
  const lesson = {
    learnt,
    flags: learnedFlags(given, FLAGS, learnt),
    program: given.program,
    denials: ended.denials.list,
    secrets,
    file,
    code,
    isWhole: !ended.uses.isFull,
  };
  report?.write(`${JSON.stringify(reportOf(lesson), null, 2)}\n`);
  printLearnt(lesson);
  return code;
}

/** Holds what the program changes, so that it is thrown away at the end. */
async function heldChanges({ write }: ShownPaths): Promise<Held> {
  if (write.length === 0) {
    throw new UsageError("--discard: it may change nothing here; list directories: --allow-write");
  }
  const held = await hold(write);
  held.finished.forEach(tellFinished);
  return held;
}

function withoutWrite({ write: _, ...others }: SandboxOptions & ShownPaths): HeldSandboxOptions {
  return others;
}

/** What the program has while it is learnt: all but secrets to read, and this directory to change. */
function learningOptions(
  given: Arguments,
  secrets: Secrets,
  homes: readonly string[],
): SandboxOptions & ShownPaths {
  const options = optionsOf(given);
  const isGiven = given.has("allow-write");
  const own = isGiven || isWide(Deno.cwd(), homes) ? [] : [Deno.cwd()];
  const write = isGiven ? options.write : own;
  return {
    ...options,
    read: ["/"],
    write,
    denyRead: [
      ...options.denyRead ?? [],
      ...secrets.paths,
      ...(options.net === "host" ? [] : nameServers()),
    ],
  };
}

/** Where name servers are named. Without them, the names are told that the program looks up. */
function nameServers(): readonly string[] {
  const path = realPath(NAME_SERVERS);
  return path === undefined ? [] : [path];
}

/** The hosts that are listed; without a list none, by a proxy that tells which it was asked for. */
function permissionsFor(given: Arguments): Permissions | undefined {
  const permissions = permissionsOf(given);
  if (permissions !== undefined || given.has("allow-net")) return permissions;
  // A name that no host has (RFC 2606).
  return { read: true, write: true, env: true, run: true, sys: true, net: ["ramekin.invalid"] };
}

/** The recipe in YAML. */
function recipeOf(
  given: Arguments,
  { cwd, ...options }: SandboxOptions & ShownPaths,
  { read, write, tmpfs, denyRead }: Learnt,
): string {
  const denied = optionsOf(given).denyRead ?? [];
  const shown = { ...options, read, write, tmpfs, denyRead: [...denied, ...denyRead] };
  const directory = cwd ?? visibleDirectory(shown);
  return stringifyRecipe(sandbox({ ...shown, ...(directory !== undefined && { cwd: directory }) }));
}
