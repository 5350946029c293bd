// deno-lint-ignore-file no-console -- the test reads the output
/**
 * A script that launches very often, and samples its resources:
 * `soak_script.ts LAUNCHES SAMPLES` prints a line of JSON for each sample.
 */

import { mapRoot, proc, recipe, unshare } from "../../mod.ts";

declare function gc(): void;

/** The resources of the script, and the median time of the launches since the last sample. */
export interface Sample {
  readonly launches: number;
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
  readonly files: number;
  readonly threads: number;
  readonly mappings: number;
  readonly milliseconds: number;
}

const [launches, samples] = Deno.args.map(Number) as [number, number];
const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
const each = Math.floor(launches / samples);

function look(done: number, milliseconds: number): Sample {
  gc();
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return {
    launches: done,
    heap: heapUsed,
    external,
    resident: rss,
    files: [...Deno.readDirSync("/proc/self/fd")].length,
    threads: [...Deno.readDirSync("/proc/self/task")].length,
    mappings: Deno.readTextFileSync("/proc/self/maps").split("\n").length,
    milliseconds,
  };
}

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

for (let done = 0; done < launches;) {
  const times: number[] = [];
  for (let i = 0; i < each; i++, done++) {
    const begin = performance.now();
    // The launches are sequential, and of every kind in turn.
    const command = box.command("echo", { args: [String(done)] });
    const { stdout } = i % 2 === 0 ? await command.output() : command.outputSync();
    times.push(performance.now() - begin);
    if (new TextDecoder().decode(stdout) !== `${done}\n`) throw new Error("another's output");
  }
  console.log(JSON.stringify(look(done, median(times))));
}
