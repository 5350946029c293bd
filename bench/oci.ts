/**
 * The OCI runtime as engines call it: the installed command against crun and runc, each call started
 * by posix_spawn(3) from the same small parent.
 *
 * @module
 */

import { commandFiles } from "../oci/install.ts";
import { exampleConfig } from "../oci/verbs/spec.ts";
import { alone } from "./alone.ts";
import { CLauncher } from "./c_launcher.ts";
import { findProgram } from "./machine.ts";
import { makeBundle } from "./oci_bundle.ts";
import { type Report, roundsTable, type Table } from "./report.ts";
import { median, ratios, type Rounds } from "./rounds.ts";

const ROUNDS = 21;
/** Not counted: the first call writes what Deno has compiled to its cache, the second one reads it. */
const WARM_UP = 2;
/** Nor are the first lives by the planner, whose code is compiled as it is used. */
const PLANNER_WARM_UP = 25;
const BASE = "crun", OWN = "ramekin", PLANNED = "ramekin, planner";
const WHOLE = "create + start + delete";

/** What is measured, and how much of crun's time it may take, without the planner and with it. */
const PARTS = {
  create: {},
  start: { [OWN]: 0.5 },
  state: { [OWN]: 0.5 },
  kill: { [OWN]: 0.5 },
  delete: { [OWN]: 0.5 },
  [WHOLE]: { [OWN]: 2, [PLANNED]: 0.6 },
} as const;
type Part = keyof typeof PARTS;

/** Nothing is left of the standard error of a runtime: what waits would keep it open. */
const QUIET = 'exec "$0" "$@" 2> /dev/null';

/** How the C program is started; crun refuses a machine with hierarchies of both versions. */
const AROUND = [
  ["sh", "-c", QUIET],
  ["unshare", "--mount", "sh", "-c", `umount /sys/fs/cgroup/unified && ${QUIET}`],
];

/** How it is started where runtimes find the planner. */
function plannedIn(directory: string): readonly string[] {
  return ["env", `XDG_RUNTIME_DIR=${directory}/run`, "sh", "-c", QUIET];
}

/** How long what waits for the end of a program rests between two looks, and after the end. */
const LOOK = 2, AFTER = 20;

/** A runtime on this machine. */
class Runtime {
  readonly name: string;
  readonly #launcher: CLauncher;
  readonly #command: readonly string[];
  readonly #around: readonly string[];
  readonly #directory: string;
  #made = 0;

  constructor(
    name: string,
    path: string,
    launcher: CLauncher,
    directory: string,
    around: readonly string[],
  ) {
    this.name = name;
    this.#launcher = launcher;
    this.#command = [path, "--root", `${directory}/state-${name.replaceAll(/\W/g, "")}`];
    this.#around = around;
    this.#directory = directory;
  }

  /** The life of a container whose program ends at once, and of one that is killed as it waits. */
  async cycle(): Promise<ReadonlyMap<Part, number>> {
    const { id, pid, time: create } = await this.#create();
    const state = await this.#call("state", id);
    const start = await this.#call("start", id);
    await ended(pid);
    const remove = await this.#call("delete", id);
    const other = await this.#create();
    const kill = await this.#call("kill", other.id, "KILL");
    await ended(other.pid);
    await this.#call("delete", other.id);
    return new Map<Part, number>([
      ["create", create],
      ["start", start],
      ["state", state],
      ["kill", kill],
      ["delete", remove],
      [WHOLE, create + start + remove],
    ]);
  }

  /** The kilobytes of what waits in a container that was made. */
  async waiting(): Promise<number> {
    const { id, pid } = await this.#create();
    const size = residentOf(pid);
    await this.#call("kill", id, "KILL");
    await ended(pid);
    await this.#call("delete", id);
    return size;
  }

  async #create(): Promise<{ readonly id: string; readonly pid: number; time: number }> {
    const name = this.name.replaceAll(/\W/g, "");
    const id = `ramekin-bench-${Deno.pid}-${name}-${++this.#made}`;
    const file = `${this.#directory}/pid`;
    const bundle = `${this.#directory}/bundle`;
    const time = await this.#call("create", "--bundle", bundle, "--pid-file", file, id);
    return { id, pid: Number(Deno.readTextFileSync(file)), time };
  }

  /** Calls it; returns milliseconds. */
  async #call(...words: readonly string[]): Promise<number> {
    try {
      const command = [...this.#command, ...words];
      const [time] = await this.#launcher.peer(1, "null", command, this.#around);
      return time! / 1e6;
    } catch {
      throw new Error(`${this.name} ${words[0]} has failed`);
    }
  }
}

/** The kilobytes of a process. */
function residentOf(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]);
}

/** Waits until a process has ended, whoever has to wait for it. */
async function ended(pid: number): Promise<void> {
  const rest = (time: number) => new Promise((resolve) => setTimeout(resolve, time));
  while (runs(pid)) await rest(LOOK);
  await rest(AFTER);
}

