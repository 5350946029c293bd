/**
 * `deno task proof`: runs the tests of faults without their bounds, as root also as an ordinary user,
 * and writes the results to `tests/faults/RESULTS.md`. It takes a quarter of an hour.
 *
 * Arguments are passed to `deno test` in place of the directory; with any, nothing is written.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program, whose output is the console's

import { formatted, markdownTable } from "./docs/format.ts";
import { type KeptRow, sums } from "../tests/faults/rows.ts";

const PROJECT = new URL("..", import.meta.url).pathname;
const RESULTS = `${PROJECT}tests/faults/RESULTS.md`;

/** A table of the results: its title, and the text above its rows. */
interface Table {
  readonly title: string;
  readonly text: string;
  /** Whether each user has rows of their own, or theirs are added up. */
  readonly each?: true;
}

const TABLES: Readonly<Record<string, Table>> = {
  faults: {
    title: "Every system call fails once",
    text:
      "Each call of each plan, and each that the script makes meanwhile, is made to fail with " +
      "ENOSYS, EBADF, EINVAL, EFAULT, ENOENT, ESRCH and ENOMEM; where there are more than 300 " +
      "calls, each with one of these in turn. A fault is no error where " +
      "the launch does without the call. Every error is typed, and names the call and the step. " +
      "Leaks are processes, zombies, descriptors, mounts, interfaces, control groups, files and " +
      "mappings.",
  },
  killed: {
    title: "The script is killed",
    text: "By SIGKILL, SIGTERM, SIGINT, `Deno.exit` and an uncaught error, at random moments of " +
      "launching, running and ending, and by SIGKILL during each call of a launch. A commit of held " +
      "changes is all or nothing once the next process has looked at its journal.",
  },
  terminal: { title: "The script is killed that has the terminal", text: "" },
  descriptors: {
    title: "There are no descriptors",
    text:
      "Launches with 0, 1, 2 ... 20 free descriptors: each ends well, or with EMFILE and a hint.",
  },
  scarce: {
    title: "The host is scarce",
    text:
      "Recipes of every kind where something is forbidden, missing or used up around the script.",
  },
  soak: {
    title: "Launch after launch",
    text: "One script, one launch after the other.",
    each: true,
  },
  shell: {
    title: "Template commands",
    text:
      "One script: short commands, failing ones and pipes into a container, 10,000 of each; and " +
      "a GiB through a pipe of three containers.",
    each: true,
  },
  crowd: { title: "Many containers at once", text: "", each: true },
  threads: {
    title: "Several threads",
    text: "Workers launch at the same time, while garbage is collected and others are terminated.",
    each: true,
  },
};

async function main(args: readonly string[]): Promise<number> {
  const workshop = await Deno.makeTempDir({ prefix: "ramekin-proof-" });
  try {
    await Deno.chmod(workshop, 0o755);
    const rows = `${workshop}/rows`;
    await Deno.writeTextFile(rows, "");
    await Deno.chmod(rows, 0o666);
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "scripts/test.ts", ...(args.length > 0 ? args : ["tests/faults"])],
      cwd: PROJECT,
      env: { PROOF: rows },
    }).spawn().status;
    const lines = (await Deno.readTextFile(rows)).split("\n").filter((line) => line !== "");
    const text = document(lines.map((line) => JSON.parse(line)));
    if (args.length > 0) console.log(text);
    else await Deno.writeTextFile(RESULTS, await formatted(text));
    return code;
  } finally {
    await Deno.remove(workshop, { recursive: true });
  }
}

function document(rows: readonly KeptRow[]): string {
  const parts = Object.entries(TABLES).flatMap(([name, table]) => {
    const own = rows.filter((row) => row.table === name);
    return own.length === 0 ? [] : [section(table, own)];
  });
  return [
    "# What the tests of faults have come to",
    `Written by \`deno task proof\`: Linux ${Deno.osRelease()} on ${Deno.build.arch} with ` +
    `${navigator.hardwareConcurrency} processors, Deno ${Deno.version.deno}.`,
    ...parts,
  ].join("\n\n") + "\n";
}

function section({ title, text, each }: Table, rows: readonly KeptRow[]): string {
  return [`## ${title}`, text, each ? tableOf(rows.map(withUser)) : summed(rows)]
    .filter((part) => part !== "").join("\n\n");
}

/** The sums of each user first, then each name with the rows of both users added up. */
function summed(rows: readonly KeptRow[]): string {
  const total = (name: string, rows: readonly KeptRow[]) => ({
    name,
    figures: Object.fromEntries(sums(rows)),
  });
  const users = [...Map.groupBy(rows, ({ who }) => who)]
    .map(([who, rows]) => total(`as ${who}`, rows));
  const names = [...Map.groupBy(rows, ({ name }) => name)]
    .map(([name, rows]) => total(name, rows));
  return `${tableOf([...users, total("all", rows)])}\n\n${tableOf(names)}`;
}

function withUser({ name, who, figures }: KeptRow) {
  return { name: `${name}, as ${who}`, figures };
}

function tableOf(rows: readonly Pick<KeptRow, "name" | "figures">[]): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  return markdownTable(
    ["", ...columns],
    rows.map(({ name, figures }) => [name, ...columns.map((column) => figures[column] ?? "")]),
  );
}

if (import.meta.main) Deno.exit(await main(Deno.args));
