// deno-lint-ignore-file no-console -- the test reads the output
/**
 * A script with few free descriptors: it launches a shape with 0, 1, 2 ... 20 of them, and with as
 * many as a launch leaves open, from the first launch on or (`warm`) after others.
 * `descriptors_script.ts SHAPE [warm]` prints a line for each: how it has ended, and what was left.
 */

import { recipe, SyscallError } from "../../mod.ts";
import { $ } from "../../shell/mod.ts";
import { takeInventory } from "../leftovers.ts";
import { SHAPES } from "./shapes.ts";
import { leftSince } from "./support.ts";

/** In place of a shape: a pipe of template commands. */
const TEMPLATES = "templates";

const [name, warm, only] = Deno.args as [string, string, string | undefined];
const { box, terminal, joins, streams, permissions, timeout } = SHAPES[name] ?? { box: recipe() };
const options = {
  stdin: "null",
  stdout: "piped",
  stderr: terminal ? "null" : "piped",
  ...(terminal && { terminal }),
  ...(permissions && { permissions }),
  ...(timeout !== undefined && { timeout }),
} as const;

/** The descriptors that Deno opens at any time, and the groups of other scripts. */
const DENOS = /socket:|node_analysis_cache|^cgroup/;
/** Those, and the descriptors that a script uses for all launches. */
const KEPT = new RegExp(
  `${DENOS.source}|:\\[(pidfd|eventpoll|eventfd)\\]|memfd:ramekin-(init|names)|^mapping`,
);

using first = joins ? hub() : undefined;

function hub() {
  const container = box.command("sleep", { args: ["1000"], stdin: "null" }).spawn();
  return { container, [Symbol.dispose]: () => container.kill("SIGKILL") };
}

async function run(): Promise<string> {
  if (name === TEMPLATES) return `0 ${await $`echo out`.pipe`cat`.pipe`cat`.text()}`;
  const settings = { ...options, ...streams?.(), args: ["-c", "echo out"] };
  const command = first === undefined
    ? box.command("sh", settings)
    : first.container.enter("sh", settings);
  const { code, stdout } = await command.spawn().output();
  return `${code} ${new TextDecoder().decode(stdout).trim()}`;
}

if (warm === "warm") { for (let i = 0; i < 3; i++) await run(); }

const FEW = Array.from({ length: 21 }, (_, count) => count);

for (const free of only === undefined ? [...FEW, 40, 100] : [Number(only)]) {
  const before = takeInventory();
  const fillers: Deno.FsFile[] = [];
  for (;;) {
    try {
      fillers.push(Deno.openSync("/dev/null"));
    } catch {
      break;
    }
  }
  for (let i = 0; i < free; i++) fillers.pop()!.close();
  let ended: string;
  try {
    ended = await run();
  } catch (error) {
    ended = error instanceof SyscallError
      ? `${error.name} ${error.code} ${error.hint?.includes("ulimit -n")} ${error.syscall}`
      : `${(error as Error).name} ${(error as Error).message}`;
  }
  for (const filler of fillers) filler.close();
  const left = await leftSince(before, warm === "warm" ? DENOS : KEPT);
  console.log(JSON.stringify({ free, ended, left }));
}
