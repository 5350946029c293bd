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
import { CLauncher, type Form } from "./c_launcher.ts";
import { findProgram, printMachine } from "./machine.ts";
import { PEER_NOTES, PEER_PROGRAMS, peersFor } from "./peers.ts";
import { type Contender, interleave, median, ratios, type Rounds } from "./rounds.ts";
import { print, printRounds, printWanted } from "./table.ts";

const ROUNDS = 7;
const LAUNCHES = 200;
const PROGRAM = "/bin/true";

/** How many of the launches those make that take longer. */
const SHARES: Readonly<Record<string, number>> = {
  unshare: 0.2,
  bwrap: 0.2,
  crun: 0.1,
  runc: 0.04,
};

const FOUR = ["user", "mount", "pid", "uts"] as const;
const SEVEN = [...FOUR, "ipc", "net", "cgroup"] as const;

/** The recipe is planned anew for each launch, and the table of its calls laid out. */
const NEW_COMMAND = "ramekin, a new command each";

const FORMS: Readonly<Record<Form, string>> = {
  null: "outputSync(), its streams null",
  pipe: "output(), its standard output collected",
};

if (import.meta.main) {
  printMachine(PEER_PROGRAMS.flatMap((name) => findProgram(name) ?? []));
  const folder = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  try {
    const launcher = CLauncher.compile(folder);
    if (launcher === undefined) throw new Error("no C compiler (Debian: gcc, libc6-dev)");
    for (const note of PEER_NOTES) print(`  ${note}`);
    print();
    await compare(launcher, folder, "a", []);
    await compare(launcher, folder, "b", FOUR);
    await compare(launcher, folder, "c", SEVEN);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function compare(
  launcher: CLauncher,
  folder: string,
  letter: string,
  kinds: readonly NamespaceKind[],
): Promise<void> {
  const box = kinds.length === 0
    ? recipe()
    : recipe(unshare(...kinds), mapRoot(), proc(), hostname("box"));
  const { peers, missing } = kinds.length === 0
    ? { peers: [], missing: [] }
    : await peersFor(launcher, `${folder}/${letter}`, kinds, PROGRAM);
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
    print(`(${letter}) ${kinds.join(" ") || "no namespaces"}: ${FORMS[form]}`);
    print();
    printRounds(rounds, "C", "µs a launch", (nanoseconds) => (nanoseconds / 1000).toFixed(0));
    judge(rounds, form);
    print();
  }
  for (const line of missing) print(`  without ${line}`);
}

function judge(rounds: Rounds, form: Form): void {
  const to = (base: string) => median(ratios(rounds, "ramekin", base));
  printWanted("ramekin to C", to("C"), "at most", form === "null" ? 1.10 : 1.25);
  for (const name of rounds.keys()) {
    if (name === "C" || name === "ramekin" || name === NEW_COMMAND) continue;
    printWanted(`ramekin to ${name}`, to(name), "less than", name === "bwrap" ? 0.5 : 1);
  }
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
