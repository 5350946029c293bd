/**
 * A GiB out of a container, read through its stream, against the same out of `Deno.Command`.
 *
 * @module
 */

import { mapRoot, proc, recipe, unshare } from "../mod.ts";
import { alone } from "./alone.ts";
import type { Report } from "./report.ts";
import { interleave, median, ratios } from "./rounds.ts";

const ROUNDS = 5;
const GIB = 2 ** 30;
const ARGS = ["-c", String(GIB), "/dev/zero"];
const STDIO = { stdin: "null", stdout: "piped", stderr: "null" } as const;

/** Measures. */
export async function pipes(): Promise<Report> {
  const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
  const rounds = await interleave([
    {
      name: "Deno.Command",
      measure: () => speed(() => new Deno.Command("head", { args: ARGS, ...STDIO }).spawn()),
    },
    {
      name: "ramekin",
      measure: () => speed(() => box.command("head", { args: ARGS, ...STDIO }).spawn()),
    },
  ], ROUNDS);
  const compared = ratios(rounds, "ramekin", "Deno.Command");
  return {
    title: "A GiB out of a container",
    about: [`head ${ARGS.join(" ")}, read chunk by chunk through the stream`],
    tables: [{
      title: "Through standard output",
      heading: ["", "GiB a second", "lowest", "highest"],
      rows: [...rounds].map(([name, speeds]) => [
        name,
        ...[median(speeds), Math.min(...speeds), Math.max(...speeds)].map((one) => one.toFixed(2)),
      ]),
      wanted: [{
        what: "ramekin's speed to Deno.Command's",
        is: median(compared),
        bound: "at least",
        limit: 0.9,
      }],
    }],
    plots: [],
  };
}

/** A program that runs. */
interface Child {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly status: Promise<{ readonly code: number }>;
}

/** GiB a second, from the launch to the end of the program. */
async function speed(spawn: () => Child): Promise<number[]> {
  const begin = performance.now();
  const child = spawn();
  let size = 0;
  for await (const chunk of child.stdout) size += chunk.length;
  const { code } = await child.status;
  const seconds = (performance.now() - begin) / 1000;
  if (code !== 0 || size !== GIB) throw new Error(`${size} bytes came, and the code ${code}`);
  return [size / GIB / seconds];
}

if (import.meta.main) await alone(pipes);
