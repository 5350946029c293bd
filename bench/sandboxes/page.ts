/**
 * What came of the probes, as the page `docs/compared.md`.
 *
 * @module
 */

import { markdownTable } from "../../scripts/docs/format.ts";
import { type Group, GROUPS, type Probe } from "./probes.ts";
import { OWN, PEERS, type Tool } from "./tools.ts";
import type { Outcome } from "./tries.ts";
import type { User } from "./world.ts";

/** What came of all probes, for one user. */
export interface Results {
  readonly user: User;
  /** Why a tool does not run there, by its name. */
  readonly refusals: ReadonlyMap<string, string>;
  /** By the name of the tool and of the probe; none of what cannot be tried here. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** The key of an outcome. */
export function keyOf(tool: Tool, { name }: Probe): string {
  return `${tool.name}: ${name}`;
}

const [COMMAND, ...OTHER_WAYS] = OWN as [Tool, ...Tool[]];

/** The page. */
export function pageOf(results: readonly Results[], kernel: string): string {
  const probes = GROUPS.flatMap(({ probes }) => probes);
  return [
    "# Compared by trying",
    `Written by \`deno task compared\`, which runs ${probes.length} programs in each of these ` +
    "sandboxes and looks at what they got. Each sandbox is asked for the same: to run a build in a " +
    "project that it may change, `~/project`, with no network. A program that is told to do " +
    "harm there is what an agent's command, a package's install script or a test can be. " +
    `**held**: it got nothing. **through**: it did. A dash: it is stopped without a sandbox too, ` +
    `so that nothing is shown. On Linux ${kernel}.`,
    "Flags decide what a tool holds. These are those that its own documentation begins with, and " +
    "below the tables stands which others would hold more. What each tool can do beside, a list of " +
    "allowed hosts for one, is not compared here, and a row counts no more than what it says.",
    toolsTable(),
    ...results.map((one, index) => index === 0 ? resultsOf(one) : differencesOf(one, results[0]!)),
    "## What would hold it there",
    "Options of the tools themselves, or what does it around them. A tool that is missing in a row " +
    "has none that is known.",
    fixesTable(results),
    "## What Ramekin does not hold",
    gapsOf(results),
    "Not run: nsjail, landrun and sandlock, which Debian 12 has not packaged. The probes are in " +
    "`bench/sandboxes/probes.ts`, each a few lines of Perl; what does better, or is wrong, is to be " +
    "said with the flags. The speed of the same tools is in [RESULTS.md](../bench/RESULTS.md).",
  ].join("\n\n");
}

function toolsTable(): string {
  const ways = OWN.map(({ name, shown }) => [`Ramekin, ${name}`, "this one", `\`${shown}\``]);
  const peers = PEERS.map((tool) => [
    tool.name,
    tool.version() ?? "not installed",
    `\`${tool.shown}\``,
  ]);
  return markdownTable(["", "version", "called by"], [...ways, ...peers]);
}

function resultsOf(results: Results): string {
  return [
    `## As ${results.user.name}`,
    ...GROUPS.map((group) => groupTable(group, results)),
    ...refusalsOf(results),
  ].join("\n\n");
}

/** The rows that are other ones for another user. */
function differencesOf(results: Results, from: Results): string {
  const rows = GROUPS.flatMap(({ probes }) => probes)
    .map((probe) => [rowOf(probe, results), rowOf(probe, from)] as const)
    .filter(([row, other]) => row.join() !== other.join()).map(([row]) => row);
  return [
    `## As ${results.user.name}`,
    "The same, but for these:",
    markdownTable(headingOf(""), rows),
    ...refusalsOf(results),
  ].join("\n\n");
}

function refusalsOf({ refusals }: Results): readonly string[] {
  const list = [...refusals].map(([name, reason]) => `${name}: ${reason}`);
  return list.length === 0 ? [] : [`Refused to start: ${list.join("; ")}.`];
}

function headingOf(title: string): readonly string[] {
  return [title, "Ramekin", ...PEERS.map(({ name }) => name)];
}

function rowOf(probe: Probe, results: Results): readonly string[] {
  const peers = PEERS.map((tool) => cellOf(tool, probe, results));
  return [probe.name, ownCell(probe, results), ...peers];
}

function groupTable({ title, probes }: Group, results: Results): string {
  return markdownTable(headingOf(title), probes.map((probe) => rowOf(probe, results)));
}

/** The command's outcome, and those of the other ways that differ. */
function ownCell(probe: Probe, results: Results): string {
  const first = cellOf(COMMAND, probe, results);
  const others = OTHER_WAYS.map((tool) => [tool.name, cellOf(tool, probe, results)] as const)
    .filter(([, cell]) => cell !== first);
  return [first, ...others.map(([name, cell]) => `${name}: ${cell}`)].join("; ");
}

function cellOf(tool: Tool, probe: Probe, { refusals, outcomes }: Results): string {
  if (refusals.has(tool.name)) return "refused";
  const outcome = outcomes.get(keyOf(tool, probe));
  return outcome === undefined ? "–" : outcome === "held" ? "held" : "**through**";
}

/** What would hold what comes through, of the peers. */
function fixesTable(results: readonly Results[]): string {
  const rows = GROUPS.flatMap(({ probes }) => probes).flatMap((probe) => {
    const known = PEERS.filter((tool) =>
      tool.name in (probe.fixes ?? {}) && isThrough(tool, probe, results)
    ).map(({ name }) => `${name}: ${probe.fixes![name]}`);
    return known.length === 0 ? [] : [[probe.name, known.join("; ")]];
  });
  return markdownTable(["", "by"], rows);
}

function isThrough(tool: Tool, probe: Probe, results: readonly Results[]): boolean {
  return results.some(({ outcomes }) => outcomes.get(keyOf(tool, probe)) === "through");
}

/** Why some of Ramekin's ways do not hold a probe. */
export const GAPS: Readonly<Record<string, string>> = {
  "reads as a further group of its caller's":
    "`--drop-groups` and `dropGroups: true` do, where newgidmap is installed and /etc/subgid has a " +
    "range of the user's: the kernel denies setgroups(2) in a user namespace with the own group alone. " +
    "Root's are always dropped.",
  "writes 80 MiB of output":
    "The streams of a command and of a box are its caller's, and nothing " +
    "is collected: `| head -c`. A script collects 64 MiB at most (`maxOutput`).",
};

function gapsOf(results: readonly Results[]): string {
  const byReason = Map.groupBy(
    GROUPS.flatMap(({ probes }) => probes)
      .filter((probe) => OWN.some((tool) => isThrough(tool, probe, results))),
    ({ name }) => GAPS[name] ?? "Nothing is said of it.",
  );
  return [...byReason].map(([reason, probes]) => {
    const ways = OWN.filter((tool) => probes.some((probe) => isThrough(tool, probe, results)));
    const names = probes.map(({ name }) => name).join("; ");
    return `- **${names}** (${ways.map(({ name }) => name).join(", ")}): ${reason}`;
  }).join("\n");
}
