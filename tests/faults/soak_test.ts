/** Very many launches in one script, and very many concurrent containers. */

import { assert, assertEquals } from "@std/assert";
import { rounds } from "../rounds.ts";
import { test } from "../support.ts";
import { note } from "./results.ts";
import type { Sample } from "./soak_script.ts";
import { linesOf, proof, times } from "./support.ts";

/** Adds a row with the resources of the script. */
function noteSample(name: string, sample: Sample): void {
  note("soak", name, {
    launches: sample.launches,
    "ms each": rounded(sample.milliseconds),
    "MB resident": rounded(sample.resident / 1e6),
    "MB of heap": rounded(sample.heap / 1e6),
    files: sample.files,
    threads: sample.threads,
    mappings: sample.mappings,
  });
}

function rounded(figure: number): number {
  return Math.round(figure * 100) / 100;
}

test("memory, files and threads of a script do not grow with its launches", async () => {
  const launches = rounds(times(1200, 50_000));
  const samples = await linesOf("soak_script.ts", launches, times(4, 10)) as Sample[];
  const report = samples.map((sample) => JSON.stringify(sample)).join("\n");
  noteSample("start", samples[0]!);
  noteSample("middle", samples[samples.length / 2 - 1]!);
  noteSample("end", samples.at(-1)!);
  const ratio = samples.at(-1)!.milliseconds / samples[0]!.milliseconds;
  note("soak", "end to start", { "of the launch time": rounded(ratio) });
  // The first launches fill caches, and the heap of V8 is stable after 15,000.
  const first = samples[samples.length / 2 - 1]!;
  const last = samples.at(-1)!;
  assertEquals(last.files, first.files, report);
  assert(last.threads <= first.threads + 1, report);
  assert(last.heap < first.heap * 1.05 + 100_000, report);
  assert(last.external < first.external + 4_000_000, report);
  // V8 keeps some tens of MB of what it has freed at times, and gives them back at others.
  const before = samples.slice(0, samples.length / 2);
  const most = (kind: "mappings" | "resident") => Math.max(...before.map((sample) => sample[kind]));
  assert(last.mappings < most("mappings") + times(200, 150), report);
  if (proof) assert(last.resident < most("resident") * 1.4, report);
});

test("the output of many concurrent containers is complete and separate", async () => {
  const count = rounds(times(100, 1000));
  const lines = await linesOf("crowd_script.ts", count);
  const [{ alive, right }] = lines as [{ alive: number; right: number }];
  note("crowd", "at once", { containers: alive, "outputs read right": right });
  assertEquals([alive, right], [count, count]);
});
