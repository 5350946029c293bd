/**
 * A command that is made for one launch, with arguments of its own, against one that is kept.
 *
 * @module
 */

import { alone } from "./alone.ts";
import { type Build, NOW, withBuilds } from "./builds.ts";
import { type Report, roundsTable, type Table } from "./report.ts";
import { type Contender, interleave, median, ratios, type Rounds, timed } from "./rounds.ts";

/** Many short rounds: what else the machine does falls on whole rounds. */
const ROUNDS = 151;
const LAUNCHES = 12;
const PROGRAM = "/bin/true";
const KEPT = "a kept command",
  NEW = "a new command each";

/** Measures. */
export function newCommands(): Promise<Report> {
  return withBuilds(async ({ builds, notes }) => {
    const rounds = await interleave(builds.flatMap(contendersOf), ROUNDS);
    return {
      title: "A new command for each launch",
      about: [
        `\`box.command("${PROGRAM}", { args: [i] })\` for each launch, against one such command; ` +
        "seven namespaces, the maps, /proc and a hostname; outputSync(), streams null",
        ...notes,
      ],
      tables: builds.map(({ name }) => tableOf(name, rounds)),
      plots: [],
    };
  });
}

function contendersOf({ name, module }: Build): readonly Contender[] {
  const box = module.recipe(
    module.unshare("user", "mount", "pid", "uts", "ipc", "net", "cgroup"),
    module.mapRoot(),
    module.proc(),
    module.hostname("box"),
  );
  const command = (index: number) =>
    box.command(PROGRAM, {
      args: [String(index)],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
  const kept = command(0);
  return [
    { name: `${name}, ${KEPT}`, measure: () => timed(LAUNCHES, () => kept.outputSync()) },
    { name: `${name}, ${NEW}`, measure: () => timed(LAUNCHES, (i) => command(i).outputSync()) },
  ];
}

/** The two ways to launch of one build. */
function tableOf(build: Build["name"], all: Rounds): Table {
  const rounds: Rounds = new Map([KEPT, NEW].map((way) => [way, all.get(`${build}, ${way}`)!]));
  const is = median(ratios(rounds, NEW, KEPT));
  return roundsTable(
    `${build}, to ${KEPT}`,
    rounds,
    KEPT,
    "µs a launch",
    (milliseconds) => (milliseconds * 1000).toFixed(0),
    build === NOW ? [{ what: `${NEW}, to ${KEPT}`, is, bound: "at most", limit: 1.03 }] : [],
  );
}

if (import.meta.main) await alone(newCommands);
