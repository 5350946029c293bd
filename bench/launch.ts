/**
 * The launch and the end of /bin/true, against C, against the peers and against `Deno.Command`.
 *
 * @module
 */

import {
  type Command,
  hostname,
  mapRoot,
  type NamespaceKind,
  proc,
  type Recipe,
  recipe,
  unshare,
} from "../mod.ts";
import { alone } from "./alone.ts";
import { CLauncher, type Form } from "./c_launcher.ts";
import { PEER_NOTES, peersFor } from "./peers.ts";
import { type Dots, dots } from "./plots.ts";
import { type Report, roundsTable, type Table, type Wanted } from "./report.ts";
import { type Contender, interleave, median, ratios, type Rounds } from "./rounds.ts";

const ROUNDS = 15;
const LAUNCHES = 200;
const PROGRAM = "/bin/true";

/** How many of the launches those make that take longer. */
const SHARES: Readonly<Record<string, number>> = {
  unshare: 0.2,
  bwrap: 0.2,
  crun: 0.1,
  runc: 0.04,
  podman: 0.02,
};

const FOUR = ["user", "mount", "pid", "uts"] as const;
const SEVEN = [...FOUR, "ipc", "net", "cgroup"] as const;

/** The recipe keeps its plan and what is laid out of it; `new_command.ts` looks closer. */
const NEW_COMMAND = "ramekin, a new command each";

const FORMS: Readonly<Record<Form, string>> = {
  null: "outputSync(), its streams null",
  pipe: "output(), its standard output collected",
};

/** A table, and the rounds that it is made of. */
interface Compared {
  readonly title: string;
  readonly form: Form;
  readonly rounds: Rounds;
  readonly table: Table;
}

/** Measures. */
export async function launches(): Promise<Report> {
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  try {
    const launcher = CLauncher.compile(directory);
    if (launcher === undefined) throw new Error("no C compiler (Debian: gcc, libc6-dev)");
    const compared: Compared[] = [];
    const without = new Set<string>();
    for (const [letter, kinds] of Object.entries({ a: [], b: FOUR, c: SEVEN })) {
      const missing = await compare(launcher, directory, letter, kinds, compared);
      missing.forEach((line) => without.add(line));
    }
    return {
      title: `The launch and the end of ${PROGRAM}`,
      about: [...PEER_NOTES, ...[...without].map((line) => `without ${line}`)],
      tables: compared.map(({ table }) => table),
      plots: [{ name: "launch", about: PLOT, svg: plotOf(compared) }],
    };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Compares all contenders in both forms; answers who is missing. */
async function compare(
  launcher: CLauncher,
  directory: string,
  letter: string,
  kinds: readonly NamespaceKind[],
  compared: Compared[],
): Promise<readonly string[]> {
  const box = kinds.length === 0
    ? recipe()
    : recipe(unshare(...kinds), mapRoot(), proc(), hostname("box"));
  const { peers, missing } = kinds.length === 0
    ? { peers: [], missing: [] }
    : await peersFor(launcher, `${directory}/${letter}`, kinds, PROGRAM);
  for (const form of ["null", "pipe"] as const) {
    const contenders: Contender[] = [
      { name: "C", measure: () => launcher.own(LAUNCHES, form, kinds.length, PROGRAM) },
      { name: "ramekin", measure: () => launchAgain(commandOf(box, form), form) },
      { name: NEW_COMMAND, measure: () => timed(() => launch(commandOf(box, form), form)) },
    ];
    if (kinds.length === 0) {
      contenders.push({ name: "Deno.Command", measure: () => timed(() => denoCommand(form)) });
    }
    for (const { name, command, around } of peers) {
      const count = Math.ceil(LAUNCHES * SHARES[name]!);
      contenders.push({ name, measure: () => launcher.peer(count, form, command, around) });
    }
    const rounds = await interleave(contenders, ROUNDS);
    const title = `(${letter}) ${kinds.join(" ") || "no namespaces"}`;
    const table = roundsTable(
      `${title}: ${FORMS[form]}`,
      rounds,
      "C",
      "µs a launch",
      microseconds,
      wantedOf(rounds, form),
    );
    compared.push({ title, form, rounds, table });
  }
  return missing;
}

function wantedOf(rounds: Rounds, form: Form): readonly Wanted[] {
  const to = (base: string) => median(ratios(rounds, "ramekin", base));
  const limit = form === "null" ? 1.05 : 1.10;
  const wanted: Wanted[] = [
    { what: "ramekin to C", is: to("C"), bound: "at most", limit },
  ];
  if (rounds.has("Deno.Command")) {
    const is = to("Deno.Command");
    return [...wanted, { what: "ramekin to Deno.Command", is, bound: "less than", limit: 1 }];
  }
  const peers = [...rounds.keys()].filter((name) => !OWN.has(name));
  if (peers.length === 0) return wanted;
  const fastest = peers.reduce((one, other) =>
    median(rounds.get(one)!) <= median(rounds.get(other)!) ? one : other
  );
  const what = `ramekin to the fastest peer, ${fastest}`;
  return [...wanted, { what, is: to(fastest), bound: "at most", limit: 0.65 }];
}

/** Who is no peer. */
const OWN: ReadonlySet<string> = new Set(["C", "ramekin", NEW_COMMAND]);

const PLOT = `The launch and the end of ${PROGRAM}, its output piped`;

function plotOf(compared: readonly Compared[]): string {
  const groups = compared.filter(({ form }) => form === "pipe").map(({ title, rounds }) => ({
    title,
    rows: [...rounds].map(([name, times]): Dots => ({
      name,
      value: median(times) / 1e6,
      label: `${(median(times) / 1e6).toPrecision(3)} ms`,
      emphasis: name.startsWith("ramekin") ? "accent" : name === "C" ? "" : "warm",
    })),
  }));
  return dots(PLOT, `${PLOT}, by who launches it`, "ms", groups);
}

function microseconds(nanoseconds: number): string {
  return (nanoseconds / 1000).toFixed(0);
}

function commandOf(box: Recipe, form: Form): Command {
  const stdout = form === "null" ? "null" : "piped";
  return box.command(PROGRAM, { stdin: "null", stdout, stderr: "null" });
}

/** The same command over and over, as C has its arguments laid out too. */
function launchAgain(command: Command, form: Form): Promise<number[]> {
  return timed(() => launch(command, form));
}

async function launch(command: Command, form: Form): Promise<void> {
  const { code } = form === "null" ? command.outputSync() : await command.output();
  if (code !== 0) throw new Error(`${PROGRAM} has ended with ${code}`);
}

async function denoCommand(form: Form): Promise<void> {
  const stdout = form === "null" ? "null" : "piped";
  const command = new Deno.Command(PROGRAM, { stdin: "null", stdout, stderr: "null" });
  const { code } = form === "null" ? command.outputSync() : await command.output();
  if (code !== 0) throw new Error(`${PROGRAM} has ended with ${code}`);
}

/** Nanoseconds a launch, as the launcher in C tells them. */
async function timed(launch: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < LAUNCHES; i++) {
    const begin = performance.now();
    await launch();
    times.push((performance.now() - begin) * 1e6);
  }
  return times;
}

if (import.meta.main) await alone(launches);
