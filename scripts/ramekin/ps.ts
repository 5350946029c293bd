/**
 * `ramekin ps`: the containers that run, and with `--all` the detached ones that have ended.
 *
 * @module
 */

import { DetachedRecord, type DetachedState } from "../../detached/mod.ts";
import { type RunningContainer, runningContainers } from "../../host.ts";
import type { Arguments } from "./arguments.ts";
import { paintFor, print, printError, printJson, table } from "./output.ts";

const HEADS = ["PID", "NAME", "UP", "SCRIPT", "NAMESPACES", "CGROUP", "COMMAND"];

/** A container that runs; of a detached one, what is recorded of it. */
type Listed = RunningContainer & { readonly detached?: DetachedState };

/** A detached container without a process. */
interface Resting {
  readonly name: string;
  readonly detached: DetachedState | undefined;
  /** Where it is in its life: it has ended, is about to be started, or its supervisor was killed. */
  readonly state: string;
}

/** Lists them. */
export function run(given: Arguments): number {
  const records = DetachedRecord.all();
  const running = runningContainers().map((container) => withRecord(container, records));
  const pids = new Set(running.map(({ pid }) => pid));
  const resting = records.flatMap((record) => restingOf(record, pids, given.has("all")) ?? []);
  if (given.has("json")) {
    printJson([...running, ...resting]);
    return 0;
  }
  const rows = [...running.map(rowOf), ...resting.map(restingRow)];
  print(table(HEADS, rows, paintFor(Deno.stdout)));
  if (running.some(({ own }) => !own)) printError(NOT_OWN);
  return 0;
}

function withRecord(
  container: RunningContainer,
  records: readonly DetachedRecord[],
): Listed {
  const detached = records.map(({ state }) => state).find((state) =>
    state?.container?.pid === container.pid && state.supervisor.pid === container.script
  );
  return detached === undefined ? container : { ...container, detached };
}

/** A detached container without a process; one that has ended, if all are to be listed. */
function restingOf(
  record: DetachedRecord,
  running: ReadonlySet<number>,
  all: boolean,
): Resting | undefined {
  const { name, state: detached, isKept } = record;
  if (!isKept && !all) return undefined;
  if (isKept && detached?.container !== undefined && running.has(detached.container.pid)) {
    return undefined;
  }
  if (detached === undefined || (!isKept && detached.status !== "ended")) {
    return { name, detached, state: "its supervisor was killed" };
  }
  const { status, end } = detached;
  return { name, detached, state: status === "ended" ? end?.reason ?? status : status };
}

function rowOf(container: Listed): string[] {
  return [
    String(container.pid),
    nameOf(container),
    timeText(container.uptime),
    container.script === undefined ? "-" : String(container.script),
    Object.keys(container.namespaces).join(",") || "-",
    container.cgroup.join(" ") || "-",
    container.command,
  ];
}

function restingRow({ name, detached, state }: Resting): string[] {
  return ["-", name, state, "-", "-", "-", detached?.program.join(" ") ?? ""];
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
