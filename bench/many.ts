/**
 * Many containers alive at once: how fast they are launched, and how much memory of the script's
 * process each takes while it lives.
 *
 * @module
 */

import { type Container, hostname, mapRoot, proc, recipe, unshare } from "../mod.ts";
import { alone } from "./alone.ts";
import { curves } from "./plots.ts";
import { print, type Report } from "./report.ts";
import { median } from "./rounds.ts";

const COUNTS = [1, 10, 100, 300, 1000];
const ROUNDS = 9;
/**
 * LaunchedProcess and ended before anything is counted, so that neither what is made once nor the room
 * that the garbage of many launches takes is counted for those that live.
 */
const WARM_UP = { times: 10, containers: 100 };

/** What a process of its own has measured. */
interface Measured {
  readonly launchesPerSecond: number;
  readonly bytesPerContainer: number;
}

/** Measures. */
export function many(): Promise<Report> {
  const measured = new Map<number, Measured[]>(COUNTS.map((count) => [count, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const count of COUNTS) measured.get(count)!.push(measureApart(count));
  }
  const of = (count: number, key: keyof Measured) =>
    median(measured.get(count)!.map((one) => one[key]));
  const kib = (count: number) => of(count, "bytesPerContainer") / 1024;
  const speed = (count: number) => of(count, "launchesPerSecond");
  // Memory grows by pages, of which a few containers take few.
  const counted = COUNTS.filter((count) => count >= 100);
  return Promise.resolve({
    title: "Many containers alive at once",
    about: [
      "user, mount, pid and uts namespaces, /proc and a hostname, in which sleep(1) runs; spawn() " +
      "one after the other",
      "the memory is what the script's process has grown by, collected before and after, for each",
    ],
    tables: [{
      title: "Launch rate and memory as containers grow",
      heading: ["containers", "launches a second", "KiB of the script a container"],
      rows: COUNTS.map((count) => [
        String(count),
        speed(count).toFixed(0),
        counted.includes(count) ? kib(count).toFixed(1) : "",
      ]),
      wanted: [
        { what: "KiB a container, of 1000", is: kib(1000), bound: "less than", limit: 100 },
        {
          what: "memory a container, of 1000 to of 100",
          is: kib(1000) / kib(100),
          bound: "at most",
          limit: 1.5,
        },
        {
          what: "launches a second, of 1000 to of 100",
          is: speed(1000) / speed(100),
          bound: "at least",
          limit: 0.9,
        },
      ],
    }],
    plots: [{
      name: "many",
      about: "Launch rate and memory as containers grow",
      svg: curves("As containers grow", "Launch rate and memory as containers grow", [
        {
          title: "launches a second",
          points: COUNTS.map((count) => ({ count, value: speed(count) })),
          format: (value) => value.toFixed(0),
        },
        {
          title: "KiB of the script's memory, for each container",
          points: counted.map((count) => ({ count, value: kib(count) })),
          format: (value) => value.toFixed(1),
        },
      ]),
    }],
  });
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

if (import.meta.main) {
  if (Deno.args.length === 0) await alone(many);
  else print(JSON.stringify(await measure(Number(Deno.args[0]))));
}
