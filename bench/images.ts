/**
 * A layer unpacked, with its digest, size and diff_id checked, against tar(1), which checks nothing,
 * and umoci(1), which checks as much. Each is a process from its start to its end, and unpacks to a
 * tmpfs.
 *
 * The layer is an archive of this machine's programs, or the one that RAMEKIN_BENCH_LAYER names.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { LayerSource } from "../images/layer/mod.ts";
import { alone } from "./alone.ts";
import { findProgram } from "./machine.ts";
import { type Report, roundsTable, type Wanted } from "./report.ts";
import { type Contender, interleave, median, ratios } from "./rounds.ts";

const ROUNDS = 5;
const UNPACK = new URL("unpack_layer.ts", import.meta.url).pathname;
/** What the archive is made of, until it has so many bytes. */
const SOURCES = ["usr/bin", "usr/share/perl", "usr/lib/python3", "usr/share/zoneinfo"];

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
  const tar = makeArchive(directory);
  const gz = `${directory}/layer.tar.gz`, zst = `${directory}/layer.tar.zst`;
  sh(`gzip -6 -c "$1" >"$2"`, tar, gz);
  const hasZstd = findProgram("zstd") !== undefined;
  if (hasZstd) sh(`zstd -q -3 -c "$1" >"$2"`, tar, zst);
  const root = `${directory}/root`;
  const diffId = digestOf(tar);
  const ramekin = (name: string, blob: string): Contender => {
    const layer: LayerSource = {
      path: blob,
      digest: digestOf(blob),
      size: Deno.statSync(blob).size,
      mediaType: "",
      diffId,
    };
    const args = ["run", "-A", "--no-check", UNPACK, root, JSON.stringify(layer)];
    return contender(name, root, [Deno.execPath(), ...args]);
  };
  const gzip = [
    contender("tar xzf", root, ["tar", "-C", root, "-xzf", gz]),
    ramekin("ramekin", gz),
    ...umoci(directory, tar, root),
  ];
  const zstd = hasZstd
    ? [
      contender("tar --zstd -xf", root, ["tar", "-C", root, "--zstd", "-xf", zst]),
      ramekin("ramekin", zst),
    ]
    : [];
  const tables = [];
  const [gzipRounds, zstdRounds] = [await interleave(gzip, ROUNDS), await interleave(zstd, ROUNDS)];
  const ms = (value: number) => value.toFixed(0);
  const wanted = [wantedOf(gzipRounds, "tar xzf", 0.75)];
  if (gzipRounds.has("umoci unpack")) wanted.push(wantedOf(gzipRounds, "umoci unpack", 0.25));
  tables.push(roundsTable("gzip", gzipRounds, "tar xzf", "ms", ms, wanted));
  if (hasZstd) {
    const limit = [wantedOf(zstdRounds, "tar --zstd -xf", 1.2)];
    tables.push(roundsTable("zstd", zstdRounds, "tar --zstd -xf", "ms", ms, limit));
  }
  const megabytes = (path: string) => `${(Deno.statSync(path).size / 1e6).toFixed(1)} MB`;
  return {
    title: "A layer unpacked",
    about: [
      `an archive of ${megabytes(tar)}, as gzip ${megabytes(gz)}, to a tmpfs, as a process each`,
      "ramekin checks the digest, the size and the diff_id; tar checks none of them",
      ...(hasZstd ? [] : ["zstd: not installed"]),
      ...(findProgram("umoci") === undefined ? ["umoci: not installed"] : []),
    ],
    tables,
    plots: [],
  };
}

function wantedOf(
  rounds: ReadonlyMap<string, readonly number[]>,
  base: string,
  limit: number,
): Wanted {
  return {
    what: `ramekin's time to ${base}'s`,
    is: median(ratios(rounds, "ramekin", base)),
    bound: "at most",
    limit,
  };
}

function makeArchive(directory: string): string {
  const given = Deno.env.get("RAMEKIN_BENCH_LAYER");
  if (given !== undefined) return given;
  const tar = `${directory}/layer.tar`;
  const there = SOURCES.filter((path) => findProgram(`/${path}`) ?? exists(`/${path}`));
  sh(`archive=$1; shift; tar -C / -cf "$archive" "$@"`, tar, ...there);
  return tar;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** umoci unpacks an image, which is made of the archive. */
function umoci(directory: string, tar: string, root: string): Contender[] {
  if (findProgram("umoci") === undefined) return [];
  const layout = `${directory}/layout`;
  sh(
    `umoci init --layout "$1"; umoci new --image "$1:l"; umoci raw add-layer --image "$1:l" "$2"`,
    layout,
    tar,
  );
  return [
    contender("umoci unpack", root, ["umoci", "unpack", "--image", `${layout}:l`, `${root}/b`]),
  ];
}

/** A program that unpacks into the directory, which is new each time. */
function contender(name: string, root: string, command: readonly string[]): Contender {
  const [program, ...args] = command as [string, ...string[]];
  return {
    name,
    measure: async () => {
      Deno.mkdirSync(root);
      const begin = performance.now();
      const { success, stderr } = await new Deno.Command(program, { args, stdout: "null" })
        .output();
      const time = performance.now() - begin;
      await Deno.remove(root, { recursive: true });
      if (!success) throw new Error(`${name}: ${new TextDecoder().decode(stderr)}`);
      return [time];
    },
  };
}

function sh(script: string, ...args: string[]): void {
  const command = new Deno.Command("sh", { args: ["-euc", script, "sh", ...args], stdout: "null" });
  const { success, stderr } = command.outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function digestOf(path: string): string {
  return `sha256:${createHash("sha256").update(Deno.readFileSync(path)).digest("hex")}`;
}

if (import.meta.main) await alone(layers);
