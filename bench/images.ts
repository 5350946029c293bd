/**
 * Images: a layer pulled from a layout, checked and unpacked, against tar(1), which checks nothing, and
 * umoci(1) and buildah(1); two at once; the owners of subordinate ids; the memory that a large layer
 * takes; and runs of an image. All files are on a tmpfs.
 *
 * The layer is Debian's minbase by mmdebstrap(1), or the file that RAMEKIN_BENCH_LAYER names, or else an
 * archive of this machine's programs.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { alone } from "./alone.ts";
import { digestOf, LAYER, type LayerFile, makeLayout } from "./image_layout.ts";
import { imageRuns } from "./image_runs.ts";
import { findProgram } from "./machine.ts";
import { type Report, roundsTable, type Table, type Wanted } from "./report.ts";
import { type Contender, interleave, median, ratios, type Rounds } from "./rounds.ts";

const ROUNDS = 3;
const COMMAND = new URL("../dist/command.js", import.meta.url).pathname;
const UNPACK = new URL("unpack_layer.ts", import.meta.url).pathname;

/** What mmdebstrap puts into the layer beside minbase. */
const PACKAGES = "ca-certificates,libpython3-stdlib,iputils-ping,libcap2-bin";
/** What the archive is made of without it. */
const SOURCES = ["usr/bin", "usr/share/perl", "usr/lib/python3", "usr/share/zoneinfo"];
/** The size of the large layer: of random bytes, which come again too far behind to be seen. */
const LARGE = { block: 64 << 20, times: 32 };

