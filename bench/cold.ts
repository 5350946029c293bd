/**
 * Whole processes: `deno run` of the README's first example against `deno run` of an empty file,
 * and against `runc run`.
 *
 * @module
 */

import { findProgram, printMachine } from "./machine.ts";
import { makeBundle } from "./oci_bundle.ts";
import { type Contender, interleave, median, ratios } from "./rounds.ts";
import { print, printRounds, printWanted } from "./table.ts";

const ROUNDS = 15;
const EXAMPLE = Deno.args[0] ??
  new URL("../examples/first.ts", import.meta.url).pathname;
const EMPTY = "empty file";

if (import.meta.main) {
  const runc = findProgram("runc");
  printMachine(runc === undefined ? [] : [runc]);
  const folder = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  try {
    const empty = `${folder}/empty.ts`;
    Deno.writeTextFileSync(empty, "");
    const deno = Deno.execPath();
    const contenders = [
      processOf(EMPTY, [deno, "run", empty]),
      processOf("ramekin", [deno, "run", "--allow-ffi", EXAMPLE]),
    ];
    if (runc !== undefined) {
      const bundle = `${folder}/runc`;
      makeBundle(bundle, ["user", "mount", "pid", "uts"], "/bin/true");
      const state = ["--root", `${folder}/state`];
      contenders.push(
        processOf("runc", [runc, ...state, "run", "--bundle", bundle, "ramekin-bench"]),
      );
    }
    const rounds = await interleave(contenders, ROUNDS);
    print("whole processes; the first example, an empty file, and runc with /bin/true");
    print();
    printRounds(rounds, EMPTY, "ms", (milliseconds) => milliseconds.toFixed(1));
    const ratio = median(ratios(rounds, "ramekin", EMPTY));
    printWanted("the first example to the empty file", ratio, "at most", 1.6);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** A command, from its start to its end, in milliseconds. */
function processOf(name: string, [program, ...args]: readonly string[]): Contender {
  return {
    name,
    async measure() {
      const begin = performance.now();
      const { success, stderr } = await new Deno.Command(program!, { args }).output();
      const time = performance.now() - begin;
      if (!success) throw new Error(`${name}: ${new TextDecoder().decode(stderr)}`);
      return [time];
    },
  };
}
