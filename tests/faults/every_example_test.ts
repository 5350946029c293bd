/**
 * Every system call fails once of every recipe of every example: each runs in a process of its own,
 * where each recipe is broken when it asks for a command; see break_commands.ts.
 */

import { assert, assertEquals } from "@std/assert";
import { decode } from "../other_scripts.ts";
import { inDirectory, notRoot, test } from "../support.ts";
import type { BrokenCommand } from "./break_commands.ts";
import { note } from "./results.ts";
import { seed } from "./support.ts";

const directory = new URL("../../examples/", import.meta.url).pathname;
const preload = new URL("break_commands.ts", import.meta.url).pathname;

/** Examples that ask for nothing without an argument, and what they are given. */
const ARGUMENTS: Readonly<Record<string, (root: string) => readonly string[]>> = {
  rootfs: (root) => [root, "/bin/busybox"],
};

/** Why an example's recipes cannot be made here. */
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
      assert(tallies.length > 0, "it has asked for no command");
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

/** Runs an example, and answers what has come of its recipes. */
function runBroken(path: string, args: readonly string[]): readonly BrokenCommand[] {
  const { stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", `--preload=${preload}`, path, ...args],
    env: { NO_COLOR: "1", SEED: String(seed) },
    stdin: "null",
    stdout: "null",
  }).outputSync();
  // What the containers of the example say themselves is let go.
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