/** Measures. */
export async function layers(): Promise<Report> {
  const directory = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "ramekin-bench-" });
  try {
    return await measure(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

async function measure(directory: string): Promise<Report> {
  const missing = ["zstd", "umoci", "buildah", "podman"]
    .filter((name) => findProgram(name) === undefined).map((name) => `${name}: not installed`);
  if (Deno.uid() !== 0) missing.push("not root: neither tar and buildah nor subordinate ids");
  const archive = await makeArchive(directory);
  const tar = archive.path;
  const diffId = digestOf(tar);
  const gz = `${directory}/layer.tar.gz`, zst = `${directory}/layer.tar.zst`;
  sh(`gzip -6 -c "$1" >"$2"`, tar, gz);
  if (findProgram("zstd") !== undefined) sh(`zstd -q -3 -c "$1" >"$2"`, tar, zst);
  const bench = new LayerBench(directory, diffId);
  const size = (path: string) => `${(Deno.statSync(path).size / 1e6).toFixed(1)} MB`;
  const about = [
    `${archive.what} of ${size(tar)}, as gzip ${size(gz)}, to a tmpfs, as a process each`,
    "ramekin checks the digest, the size and the diff_id; tar checks none of them",
    "ramekin pull copies the layer to its store too, as buildah does",
    ...missing,
  ];
  const tables = [await bench.gzip(gz), await bench.owners(gz), await bench.twoAtOnce(gz)];
  if (findProgram("zstd") !== undefined) tables.splice(1, 0, await bench.zstd(zst));
  for (const path of [gz, zst]) removeAll(path);
  tables.push(await memory(directory));
  const runs = await imageRuns(directory, COMMAND);
  return {
    title: "Images",
    about: [...about, ...runs.about],
    tables: [...tables, ...runs.tables],
    plots: [],
  };
}

/** The measurements of one layer. */
class LayerBench {
  readonly #directory: string;
  readonly #root: string;
  readonly #diffId: string;

  constructor(directory: string, diffId: string) {
    this.#directory = directory;
    this.#root = `${directory}/root`;
    this.#diffId = diffId;
  }

  async gzip(gz: string): Promise<Table> {
    const layout = this.#layout("gzip", gz);
    const root = this.#root;
    const contenders = [
      contender("tar xzf", [root], ["tar", "-C", root, "-xzf", gz]),
      this.#pull("ramekin pull", layout, root),
      this.#unpack("ramekin, the layer alone", gz, "real"),
    ];
    if (findProgram("umoci") !== undefined) {
      const args = ["unpack", "--image", `${layout}:l`, `${root}/bundle`];
      contenders.push(contender("umoci unpack", [root], ["umoci", ...args]));
    }
    if (findProgram("buildah") !== undefined && Deno.uid() === 0) {
      // It mounts its own directory.
      const store = ["--root", `${root}/store`, "--runroot", `${root}/run`];
      const args = ["pull", "--quiet", `oci:${layout}:l`];
      const command = ["unshare", "--mount", "buildah", ...store, ...args];
      contenders.push(contender("buildah pull", [root], command));
    }
    const limits = { "tar xzf": 0.75, "umoci unpack": 0.25, "buildah pull": 0.3 };
    return await compared("gzip", contenders, "tar xzf", "ramekin pull", limits);
  }

  async zstd(zst: string): Promise<Table> {
    const root = this.#root;
    const contenders = [
      contender("tar --zstd -xf", [root], ["tar", "-C", root, "--zstd", "-xf", zst]),
      this.#pull("ramekin pull", this.#layout("zstd", zst), root),
      this.#unpack("ramekin, the layer alone", zst, "real"),
    ];
    const limits = { "tar --zstd -xf": 1.2 };
    return await compared("zstd", contenders, "tar --zstd -xf", "ramekin pull", limits);
  }

  /** What a user with subordinate ids takes, whose files are made in a user namespace. */
  async owners(gz: string): Promise<Table> {
    const contenders = [
      this.#unpack("root", gz, "real"),
      this.#unpack("subordinate ids", gz, "mapped"),
    ];
    const limits = { root: 1.3 };
    return await compared("The owners", contenders, "root", "subordinate ids", limits);
  }

  async twoAtOnce(gz: string): Promise<Table> {
    const layout = this.#layout("two", gz);
    const roots = ["one", "other"].map((name) => `${this.#root}-${name}`);
    const pulls = roots.map((root) => this.#pull("", layout, root));
    const inTurn: Contender = {
      name: "one after the other",
      measure: async () => {
        const times = [];
        for (const pull of pulls) times.push(...await pull.measure());
        return [times.reduce((sum, time) => sum + time, 0)];
      },
    };
    const atOnce: Contender = {
      name: "two at once",
      measure: async () => {
        const times = await Promise.all(pulls.map((pull) => pull.measure()));
        return [Math.max(...times.flat())];
      },
    };
    const limits = { [inTurn.name]: 0.65 };
    return await compared("Two pulls", [inTurn, atOnce], inTurn.name, atOnce.name, limits);
  }

  #layout(name: string, blob: string): string {
    const layout = `${this.#directory}/layout-${name}`;
    const path = `${layout}.blob`;
    Deno.linkSync(blob, path);
    const mediaType = name === "zstd" ? LAYER.zstd : LAYER.gzip;
    makeLayout(layout, { path, mediaType, diffId: this.#diffId });
    return layout;
  }

  #pull(name: string, layout: string, store: string): Contender {
    return contender(name, [store], pullCommand(layout), { RAMEKIN_IMAGES: store });
  }

  /** The layer unpacked by itself, for users of these owners. */
  #unpack(name: string, path: string, owners: "real" | "mapped"): Contender {
    const size = Deno.statSync(path).size;
    const layer = { path, digest: digestOf(path), size, mediaType: "", diffId: this.#diffId };
    const args = ["run", "-A", "--no-check", UNPACK, this.#root, owners, JSON.stringify(layer)];
    return contender(name, [this.#root], [Deno.execPath(), ...args]);
  }
}

function pullCommand(layout: string): readonly string[] {
  return [Deno.execPath(), "run", "-A", COMMAND, "pull", "--quiet", `oci:${layout}:l`];
}

/** The most memory that a pull of a large layer has, above an empty script's. */
async function memory(directory: string): Promise<Table> {
  const isZstd = findProgram("zstd") !== undefined;
  const path = `${directory}/large`;
  makeLarge(path, isZstd);
  const mediaType = isZstd ? LAYER.zstd : LAYER.tar;
  const layer: LayerFile = { path: `${path}.blob`, mediaType, diffId: digestOf(`${path}.tar`) };
  Deno.removeSync(`${path}.tar`);
  const [layout, store] = [`${directory}/layout-large`, `${directory}/store-large`];
  makeLayout(layout, layer);
  const empty = `${directory}/empty.ts`;
  Deno.writeTextFileSync(empty, "await new Promise((resolve) => setTimeout(resolve, 300));");
  const [floor, pull] = [
    await peakOf([Deno.execPath(), "run", "-A", empty]),
    await peakOf(pullCommand(layout), { RAMEKIN_IMAGES: store }),
  ];
  for (const each of [layout, store]) removeAll(each);
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
  const above = (pull - floor) / 2 ** 20;
  return {
    title: `A layer of 2 GiB, ${isZstd ? "as zstd" : "not compressed"}`,
    heading: ["", "MiB resident at most"],
    rows: [["an empty script", mib(floor)], ["ramekin pull", mib(pull)]],
    wanted: [{ what: "MiB above an empty script", is: above, bound: "at most", limit: 120 }],
  };
}

/** Makes `PATH.tar` and the blob of it, `PATH.blob`. */
function makeLarge(path: string, isZstd: boolean): void {
  const { block, times } = LARGE;
  sh(
    `head -c "$2" /dev/urandom >"$1.block"
    for i in $(seq "$3"); do cat "$1.block"; done >"$1.file"
    tar -C "\${1%/*}" -cf "$1.tar" "\${1##*/}.file"; rm "$1.block" "$1.file"
    ${isZstd ? `zstd -q -1 "$1.tar" -o "$1.blob"` : `ln "$1.tar" "$1.blob"`}`,
    path,
    String(block),
    String(times),
  );
}

/** The most bytes that a process has resident, while it runs. */
async function peakOf(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const [program, ...args] = command as [string, ...string[]];
  if (env["RAMEKIN_IMAGES"] !== undefined) Deno.mkdirSync(env["RAMEKIN_IMAGES"], { mode: 0o700 });
  const process = new Deno.Command(program, { args, env, stdout: "null", stderr: "inherit" })
    .spawn();
  let [peak, ended] = [0, false];
  const status = process.status.finally(() => ended = true);
  while (!ended) {
    // It only grows.
    const text = await Deno.readTextFile(`/proc/${process.pid}/status`).catch(() => "");
    peak = Math.max(peak, Number(text.match(/^VmHWM:\s+(\d+) kB$/m)?.[1] ?? 0) * 1024);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (!(await status).success) throw new Error(`${command.join(" ")} has failed`);
  return peak;
}

/** Measures, and compares one with others. */
async function compared(
  title: string,
  contenders: readonly Contender[],
  base: string,
  name: string,
  limits: Readonly<Record<string, number>>,
): Promise<Table> {
  const rounds = await interleave(contenders, ROUNDS);
  const wanted = Object.entries(limits).filter(([other]) => rounds.has(other))
    .map(([other, limit]) => wantedOf(rounds, name, other, limit));
  return roundsTable(title, rounds, base, "ms", (value) => value.toFixed(0), wanted);
}

function wantedOf(rounds: Rounds, name: string, base: string, limit: number): Wanted {
  const is = median(ratios(rounds, name, base));
  return { what: `${name} to ${base}`, is, bound: "at most", limit };
}

/** The archive, and what it is. */
async function makeArchive(directory: string): Promise<{ path: string; what: string }> {
  const given = Deno.env.get("RAMEKIN_BENCH_LAYER");
  if (given !== undefined) return { path: given, what: "an archive" };
  const path = `${directory}/layer.tar`;
  if (findProgram("mmdebstrap") !== undefined) {
    const args = ["--quiet", "--variant=minbase", `--include=${PACKAGES}`, "bookworm", path];
    // It needs Debian's mirrors.
    const { success } = await new Deno.Command("mmdebstrap", { args, stderr: "null" }).output();
    if (success) return { path, what: "Debian's minbase" };
    removeAll(path);
  }
  const there = SOURCES.filter((source) => existsSync(`/${source}`));
  sh(`archive=$1; shift; tar -C / -cf "$archive" "$@"`, path, ...there);
  return { path, what: "this machine's programs (minbase needs mmdebstrap and Debian's mirrors)" };
}

/** A program that makes files in directories, which are new each time. */
function contender(
  name: string,
  directories: readonly string[],
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Contender {
  const [program, ...args] = command as [string, ...string[]];
  return {
    name,
    measure: async () => {
      for (const directory of directories) Deno.mkdirSync(directory, { mode: 0o700 });
      const begin = performance.now();
      const { success, stderr } = await new Deno.Command(program, { args, env, stdout: "null" })
        .output();
      const time = performance.now() - begin;
      for (const directory of directories) await Deno.remove(directory, { recursive: true });
      if (!success) throw new Error(`${name}: ${new TextDecoder().decode(stderr)}`);
      return [time];
    },
  };
}

function removeAll(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function sh(script: string, ...args: string[]): void {
  const command = new Deno.Command("sh", { args: ["-euc", script, "sh", ...args], stdout: "null" });
  const { success, stderr } = command.outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

if (import.meta.main) await alone(layers);
