/**
 * How many system calls a launch of a sandbox makes, counted by strace(1).
 *
 * @module
 */

import { alone } from "./alone.ts";
import { type Build, withBuilds } from "./builds.ts";
import { findProgram } from "./machine.ts";
import type { Report, Table } from "./report.ts";
import { median } from "./rounds.ts";

/** What two scripts call differs by what their launches call. */
const FEW = 1, MANY = 11;
const ROUNDS = 3;
const PROGRAM = "/bin/true";
/** Calls that are made less often are told together. */
const OFTEN = 4;

/** How often a call is made in one launch, by its name. */
type Counts = ReadonlyMap<string, number>;

/** Measures. */
export function calls(): Promise<Report> {
  return withBuilds(({ builds, notes }) => {
    const strace = findProgram("strace");
    return Promise.resolve({
      title: "The system calls of a sandbox",
      about: [
        `\`sandbox().command("${PROGRAM}")\`, kept, launched by outputSync() with its streams null: ` +
        `what \`strace -f -c\` counts of a script with ${MANY} launches, less what it counts of one ` +
        `with ${FEW}, for each launch; medians of ${ROUNDS}. ${PROGRAM}'s own calls are among ` +
        "them, and a few of Deno's threads, which differ from time to time",
        ...(strace === undefined ? ["without any figure: strace is not installed"] : notes),
      ],
      tables: strace === undefined ? [] : [tableOf(builds, strace)],
      plots: [],
    });
  });
}

function tableOf(builds: readonly Build[], strace: string): Table {
  const counts = builds.map((build) => perLaunch(strace, build));
  const names = [...new Set(counts.flatMap((count) => [...count.keys()]))];
  const most = (name: string) => Math.max(...counts.map((count) => count.get(name) ?? 0));
  const often = names.filter((name) => most(name) >= OFTEN).sort((a, b) => most(b) - most(a));
  const seldom = names.filter((name) => !often.includes(name));
  const cells = (of: readonly string[]) => counts.map((count) => sum(count, of).toFixed(0));
  return {
    title: "Calls of one launch",
    heading: ["call", ...builds.map(({ name }) => name)],
    rows: [
      ...often.map((name) => [name, ...cells([name])]),
      [`others, each below ${OFTEN}`, ...cells(seldom)],
      ["all", ...cells(names)],
    ],
    wanted: [{
      what: "calls of a sandbox",
      is: sum(counts[0]!, names),
      bound: "at most",
      limit: 300,
    }],
  };
}

function sum(counts: Counts, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0);
}

function perLaunch(strace: string, { path }: Build): Counts {
  const rounds = Array.from({ length: ROUNDS }, () => ({
    few: counted(strace, path, FEW),
    many: counted(strace, path, MANY),
  }));
  const names = new Set(rounds.flatMap(({ few, many }) => [...few.keys(), ...many.keys()]));
  return new Map([...names].map((name) => {
    const differences = rounds.map(({ few, many }) =>
      ((many.get(name) ?? 0) - (few.get(name) ?? 0)) / (MANY - FEW)
    );
    return [name, median(differences)];
  }));
}

/** What strace counts of a script with so many launches. */
function counted(strace: string, path: string, launches: number): Counts {
  const script = [Deno.execPath(), "run", "-A", import.meta.url, path, String(launches)];
  const { success, stderr } = new Deno.Command(strace, {
    args: ["-f", "-c", "-U", "calls,name", ...script],
  }).outputSync();
  const text = new TextDecoder().decode(stderr);
  if (!success) throw new Error(`strace: ${text}`);
  const rows = [...text.matchAll(/^ *(\d+) (\w+)$/gm)].filter(([, , name]) => name !== "total");
  if (rows.length === 0) throw new Error(`strace has counted nothing: ${text}`);
  return new Map(rows.map(([, count, name]) => [name!, Number(count)]));
}

function launch(module: Build["module"], launches: number): void {
  const command = module.sandbox().command(PROGRAM, {
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  for (let i = 0; i < launches; i++) command.outputSync();
}

if (import.meta.main) {
  const [path, launches] = Deno.args;
  if (path === undefined) await alone(calls);
  else launch(await import(`file://${path}`), Number(launches));
}
