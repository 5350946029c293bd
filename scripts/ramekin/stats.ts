/**
 * `ramekin stats`: what running containers use of the machine.
 *
 * @module
 */

import { runningContainers } from "../../host.ts";
import { attach, type Usage } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { containerOf } from "./container_of.ts";
import { paintFor, print, printJson, table } from "./output.ts";
import { timeText } from "./ps.ts";
import { UsageError } from "./usage.ts";

const HEADS = ["PID", "NAME", "UP", "CPU", "MEMORY", "PEAK", "PIDS", "READ", "WRITTEN"];
/** The pause between two looks, in milliseconds. */
const PAUSE = 1000;

/** What a container uses. */
interface Stats extends Usage {
  readonly pid: number;
  readonly name: string;
  readonly uptime: number;
}

/** Shows it: at a terminal once a second, until it is interrupted; else once. */
export async function run(given: Arguments): Promise<number> {
  const [word] = given.operands;
  const only = word === undefined ? undefined : containerOf(word, given.has("any"));
  if (only !== undefined && statsOf(only).length === 0) {
    throw new UsageError(
      `the container ${word} has no control group, by which its use is counted; limits() gives one`,
    );
  }
  if (given.has("json")) {
    printJson(statsOf(only));
    return 0;
  }
  const isLive = Deno.stdout.isTerminal() && !given.has("once");
  let before = new Map<number, number>();
  for (;;) {
    const stats = statsOf(only);
    // The cursor goes to the top left, and what was below is cleared.
    if (isLive) Deno.stdout.writeSync(CLEAR);
    print(table(HEADS, stats.map((one) => rowOf(one, before.get(one.pid))), paintFor(Deno.stdout)));
    if (!isLive) return 0;
    before = new Map(stats.flatMap(({ pid, cpu }) => cpu === undefined ? [] : [[pid, cpu]]));
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

const CLEAR = new TextEncoder().encode("\x1b[H\x1b[J");

/** What the containers use that have a control group of their own. */
function statsOf(only: number | undefined): readonly Stats[] {
  const found = runningContainers().filter(({ program, own }) =>
    only === undefined ? own : program === only
  );
  return found.flatMap(({ pid, name, uptime }) => {
    try {
      using container = attach(pid, { any: true });
      return [{ pid, name, uptime, ...container.usage() }];
    } catch (error) {
      // It has ended, or has no group.
      if (error instanceof TypeError) return [];
      throw error;
    }
  });
}

/** A row; the time of the processor in all, or as a share of one since the last look. */
function rowOf(
  { pid, name, uptime, cpu, memory, memoryPeak, pids, ioRead, ioWritten }: Stats,
  before: number | undefined,
): string[] {
  const time = cpu === undefined
    ? "-"
    : before === undefined
    ? `${cpu.toFixed(2)}s`
    : `${Math.round((cpu - before) / PAUSE * 100_000)}%`;
  const sizes = [memory, memoryPeak].map(sizeText);
  const [read, written] = [ioRead, ioWritten].map(sizeText);
  return [
    String(pid),
    name,
    timeText(uptime),
    time,
    ...sizes,
    String(pids ?? "-"),
    read!,
    written!,
  ];
}

/** A size by its largest unit: `12.3M`. */
export function sizeText(bytes: number | undefined): string {
  if (bytes === undefined) return "-";
  const units = ["", "K", "M", "G", "T"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)}${units[power]}`;
}
