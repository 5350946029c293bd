/**
 * Many containers alive at once: how fast they are launched, and how much memory of the script's
 * process each takes while it lives.
 *
 * @module
 */

import { type Container, hostname, mapRoot, proc, recipe, unshare } from "../mod.ts";
import { printMachine } from "./machine.ts";
import { median } from "./rounds.ts";
import { print, printTable, printWanted } from "./table.ts";

const COUNTS = [1, 10, 100, 1000];
const ROUNDS = 5;
/**
 * Launched and ended before anything is counted, so that neither what is made once nor the room
 * that the garbage of many launches takes is counted for those that live.
 */
const WARM_UP = { times: 10, containers: 100 };

/** What a process of its own has measured. */
interface Measured {
  readonly launchesPerSecond: number;
  readonly bytesPerContainer: number;
}

if (import.meta.main) {
  if (Deno.args.length === 0) compare();
  else print(JSON.stringify(await measure(Number(Deno.args[0]))));
}

function compare(): void {
  printMachine();
  const measured = new Map<number, Measured[]>(COUNTS.map((count) => [count, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const count of COUNTS) measured.get(count)!.push(measureApart(count));
  }
  const of = (count: number, key: keyof Measured) =>
    median(measured.get(count)!.map((one) => one[key]));
  print("containers alive at once, with user, mount, pid and uts namespaces, /proc and a hostname");
  print();
  printTable(
    ["containers", "launches a second", "KiB of the script a container"],
    COUNTS.map((count) => [
      String(count),
      of(count, "launchesPerSecond").toFixed(0),
      count < 100 ? "" : (of(count, "bytesPerContainer") / 1024).toFixed(1),
    ]),
  );
  printWanted(
    "memory a container, of 1000 to of 100",
    of(1000, "bytesPerContainer") / of(100, "bytesPerContainer"),
    "at most",
    // Memory grows by pages, of which 100 containers take few.
    1.5,
  );
  printWanted(
    "launches a second, of 1000 to of 100",
    of(1000, "launchesPerSecond") / of(100, "launchesPerSecond"),
    "at least",
    0.9,
  );
}

/** Measures in a new process, whose memory nothing else has grown. */
function measureApart(count: number): Measured {
  const { success, stdout } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--v8-flags=--expose-gc", import.meta.url, String(count)],
    stderr: "inherit",
  }).outputSync();
  if (!success) throw new Error(`${count} containers could not be measured`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function measure(count: number): Promise<Measured> {
  for (let i = 0; i < WARM_UP.times; i++) await end(launch(WARM_UP.containers));
  const before = residentBytes();
  const begin = performance.now();
  const containers = launch(count);
  const seconds = (performance.now() - begin) / 1000;
  // Waiting begins with the next turns of the event loop, and belongs to it.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const bytesPerContainer = (residentBytes() - before) / count;
  await end(containers);
  return { launchesPerSecond: count / seconds, bytesPerContainer };
}

function launch(count: number): Container[] {
  const box = recipe(
    unshare("user", "mount", "pid", "uts"),
    mapRoot(),
    proc(),
    hostname("box"),
  );
  const command = box.command("/bin/sleep", {
    args: ["infinity"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  return Array.from({ length: count }, () => command.spawn());
}

async function end(containers: readonly Container[]): Promise<void> {
  for (const container of containers) container.kill("SIGKILL");
  await Promise.all(containers.map((container) => container.status));
}

function residentBytes(): number {
  (globalThis as unknown as { gc(): void }).gc();
  return Deno.memoryUsage().rss;
}
