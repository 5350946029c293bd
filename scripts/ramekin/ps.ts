/**
 * `ramekin ps`: the containers that run.
 *
 * @module
 */

import { type RunningContainer, runningContainers } from "../../host.ts";
import type { Arguments } from "./arguments.ts";
import { paintFor, print, printError, printJson, table } from "./output.ts";

const HEADS = ["PID", "NAME", "UP", "SCRIPT", "NAMESPACES", "CGROUP", "COMMAND"];

/** Lists them. */
export function run(given: Arguments): number {
  const containers = runningContainers();
  if (given.has("json")) {
    printJson(containers);
    return 0;
  }
  const rows = containers.map((container) => [
    String(container.pid),
    nameOf(container),
    timeText(container.uptime),
    container.script === undefined ? "-" : String(container.script),
    Object.keys(container.namespaces).join(",") || "-",
    container.cgroup.join(" ") || "-",
    container.command,
  ]);
  print(table(HEADS, rows, paintFor(Deno.stdout)));
  if (containers.some(({ own }) => !own)) printError(NOT_OWN);
  return 0;
}

/** The name, as `ramekin enter` takes it: not by a program's own word, nor another's script. */
function nameOf({ name, namedBy, own }: RunningContainer): string {
  return (namedBy === "script" ? name : `(${name})`) + (own ? "" : "*");
}

const NOT_OWN = `* not of a script of yours, or of one that may say
  anything: ramekin enter --any PID`;

/** A span of time by its largest units: `3d 4h`, `12m 5s`. */
export function timeText(seconds: number): string {
  const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]] as const;
  let rest = Math.floor(seconds);
  const parts = units.map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return { count, text: `${count}${unit}` };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  return first === -1 ? "0s" : parts.slice(first, first + 2).map(({ text }) => text).join(" ");
}
