/**
 * A command in a running container, and its end: /bin/true in all its namespaces, against
 * nsenter(1), which a program in C starts.
 *
 * @module
 */

import {
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

const ROUNDS = 7;
const LAUNCHES = 200;
const PROGRAM = "/bin/true";

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
  const folder = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  try {
    const launcher = CLauncher.compile(folder);
    if (launcher === undefined) throw new Error("no C compiler (Debian: gcc, libc6-dev)");
    const tables: Table[] = [];
    for (const kinds of [SEVEN, EIGHT]) tables.push(await compare(launcher, nsenter, kinds));
    return {
      title: `${PROGRAM} in a running container`,
      about: [
        "container.enter().outputSync(), planned anew for each, against nsenter(1), started from C",
        "a time namespace is entered by who has its memory to itself (setns(2)), so the script's map " +
        "of memory is copied: the last row's cost is the kernel's",
      ],
      tables,
      plots: [],
    };
  } finally {
    Deno.removeSync(folder, { recursive: true });
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
  const rounds = await interleave([
    { name: "nsenter", measure: () => launcher.peer(LAUNCHES, "null", command) },
    { name: "ramekin", measure: () => Promise.resolve(timed(container)) },
  ], ROUNDS);
  const is = median(ratios(rounds, "ramekin", "nsenter"));
  return roundsTable(
    `${kinds.join(" ")}, root and working directory`,
    rounds,
    "nsenter",
    "µs a command",
    (nanoseconds) => (nanoseconds / 1000).toFixed(0),
    [{ what: "ramekin to nsenter", is, bound: "less than", limit: 0.65 }],
  );
}

/** Nanoseconds a command, as the launcher in C tells them; each is planned anew. */
function timed(container: Container): number[] {
  const times: number[] = [];
  for (let i = 0; i < LAUNCHES; i++) {
    const begin = performance.now();
    const { code } = container.enter(PROGRAM, { stdout: "null", stderr: "null" }).outputSync();
    times.push((performance.now() - begin) * 1e6);
    if (code !== 0) throw new Error(`${PROGRAM} has ended with ${code}`);
  }
  return times;
}

if (import.meta.main) await alone(joins);
