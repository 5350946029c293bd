/**
 * Every system call of every recipe of every example fails once. Each runs in a process of its own,
 * in which each recipe is broken when command() is called; see break_commands.ts.
 */

import { assert, assertEquals } from "@std/assert";
import { decode } from "../other_scripts.ts";
import { inDirectory, notRoot, test } from "../support.ts";
import type { BrokenCommand } from "./break_commands.ts";
import { note } from "./results.ts";
import { seed } from "./support.ts";

const directory = new URL("../../examples/", import.meta.url).pathname;
const preload = new URL("break_commands.ts", import.meta.url).pathname;

/** Examples that make no command without an argument, and their arguments. */
const ARGUMENTS: Readonly<Record<string, (root: string) => readonly string[]>> = {
  rootfs: (root) => [root, "/bin/busybox"],
};

/** Why the recipes of an example cannot run here. */
const LACKS: Readonly<Record<string, string | undefined>> = {
  build_job: without("cc"),
  cgroup_limits: notRoot,
  network: without("busybox"),
  rootfs: without("busybox"),
};

for (const { name } of [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!name.endsWith(".ts")) continue;
  const example = name.slice(0, -".ts".length);
  test(
    `every call of an example's recipes fails once: ${example}`,
    inDirectory((root) => {
      const args = ARGUMENTS[example]?.(makeRoot(root)) ?? [];
      const lines = runBroken(`${directory}${name}`, args);
      const failed = lines.flatMap((line) => "failed" in line ? [line.failed] : []);
      assertEquals(failed, [], `SEED=${seed}`);
      const tallies = lines.flatMap((line) => "failed" in line ? [] : [line]);
      assert(tallies.length > 0, "the example has made no command");
      const sum = (figure: "records" | "faults" | "errors") =>
        tallies.reduce((sum, tally) => sum + tally[figure], 0);
      const leaks = tallies.flatMap(({ leaks }) => leaks);
      note("faults", `example ${example}`, {
        plans: tallies.length,
        records: sum("records"),
        faults: sum("faults"),
        errors: sum("errors"),
        leaks: leaks.length,
      });
      assertEquals(leaks, [], `left behind, SEED=${seed}`);
    }),
    LACKS[example],
  );
}

/** Runs an example, and returns the results of its recipes. */
function runBroken(path: string, args: readonly string[]): readonly BrokenCommand[] {
  const { stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", `--preload=${preload}`, path, ...args],
    env: { NO_COLOR: "1", SEED: String(seed) },
    stdin: "null",
    stdout: "null",
  }).outputSync();
  // The output of the example's containers is ignored.
  return decode(stderr).split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

/** A root directory with a program. */
function makeRoot(root: string): string {
  for (const name of ["bin", "dev", "proc", "sys", "tmp"]) Deno.mkdirSync(`${root}/${name}`);
  Deno.copyFileSync("/bin/busybox", `${root}/bin/busybox`);
  return root;
}

function without(program: string): string | undefined {
  const directories = (Deno.env.get("PATH") ?? "").split(":");
  const found = directories.some((directory) => {
    try {
      return Deno.statSync(`${directory}/${program}`).isFile;
    } catch {
      return false;
    }
  });
  return found ? undefined : `needs ${program}`;
}
