/** Very many launches in one script, and very many containers at once: nothing grows, nothing is mixed up. */

import { assert, assertEquals } from "@std/assert";
import { rounds } from "../rounds.ts";
import { test } from "../recipe/support.ts";
import type { Sample } from "./soak_script.ts";
import { linesOf, proof, times } from "./support.ts";

test("launch after launch, the script keeps no more memory, files or threads", async () => {
  const launches = rounds(times(2000, 50_000));
  const samples = await linesOf("soak_script.ts", launches, times(4, 10)) as Sample[];
  const report = samples.map((sample) => JSON.stringify(sample)).join("\n");
  // deno-lint-ignore no-console -- what the proof is there for
  if (proof) console.log(report);
  // The first launches fill what is kept for later ones, and the heap of V8 settles after 15,000.
  const first = samples[samples.length / 2 - 1]!;
  const last = samples.at(-1)!;
  assertEquals(last.files, first.files, report);
  assert(last.threads <= first.threads + 1, report);
  assert(last.heap < first.heap * 1.05 + 100_000, report);
  assert(last.external < first.external + 4_000_000, report);
  assert(last.mappings < first.mappings + times(200, 100), report);
  if (proof) assert(last.resident < first.resident * 1.25, report);
});

test("many containers at once write each its own, and nothing is lost", async () => {
  const count = rounds(times(100, 1000));
  const lines = await linesOf("crowd_script.ts", count);
  assertEquals(lines, [{ alive: count, right: count }]);
});
