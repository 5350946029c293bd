/**
 * Shared parts of the fault tests. They run in a bounded form in the suite, and without bounds
 * by `deno task proof`, which sets PROOF. SEED repeats the random choices of a run.
 */

import { claim, type Inventory, leftovers } from "../leftovers.ts";
import { decode, runScript } from "../other_scripts.ts";
import { patience } from "../rounds.ts";
import { type Shape, SHAPES } from "./shapes.ts";

/** Whether this is `deno task proof`, with many more repetitions. */
export const proof: boolean = Deno.env.has("PROOF");

/** Returns the shapes that are tried, by their names. */
export function triedShapes(): readonly (readonly [name: string, shape: Shape])[] {
  return Object.entries(SHAPES).filter(([, { provenOnly }]) => proof || provenOnly !== true);
}

/** Returns one number for the suite, and another for `deno task proof`. */
export function times(suite: number, proven: number): number {
  return proof ? proven : suite;
}

/** The seed of random choices; a test that fails prints it. */
export const seed: number = Number(
  Deno.env.get("SEED") ?? crypto.getRandomValues(Uint16Array.of(0))[0],
);

/** Repeatable random numbers from 0 up to 1, by Tommy Ettinger's mulberry32. */
export function chance(): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns a word that no other process has on its command line. */
export function newMarker(): string {
  return String(crypto.getRandomValues(new Uint32Array(1))[0]).padStart(10, "0");
}

/** Returns the processes with the word on their command line; zombies have none. */
export function marked(marker: string): string[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " ");
      return line.includes(marker) ? [`${name} ${line}`] : [];
    } catch {
      return [];
    }
  });
}

/** Returns the processes with the word that still run after some time. */
export async function survivors(marker: string): Promise<string[]> {
  let alive: string[] = [];
  for (let attempt = 0; attempt < patience(1200); attempt++) {
    alive = marked(marker);
    if (alive.length === 0) break;
    await pause(50);
  }
  return alive;
}

/** Waits some milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Returns what is new since the inventory, except what matches the pattern. */
export async function leftSince(before: Inventory, kept: RegExp): Promise<readonly string[]> {
  return (await leftovers(before, kept))?.split("\n") ?? [];
}

/** Runs a script beside this file, and returns its lines of JSON. */
export async function linesOf(script: string, ...args: number[]): Promise<unknown[]> {
  const path = new URL(script, import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-config", "--quiet", "--v8-flags=--expose-gc", path]
      .concat(args.map(String)),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  claim(process.pid);
  const { stdout, stderr, success } = await process.output();
  if (!success) throw new Error(`${script} has failed: ${decode(stderr)}`);
  return decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
}

/** Removes the groups of killed scripts, which the next script with a group does. */
export async function sweep(): Promise<void> {
  if (Deno.uid() !== 0) return;
  const code = `ramekin.recipe(ramekin.limits({})).command("true").outputSync();`;
  const { stderr } = await runScript(code);
  if (stderr !== "") throw new Error(stderr);
}
