/** Very many template commands, and very many bytes through a pipe of containers. */

import { assert, assertEquals } from "@std/assert";
import { rounds } from "../rounds.ts";
import { test } from "../support.ts";
import { note } from "./results.ts";
import type { ShellSample } from "./shell_script.ts";
import { linesOf, times } from "./support.ts";

test("template commands leave nothing behind, and a pipe's bytes do not reach the script", async () => {
  const commands = rounds(times(300, 10_000));
  const bytes = times(2 ** 28, 2 ** 30);
  const samples = await linesOf("shell_script.ts", commands, bytes) as ShellSample[];
  for (const { name, heap, resident, files, milliseconds } of samples) {
    note("shell", name, {
      "ms": Math.round(milliseconds),
      "MB resident": Math.round(resident / 1e5) / 10,
      "MB of heap": Math.round(heap / 1e5) / 10,
      files,
    });
  }
  const report = samples.map((sample) => JSON.stringify(sample)).join("\n");
  const [warm, many, pipe] = samples as [ShellSample, ShellSample, ShellSample];
  assertEquals([many.files, pipe.files], [warm.files, warm.files], report);
  assert(many.heap < warm.heap * 1.1 + 1_000_000, report);
  assert(pipe.heap < many.heap * 1.05 + 100_000, report);
  assert(pipe.resident < many.resident + 16 * 2 ** 20, report);
});
