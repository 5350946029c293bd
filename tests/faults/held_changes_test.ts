/** Scripts that are killed while they commit held changes: the directory has all of them, or none. */

import { assert, assertEquals } from "@std/assert";
import { ChangesError, finishCommits, type Held, hold } from "../../changes/mod.ts";
import { Engine } from "../../ffi/engine/engine.ts";
import type { Memory } from "../../ffi/engine/memory.ts";
import { RECORD, recordOffset } from "../../ffi/engine/program.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { linux } from "../../mod.ts";
import { claim } from "../leftovers.ts";
import { inKitchen, type Kitchen, shownIn } from "../changes/support.ts";
import { note } from "./results.ts";
import { chance, pause, proof, seed } from "./support.ts";

const random = chance();
const ROUNDS = proof ? 200 : 4;

inKitchen("a killed commit is all or nothing, after the next start", async (kitchen) => {
  const { directory, place } = kitchen;
  const seen: string[] = [];
  let unfinished = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await killWhileCommitting(directory, place, random() * 200);
    const finished = await finishCommits({ place });
    unfinished += finished.length;
    // Nobody else has changed anything.
    assertEquals(finished.flatMap(({ left }) => left), []);
    seen.push(stateOf(directory));
    assertEquals([...Deno.readDirSync(place)], []);
  }
  assertEquals(seen.filter((state) => !["A", "B"].includes(state)), []);
  note("killed", "commits of held changes", { moments: ROUNDS, finished: unfinished });
});

async function killWhileCommitting(directory: string, place: string, after: number): Promise<void> {
  for (const { name } of Deno.readDirSync(directory)) {
    Deno.removeSync(`${directory}/${name}`, { recursive: true });
  }
  const path = new URL("held_changes_script.ts", import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", path, directory, place],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  claim(process.pid);
  const reader = process.stdout.getReader();
  await reader.read();
  await pause(after);
  process.kill("SIGKILL");
  await process.status;
  await reader.cancel();
}

/** Which of the two states the directory is in as a whole; else what is in it. */
function stateOf(directory: string): string {
  const found = new Set<string>();
  const names: string[] = [];
  const look = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      const whole = `${path}/${name}`;
      names.push(whole.slice(directory.length + 1));
      if (isDirectory) look(whole);
      else found.add(Deno.readTextFileSync(whole));
    }
  };
  look(directory);
  const [state] = found;
  const mode = Deno.statSync(`${directory}/shelf`).mode! & 0o777;
  const files = (parent: string) => Array.from({ length: 20 }, (_, at) => `${parent}/${at}`);
  const expected = state === "A"
    ? ["kind", "kind/inner", "onlyA", "shelf", ...files("shelf")]
    : ["kind", "onlyB", "shelf", ...files("shelf"), "tree", "tree/deep", ...files("tree/deep")];
  const isWhole = found.size === 1 && mode === (state === "A" ? 0o750 : 0o700) &&
    names.sort().join() === expected.sort().join();
  return isWhole ? state! : `${[...found]} ${mode.toString(8)} ${names.sort().join(" ")}`;
}

inKitchen("a commit whose calls fail, each once, is all or nothing", async (kitchen) => {
  const { directory, place } = kitchen;
  const before = await furnished(kitchen);
  const held = await changed(kitchen);
  const runs = await breaking(-1, () => held.commit());
  const after = await shownIn(directory);
  const tried = Array.from({ length: runs.count }, (_, at) => at)
    .filter((at) => proof || (at + seed) % Math.ceil(runs.count / 30) === 0);
  let begun = 0;
  for (const at of tried) {
    assertEquals(await furnished(kitchen), before);
    await using held = await changed(kitchen);
    const { error } = await breaking(at, () => held.commit());
    assert(
      error === undefined || error instanceof SyscallError || error instanceof ChangesError,
      String(error),
    );
    if (error instanceof ChangesError && error.code === "unfinished") {
      begun++;
      assertEquals((await finishCommits({ place })).flatMap(({ left }) => left), []);
    } else if (error !== undefined) {
      const own = /^\.ramekin-/;
      const names = [...Deno.readDirSync(directory)].map(({ name }) => name);
      // What could not be removed is removed by the next one.
      if (!names.some((name) => own.test(name))) assertEquals(await shownIn(directory), before);
      await held.commit();
    }
    assertEquals(await shownIn(directory), after, `run ${at} of ${runs.count}, SEED=${seed}`);
    // What could not be cleared away is, by the next one.
    await finishCommits({ place });
    assertEquals([...Deno.readDirSync(place)], []);
  }
  note("killed", "commits with failing calls", { moments: tried.length, finished: begun });
});

/** Makes the directory as it is before. */
async function furnished({ directory }: Kitchen) {
  for (const { name } of Deno.readDirSync(directory)) {
    Deno.removeSync(`${directory}/${name}`, { recursive: true });
  }
  Deno.chmodSync(directory, 0o755);
  Deno.mkdirSync(`${directory}/cellar/wine`, { recursive: true });
  for (const name of ["soup", "cellar/wine/red", "kind", "old"]) {
    Deno.writeTextFileSync(`${directory}/${name}`, "before");
  }
  return await shownIn(directory);
}

/** Holds the directory, and leaves what a program would. */
async function changed({ directory, place }: Kitchen): Promise<Held> {
  const held = await hold([directory], { place });
  const upper = `${held.places[directory]}/upper`;
  Deno.writeTextFileSync(`${upper}/soup`, "after");
  for (const name of ["cellar", "old"]) {
    linux.mknodat(linux.AT_FDCWD, `${upper}/${name}`, linux.S_IFCHR);
  }
  Deno.mkdirSync(`${upper}/kind`);
  Deno.writeTextFileSync(`${upper}/kind/inner`, "after");
  Deno.symlinkSync("soup", `${upper}/link`);
  Deno.linkSync(`${upper}/soup`, `${upper}/second`);
  return held;
}

/** What is never made to fail: it is gone all the same, or the memory is. */
const KEPT = ["close", "munmap", "mmap"];
const NO_SUCH_CALL = 0x3fff;

/** Does something, in which one run of the engine begins with a call that fails; counts the runs. */
async function breaking(
  at: number,
  work: () => Promise<unknown>,
): Promise<{ readonly count: number; readonly error: unknown }> {
  const { runInArena, runInPool } = Engine.prototype;
  let count = 0;
  let error: unknown;
  Engine.prototype.runInArena = function (program, bindings) {
    if (KEPT.includes(program.calls[0]!.name) || count++ !== at) {
      return runInArena.call(this, program, bindings);
    }
    const bytes = program.bytes.slice();
    new DataView(bytes.buffer).setInt32(recordOffset(0) + RECORD.number, NO_SUCH_CALL, true);
    return runInArena.call(this, { ...program, bytes }, bindings);
  };
  Engine.prototype.runInPool = function (memory: Memory) {
    if (count++ === at) {
      memory.view.setInt32(recordOffset(0) + RECORD.number, NO_SUCH_CALL, true);
    }
    return runInPool.call(this, memory);
  };
  try {
    await work();
  } catch (thrown) {
    error = thrown;
  } finally {
    Object.assign(Engine.prototype, { runInArena, runInPool });
  }
  return { count, error };
}
