/**
 * Audited sandboxes: a compile, whose calls that name files each wait for the script, and a program
 * that makes hardly any; against the same without an audit.
 *
 * @module
 */

import { type Command, sandbox } from "../mod.ts";
import { alone } from "./alone.ts";
import { findProgram } from "./machine.ts";
import { type Report, roundsTable } from "./report.ts";
import { type Contender, interleave, median, ratios } from "./rounds.ts";

const PLAIN = "without", AUDITED = "with", USES = "with the files that are used";

/** The option of the command. */
type Audit = boolean | "uses";
const ROUNDS = 21;

/** How many functions the file has: about as much as a file of a larger project. */
const FUNCTIONS = 300;

/** Measures. */
export async function audits(): Promise<Report> {
  const compiler = findProgram("cc");
  const about = [
    "`sandbox().command(program, { audit: true })`, spawned and waited for, with its streams null; " +
    `the compile is \`cc -O1 -c\` of a file with six headers and ${FUNCTIONS} functions`,
  ];
  const start = await compared("/bin/true", (audit) => command("/bin/true", [], audit));
  if (compiler === undefined) {
    return {
      title: "Audits",
      about: [...about, "without a compile: no cc"],
      tables: [start],
      plots: [],
    };
  }
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  try {
    Deno.writeTextFileSync(`${directory}/file.c`, source());
    const args = ["-O1", "-c", "-o", "/tmp/file.o", `${directory}/file.c`];
    const compile = await compared(
      "a compile",
      (audit) => command(compiler, args, audit, directory),
    );
    return { title: "Audits", about, tables: [start, compile], plots: [] };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function command(program: string, args: readonly string[], audit: Audit, read?: string): Command {
  const box = sandbox(read === undefined ? {} : { read: [read] });
  return box.command(program, { args, audit, stdin: "null", stdout: "null", stderr: "null" });
}

/** All take turns; the audited one is wanted to take a quarter longer at most. */
async function compared(title: string, make: (audit: Audit) => Command) {
  const contender = (name: string, command: Command): Contender => ({
    name,
    async measure() {
      const begin = performance.now();
      const { success } = await command.spawn().status;
      if (!success) throw new Error(`${title} has failed`);
      return [performance.now() - begin];
    },
  });
  const rounds = await interleave(
    [contender(PLAIN, make(false)), contender(AUDITED, make(true)), contender(USES, make("uses"))],
    ROUNDS,
  );
  const is = median(ratios(rounds, AUDITED, PLAIN));
  const wanted = title === "a compile"
    ? [
      {
        what: "a compile with an audit, to one without",
        is,
        bound: "at most",
        limit: 1.25,
      } as const,
    ]
    : [];
  return roundsTable(title, rounds, PLAIN, "ms", (ms) => ms.toFixed(1), wanted);
}

function source(): string {
  const headers = ["stdio", "stdlib", "string", "sys/socket", "netinet/in", "pthread"];
  const body = (index: number) =>
    `int f${index}(int a, int b) { int s = 0; for (int i = 0; i < a; i++) ` +
    `for (int j = 0; j < b; j++) s += i * j ^ ${index}; return s; }`;
  return [
    ...headers.map((name) => `#include <${name}.h>`),
    ...Array.from({ length: FUNCTIONS }, (_, index) => body(index)),
    "",
  ].join("\n");
}

if (import.meta.main) await alone(audits);
