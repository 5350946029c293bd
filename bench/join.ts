/**
 * A command in a running container, and its end: /bin/true in all its namespaces, against
 * nsenter(1), which a program in C starts.
 *
 * @module
 */

import {
  type Command,
  type Container,
  hostname,
  mapRoot,
  type NamespaceKind,
  proc,
  recipe,
  unshare,
} from "../mod.ts";
import { alone } from "./alone.ts";
import { CLauncher } from "./c_launcher.ts";
import { findProgram } from "./machine.ts";
import { type Report, roundsTable, type Table } from "./report.ts";
import { interleave, median, ratios } from "./rounds.ts";

const ROUNDS = 15;
const LAUNCHES = 200;
const PROGRAM = "/bin/true";
const NEW_COMMAND = "ramekin, a new command each";

const SEVEN = ["user", "mount", "pid", "uts", "ipc", "net", "cgroup"] as const;
const EIGHT = [...SEVEN, "time"] as const;

/** The option of nsenter(1) for each kind. */
const OPTION: Readonly<Record<NamespaceKind, string>> = {
  user: "-U",
  mount: "-m",
  pid: "-p",
  uts: "-u",
  ipc: "-i",
  net: "-n",
  cgroup: "-C",
  time: "-T",
};

/** Measures. */
export async function joins(): Promise<Report> {
  const nsenter = findProgram("nsenter");
  if (nsenter === undefined) throw new Error("no nsenter(1) (Debian: util-linux)");
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  try {
    const launcher = CLauncher.compile(directory);
    if (launcher === undefined) throw new Error("no C compiler (Debian: gcc, libc6-dev)");
    const tables: Table[] = [];
    for (const kinds of [SEVEN, EIGHT]) tables.push(await compare(launcher, nsenter, kinds));
    return {
      title: `${PROGRAM} in a running container`,
      about: [
        "container.enter().outputSync(), kept or planned anew for each, against nsenter(1), which a " +
        "program in C starts",
        "a time namespace is entered by who has its memory to itself (setns(2)): by what executes the " +
        "program, where that is root of the container, or else by a copy of the script",
      ],
      tables,
      plots: [],
    };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

async function compare(
  launcher: CLauncher,
  nsenter: string,
  kinds: readonly NamespaceKind[],
): Promise<Table> {
  const box = recipe(unshare(...kinds), mapRoot(), proc(), hostname("box"));
  await using container = box.command("sleep", { args: ["3600"], stdin: "null" }).spawn();
  const command = [
    nsenter,
    "-t",
    String(container.pid),
    ...kinds.map((kind) => OPTION[kind]),
    // As an ordinary user has to, where setgroups(2) is denied; the ids are the same.
    "--preserve-credentials",
    "-r",
    "-w",
    PROGRAM,
  ];
  const kept = entering(container);
  const rounds = await interleave([
    { name: "nsenter", measure: () => launcher.peer(LAUNCHES, "null", command) },
    { name: "ramekin", measure: () => Promise.resolve(timed(() => kept)) },
    { name: NEW_COMMAND, measure: () => Promise.resolve(timed(() => entering(container))) },
  ], ROUNDS);
  const is = median(ratios(rounds, "ramekin", "nsenter"));
  return roundsTable(
    `${kinds.join(" ")}, root and working directory`,
    rounds,
    "nsenter",
    "µs a command",
    (nanoseconds) => (nanoseconds / 1000).toFixed(0),
    [{ what: "ramekin to nsenter", is, bound: "less than", limit: 0.5 }],
  );
}

function entering(container: Container): Command {
  return container.enter(PROGRAM, { stdout: "null", stderr: "null" });
}

/** Nanoseconds a command, as the launcher in C tells them. */
function timed(command: () => Command): number[] {
  const times: number[] = [];
  for (let i = 0; i < LAUNCHES; i++) {
    const begin = performance.now();
    const { code } = command().outputSync();
    times.push((performance.now() - begin) * 1e6);
    if (code !== 0) throw new Error(`${PROGRAM} has ended with ${code}`);
  }
  return times;
}

if (import.meta.main) await alone(joins);
