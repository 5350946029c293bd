/**
 * The same jobs in Ramekin and in the sandboxes that people use else, each as a whole process: the
 * tool's own start and end are in it. What each of them holds is in `docs/compared.md`.
 *
 * @module
 */

import { alone } from "./alone.ts";
import { findProgram } from "./machine.ts";
import { type Report, roundsTable, type Table } from "./report.ts";
import { type Contender, interleave } from "./rounds.ts";
import { OWN, PEERS, type Place, type Tool } from "./sandboxes/tools.ts";

const ROUNDS = 11;

/** What is run. */
interface Job {
  readonly title: string;
  /** Its words; why it cannot be run here, where it cannot. */
  readonly words: (place: Place) => readonly string[] | string;
}

const JOBS: readonly Job[] = [
  { title: "/bin/true", words: () => ["/bin/true"] },
  {
    title: "cc of one file",
    words: ({ project }) =>
      findProgram("cc") === undefined
        ? "no cc"
        : ["cc", "-O1", "-c", "-o", `${project}/main.o`, `${project}/main.c`],
  },
  {
    title: "a test run of node, of four files",
    words: ({ project }) =>
      findProgram("node")?.startsWith("/usr/") !== true
        ? "no node in /usr"
        : ["node", "--test", `${project}/test/`],
  },
];

/** Measures. */
export async function jobs(): Promise<Report> {
  const directory = Deno.realPathSync(Deno.makeTempDirSync({
    // Where firejail shows it.
    dir: Deno.uid() === 0 ? "/home" : homeDirectory(),
    prefix: "ramekin-bench-",
  }));
  try {
    const place = makePlace(directory);
    const about = [
      "each as a process of its own, by Deno.Command, in a project that it may change and without a " +
      "network; the flags are those of [compared.md](../docs/compared.md)",
    ];
    const tools: Tool[] = [];
    for (const tool of [...OWN, ...PEERS]) {
      const reason = refusal(tool, place);
      if (reason === undefined) tools.push(tool);
      else about.push(`without ${tool.name}: ${reason}`);
    }
    const tables: Table[] = [];
    for (const { title, words } of JOBS) {
      const program = words(place);
      if (typeof program === "string") about.push(`without ${title}: ${program}`);
      else tables.push(await compared(title, tools, place, program));
    }
    return { title: "The same job in each sandbox", about, tables, plots: [] };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** The user's; /var/tmp for one that has none. */
function homeDirectory(): string {
  const home = Deno.env.get("HOME");
  try {
    if (home !== undefined && Deno.statSync(home).isDirectory) return home;
  } catch {
    // There is none.
  }
  return "/var/tmp";
}

function makePlace(directory: string): Place {
  const home = `${directory}/home`, project = `${home}/project`;
  Deno.mkdirSync(`${home}/.ssh`, { recursive: true });
  Deno.mkdirSync(`${project}/test`, { recursive: true });
  Deno.writeTextFileSync(
    `${project}/main.c`,
    '#include <stdio.h>\nint main(void) { puts("soup"); return 0; }\n',
  );
  for (const name of ["leek", "potato", "carrot", "celery"]) {
    Deno.writeTextFileSync(
      `${project}/test/${name}.test.js`,
      `require("node:test")("${name}", () => require("node:assert").equal(1, 1));\n`,
    );
  }
  return { home, project, directory, isRoot: Deno.uid() === 0 };
}

/** Why a tool cannot be measured here. */
function refusal(tool: Tool, place: Place): string | undefined {
  if (tool.version() === undefined) return "not installed";
  tool.prepare?.(place);
  const { success, stderr } = commandOf(tool, place, ["/bin/true"], "piped").outputSync();
  return success ? undefined : new TextDecoder().decode(stderr).trim().split("\n").at(-1);
}

function commandOf(
  tool: Tool,
  place: Place,
  words: readonly string[],
  stderr: "null" | "piped",
): Deno.Command {
  const [program, ...args] = tool.command(place, words);
  return new Deno.Command(program!, {
    args,
    cwd: place.project,
    stdin: "null",
    stdout: "null",
    stderr,
  });
}

/** All of them take turns. */
async function compared(
  title: string,
  tools: readonly Tool[],
  place: Place,
  words: readonly string[],
): Promise<Table> {
  const contenders = tools.map((tool): Contender => ({
    name: OWN.includes(tool) ? `Ramekin, ${tool.name}` : tool.name,
    async measure() {
      const begin = performance.now();
      const { success } = await commandOf(tool, place, words, "null").output();
      if (!success) throw new Error(`${title} has failed in ${tool.name}`);
      return [performance.now() - begin];
    },
  }));
  const rounds = await interleave(contenders, ROUNDS);
  const base = rounds.has("bwrap") ? "bwrap" : contenders[0]!.name;
  return roundsTable(title, rounds, base, "ms", (ms) => ms.toFixed(1));
}

if (import.meta.main) await alone(jobs);
