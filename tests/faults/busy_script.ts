/**
 * A script that makes and ends containers, this many at once and as fast as it can, until it is
 * killed or ends: `busy_script.ts SHAPE COUNT MARKER [exit|throw AFTER]`.
 */

import type { Container } from "../../mod.ts";
import { SHAPES } from "./shapes.ts";

const [name, count, marker, how, after] = Deno.args as [string, string, string, ...string[]];
const { box, terminal, joins, permissions, timeout } = SHAPES[name]!;
const program = "sleep";
const options = {
  args: ["1000", `0.${marker}`],
  stdin: "null",
  stdout: terminal ? "piped" : "null",
  stderr: "null",
  ...(terminal && { terminal }),
  ...(permissions && { permissions }),
  ...(timeout !== undefined && { timeout }),
} as const;

let first: Container | undefined;

function start(): Container {
  return first === undefined
    ? box.command(program, options).spawn()
    : first.enter(program, options).spawn();
}

async function work(): Promise<never> {
  for (;;) {
    const container = start();
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    await container[Symbol.asyncDispose]();
  }
}

await start()[Symbol.asyncDispose]();
if (joins) first = start();
for (let i = 0; i < Number(count); i++) void work();
Deno.stdout.writeSync(new TextEncoder().encode("ready\n"));
if (how === "exit") setTimeout(() => Deno.exit(4), Number(after));
if (how === "throw") {
  setTimeout(() => {
    throw new Error("thrown");
  }, Number(after));
}
