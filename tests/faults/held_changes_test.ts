/** Scripts that are killed while they commit held changes: the directory has all of them, or none. */

import { assertEquals } from "@std/assert";
import { finishCommits } from "../../changes/mod.ts";
import { claim } from "../leftovers.ts";
import { inKitchen } from "../changes/support.ts";
import { note } from "./results.ts";
import { chance, pause, proof } from "./support.ts";

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
