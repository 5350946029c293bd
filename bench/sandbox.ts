/**
 * Sandboxes: kept, and made anew for each launch; against bwrap with the same mounts, and against
 * the build before.
 *
 * @module
 */

import { sandbox } from "../mod.ts";
import { alone } from "./alone.ts";
import { type Build, NOW, THEN, withBuilds } from "./builds.ts";
import { BWRAP_NOTES, bwrapOptions } from "./bwrap_sandbox.ts";
import { findProgram } from "./machine.ts";
import { type Report, roundsTable, type Table, type Wanted } from "./report.ts";
import { type Contender, interleave, median, ratios, type Rounds, timed } from "./rounds.ts";

/** Many short rounds: what else the machine does falls on whole rounds. */
const ROUNDS = 101;
const LAUNCHES = 6;
/** Sandboxes one after the other, whose ends in the kernel hold up those that come later. */
const IN_A_ROW = { rounds: 31, launches: 60 };
const PROGRAM = "/bin/true";
const NULL = { stdin: "null", stdout: "null", stderr: "null" } as const;
const BWRAP = "bwrap";

/** How a sandbox comes to be, in the tables. */
const KEPT = "a kept command",
  ANEW = "sandbox() anew each",
  OTHER = "another sandbox each";

/** Measures. */
export function sandboxes(): Promise<Report> {
  return withBuilds(async ({ builds, notes }) => {
    const bwrap = bwrapCommand();
    const ways = builds.flatMap(waysOf);
    return {
      title: "Sandboxes",
      about: [
        `\`sandbox().command("${PROGRAM}")\`, launched by outputSync() with its streams null; ` +
        "another sandbox differs from those before in its options, so that no earlier plan serves",
        "bwrap is launched by Deno.Command, with outputSync() too",
        "the sandbox of the build before has less: seven mounts fewer of the files of /etc, no " +
        "/etc/hosts of its own, no bounds of processes and of files in memory, and a filter that " +
        "lets programs make set-user-ID files",
        ...(typeof bwrap === "string" ? [`without bwrap: ${bwrap}`] : BWRAP_NOTES),
        ...notes,
      ],
      tables: [await latency(ways, bwrap), await rate(ways)],
      plots: [],
    };
  });
}

/** A way to launch a sandbox once. */
interface Way {
  readonly name: string;
  launch(): void;
}

/** Every launch of the process is another one. */
let launched = 0;

function waysOf({ name, module: { sandbox } }: Build): readonly Way[] {
  const kept = sandbox().command(PROGRAM, NULL);
  return [
    { name: `${name}, ${KEPT}`, launch: () => kept.outputSync() },
    {
      name: `${name}, ${ANEW}`,
      launch: () => sandbox().command(PROGRAM, NULL).outputSync(),
    },
    {
      name: `${name}, ${OTHER}`,
      launch: () => sandbox({ env: [`N${launched++}`] }).command(PROGRAM, NULL).outputSync(),
    },
  ];
}

/** The same sandbox by bwrap; why there is none, where it is missing or refuses the host. */
function bwrapCommand(): Deno.Command | string {
  const path = findProgram("bwrap");
  if (path === undefined) return "not installed";
  const args = [...bwrapOptions(sandbox().steps), PROGRAM];
  const { success, stderr } = new Deno.Command(path, { args }).outputSync();
  if (!success) return new TextDecoder().decode(stderr).trim();
  return new Deno.Command(path, { args, ...NULL });
}

/** How long one takes. */
async function latency(ways: readonly Way[], bwrap: Deno.Command | string): Promise<Table> {
  const contenders = ways.map(({ name, launch }): Contender => ({
    name,
    measure: () => timed(LAUNCHES, launch),
  }));
  if (typeof bwrap !== "string") {
    contenders.push({ name: BWRAP, measure: () => timed(LAUNCHES, () => bwrap.outputSync()) });
  }
  const rounds = await interleave(contenders, ROUNDS);
  const to = (way: string, base: string) => median(ratios(rounds, `${NOW}, ${way}`, base));
  const kept = `${NOW}, ${KEPT}`;
  const wanted: Wanted[] = [
    { what: `${ANEW}, to ${KEPT}`, is: to(ANEW, kept), bound: "at most", limit: 1.1 },
  ];
  if (rounds.has(BWRAP)) {
    wanted.push(
      { what: `${ANEW}, to bwrap`, is: to(ANEW, BWRAP), bound: "at most", limit: 0.5 },
      { what: `${KEPT}, to bwrap`, is: to(KEPT, BWRAP), bound: "at most", limit: 0.42 },
    );
  }
  const base = rounds.has(BWRAP) ? BWRAP : kept;
  const format = (milliseconds: number) => (milliseconds * 1000).toFixed(0);
  return roundsTable("One launch", rounds, base, "µs a launch", format, wanted);
}

/** How many there are in a second, one after the other. */
async function rate(ways: readonly Way[]): Promise<Table> {
  const { rounds: count, launches } = IN_A_ROW;
  const contenders = ways.filter(({ name }) => !name.endsWith(OTHER)).map((way): Contender => ({
    name: way.name,
    async measure() {
      const times = await timed(launches, way.launch);
      return [launches / times.reduce((sum, time) => sum + time) * 1000];
    },
  }));
  const rounds = await interleave(contenders, count);
  const first = contenders[0]!.name;
  return roundsTable(
    `${launches} launches, one after the other`,
    rounds,
    rounds.has(`${THEN}, ${KEPT}`) ? `${THEN}, ${KEPT}` : first,
    "sandboxes a second",
    (perSecond) => perSecond.toFixed(0),
    [KEPT, ANEW].flatMap((way) => fasterThanBefore(rounds, way)),
  );
}

function fasterThanBefore(rounds: Rounds, way: string): readonly Wanted[] {
  if (!rounds.has(`${THEN}, ${way}`)) return [];
  const is = median(ratios(rounds, `${NOW}, ${way}`, `${THEN}, ${way}`));
  const what = `sandboxes a second by ${way}, to the build before`;
  return [{ what, is, bound: "at least", limit: 1.5 }];
}

if (import.meta.main) await alone(sandboxes);