function runs(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** Measures. */
export async function runtimes(): Promise<Report> {
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  let planner: Deno.ChildProcess | undefined;
  try {
    const missing = Deno.uid() === 0 ? undefined : "for root, as the runtimes make control groups";
    const launcher = missing === undefined ? CLauncher.compile(directory) : undefined;
    if (launcher !== undefined) planner = await startPlanner(directory);
    const found = launcher === undefined ? [] : await runtimesHere(launcher, directory);
    const has = (name: string) => found.some((one) => one.name === name);
    const rounds = has(BASE) && has(OWN) ? await measured(found) : undefined;
    const waiting: [Runtime, number][] = [];
    for (const one of found) waiting.push([one, await one.waiting()]);
    const stays = planner === undefined ? undefined : residentOf(planner.pid);
    return {
      title: "The OCI runtime",
      about: [
        "the config.json of `spec`, with control groups, and /bin/true; the container that is killed " +
        "was not started",
        ...(stays === undefined
          ? []
          : [`the planner has ${Math.round(stays / 1024)} MiB resident`]),
        ...[BASE, "runc", OWN, PLANNED].filter((name) => !has(name)).map((name) =>
          `${name}: ${missing ?? "not installed, or it refuses this machine"}`
        ),
      ],
      tables: [
        ...(rounds === undefined
          ? []
          : Object.keys(PARTS).map((part) => tableOf(part as Part, rounds.get(part as Part)!))),
        ...(waiting.length === 0 ? [] : [memoryTable(waiting)]),
      ],
      plots: [],
    };
  } finally {
    planner?.kill("SIGTERM");
    await planner?.status;
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Starts the planner of the installed command, in a runtime directory of its own. */
async function startPlanner(directory: string): Promise<Deno.ChildProcess> {
  const path = `${directory}/run`;
  Deno.mkdirSync(path);
  const env = { XDG_RUNTIME_DIR: path };
  const planner = new Deno.Command(installed(directory), { args: ["planner"], env }).spawn();
  while (!Array.from(Deno.readDirSync(path)).length) {
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  return planner;
}

/** The runtimes that make the container here. */
async function runtimesHere(
  launcher: CLauncher,
  directory: string,
): Promise<readonly Runtime[]> {
  const bundle = `${directory}/bundle`;
  makeBundle(bundle, [], "/bin/true");
  const config = exampleConfig(false);
  const process = { ...config.process, terminal: false, args: ["/bin/true"] };
  // crun 1.8 takes no later version.
  const text = JSON.stringify({ ...config, ociVersion: "1.0.2", process });
  Deno.writeTextFileSync(`${bundle}/config.json`, text);
  const found: Runtime[] = [];
  for (const name of [BASE, "runc", OWN, PLANNED]) {
    const path = name === OWN || name === PLANNED ? `${directory}/ramekin-oci` : findProgram(name);
    const ways = name === PLANNED ? [plannedIn(directory)] : AROUND;
    for (const around of path === undefined ? [] : ways) {
      const runtime = new Runtime(name, path!, launcher, directory, around);
      try {
        await runtime.cycle();
        found.push(runtime);
        break;
      } catch {
        // Another way, or none.
      }
    }
  }
  return found;
}

/** Installs the command, as `ramekin oci install` does. */
function installed(directory: string): string {
  const path = `${directory}/ramekin-oci`;
  const module = new URL("../dist/oci.js", import.meta.url).pathname;
  const made = { deno: Deno.execPath(), module, cache: `${directory}/cache` };
  for (const file of commandFiles(path, made)) {
    Deno.writeFileSync(file.path, file.bytes, { mode: 0o755 });
  }
  return path;
}

/** The times of each part of a life, all of one cycle, in turns. */
async function measured(found: readonly Runtime[]): Promise<ReadonlyMap<Part, Rounds>> {
  const planned = found.find(({ name }) => name === PLANNED);
  for (let life = 0; life < PLANNER_WARM_UP; life++) await planned?.cycle();
  const times = new Map<Part, Map<string, number[]>>();
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (let turn = 0; turn < found.length; turn++) {
      const runtime = found[(turn + Math.max(round, 0)) % found.length]!;
      for (const [part, time] of await runtime.cycle()) {
        if (round < 0) continue;
        const rounds = times.get(part) ?? new Map(found.map(({ name }) => [name, [] as number[]]));
        times.set(part, rounds);
        rounds.get(runtime.name)!.push(time);
      }
    }
  }
  return times;
}

function tableOf(part: Part, rounds: Rounds): Table {
  const limits = Object.entries(PARTS[part]).filter(([name]) => rounds.has(name));
  return roundsTable(
    part,
    rounds,
    BASE,
    "ms",
    (ms) => ms.toFixed(1),
    limits.map(([name, limit]) => ({
      what: `${name}'s ${part} to ${BASE}'s`,
      is: median(ratios(rounds, name, BASE)),
      bound: "at most",
      limit,
    })),
  );
}

function memoryTable(waiting: readonly (readonly [Runtime, number])[]): Table {
  const own = waiting.find(([{ name }]) => name === OWN);
  return {
    title: "What waits for start",
    heading: ["", "KiB resident"],
    rows: waiting.map(([{ name }, size]) => [name, String(size)]),
    wanted: own === undefined
      ? []
      : [{ what: "ramekin's, in KiB", is: own[1], bound: "at most", limit: 64 }],
  };
}

if (import.meta.main) await alone(runtimes);
