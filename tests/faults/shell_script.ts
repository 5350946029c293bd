// deno-lint-ignore-file no-console -- the test reads the output
/**
 * A script of template commands: `shell_script.ts COMMANDS BYTES` runs that many commands of each
 * kind, then pipes that many bytes through three containers, and prints its resources as lines of
 * JSON.
 */

import { mapRoot, recipe, unshare } from "../../mod.ts";
import { $, shell } from "../../shell/mod.ts";

declare function gc(): void;

/** The resources of the script. */
export interface ShellSample {
  readonly name: string;
  readonly heap: number;
  readonly resident: number;
  readonly files: number;
  readonly milliseconds: number;
}

const [commands, bytes] = Deno.args.map(Number) as [number, number];
const box = shell(recipe(unshare("user", "pid"), mapRoot()));

function sample(name: string, milliseconds: number): void {
  gc();
  const { heapUsed, rss } = Deno.memoryUsage();
  const files = [...Deno.readDirSync("/proc/self/fd")].length;
  console.log(JSON.stringify({ name, heap: heapUsed, resident: rss, files, milliseconds }));
}

async function measured(name: string, act: () => Promise<void>): Promise<void> {
  const begin = performance.now();
  await act();
  sample(name, performance.now() - begin);
}

async function short(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const word = `${index}`;
    if (await $`echo ${word}`.text() !== word) throw new Error(`${word} is missing`);
    if (await $`false`.code() !== 1) throw new Error("no failure");
    if (await $`echo ${word}`.pipe(box`cat`).text() !== word) throw new Error(`${word} is lost`);
  }
}

async function pipe(size: number): Promise<void> {
  const counted = await box`head -c ${size} /dev/zero`.pipe(box`cat`).pipe(box`wc -c`).text();
  if (counted !== String(size)) throw new Error(`${counted} bytes have come`);
}

await short(Math.ceil(commands / 4));
await pipe(2 ** 20);
await measured("warm", () => short(Math.ceil(commands / 4)));
await measured("commands", () => short(commands));
await measured("pipe", () => pipe(bytes));
