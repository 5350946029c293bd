/** `ramekin try`: the changes of a program are told, and made only if that is wanted. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Commit } from "../../changes/commit.ts";
import { compare } from "../../changes/compare.ts";
import { hold } from "../../changes/mod.ts";
import { entryOf } from "../../changes/journal.ts";
import { Tree } from "../../changes/tree.ts";
import { inKitchen, type Kitchen } from "../changes/support.ts";
import { ramekinWith, RUN, TestTerminal } from "./support.ts";

const SCRIPT = "echo leek > soup.txt; rm old; exit 3";

/** Where changes are kept in this environment. */
const keptIn = ({ place }: Kitchen) => `${place}/ramekin/held`;

async function tryIn(kitchen: Kitchen, flags: readonly string[], script = SCRIPT) {
  Deno.writeTextFileSync(`${kitchen.directory}/old`, "old\n");
  return await ramekinWith(
    { cwd: kitchen.directory, env: { XDG_STATE_HOME: kitchen.place } },
    ...["try", ...flags, "--", "sh", "-c", script],
  );
}

function namesIn(path: string): readonly string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

inKitchen("without a terminal the changes are told, and made with --yes", async (kitchen) => {
  const { directory } = kitchen;
  const told = `ramekin: the program's 2 changes:\n  - ${directory}/old\n` +
    `  + ${directory}/soup.txt (5 bytes)\n`;
  const away = "ramekin: the changes are thrown away\n  --yes makes them\n";
  assertEquals(await tryIn(kitchen, []), {
    code: 3,
    signal: null,
    stdout: "",
    stderr: told + away,
  });
  assertEquals(namesIn(directory), ["old"]);
  const { stdout, stderr } = await tryIn(kitchen, ["--yes", "--json"]);
  assertEquals(namesIn(directory), ["soup.txt"]);
  const { changes, made, left } = JSON.parse(stdout);
  assertEquals([changes.length, made.length, left], [2, 2, []]);
  assertEquals([changes[0].change, changes[1].after.size], ["removed", 5]);
  assertEquals(stderr, "ramekin: 2 changes made\n");
  assertEquals(namesIn(keptIn(kitchen)), []);
});

inKitchen("what is protected or was changed meanwhile is left", async (kitchen) => {
  const { directory } = kitchen;
  // A directory that is held may be seen as it was.
  const bell = `${directory}.bell`;
  Deno.mkdirSync(bell);
  Deno.writeTextFileSync(`${bell}/wait`, "");
  const script = "echo leek > soup.txt; mkdir .vscode; rm old; touch ready; " +
    `while test -e ${bell}/wait; do sleep 0.02; done`;
  const end = tryIn(kitchen, ["--yes", "--allow-write=.", `--allow-read=${bell}`], script);
  const [id] = await waitForFile(keptIn(kitchen), "0/upper/ready");
  Deno.writeTextFileSync(`${directory}/old`, "mine\n");
  Deno.removeSync(`${bell}/wait`);
  const { code, stderr } = await end;
  assertEquals([code, id!.length], [0, 16]);
  assertStringIncludes(stderr, `+ ${directory}/.vscode/ (protected: .vscode)\n`);
  assertStringIncludes(stderr, `- ${directory}/old (conflict: it was changed meanwhile)\n`);
  assertStringIncludes(stderr, `ramekin: 2 changes made\n  left as it is: ${directory}/.vscode\n`);
  assertEquals(namesIn(directory), ["old", "ready", "soup.txt"]);
});

async function waitForFile(held: string, path: string): Promise<readonly string[]> {
  for (;;) {
    try {
      const [id] = namesIn(held);
      if (id !== undefined) Deno.lstatSync(`${held}/${id}/${path}`);
      if (id !== undefined) return [id];
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

inKitchen("where changes can have no place, what gives them one is told", async ({ directory }) => {
  const env = { XDG_STATE_HOME: "/sys/nonesuch" };
  const { code, stderr } = await ramekinWith({ cwd: directory, env }, "try", "--", "true");
  assertEquals(code, 125);
  assertMatch(
    stderr,
    /^ramekin: there is no place for changes: \/sys\/nonesuch cannot be made: E[A-Z]+\n {2}set XDG_STATE_HOME to .*\n$/,
  );
});

inKitchen("of many changes those in new directories are counted", async (kitchen) => {
  const { directory } = kitchen;
  const script = "mkdir -p new/deep .idea; cd new/deep; rm ../../old; " +
    "for i in 1 2 3 4 5 6 7; do for j in 1 2 3 4 5 6 7 8; do echo x > $i$j; done; done; mkdir .vscode";
  const { stderr } = await tryIn(kitchen, ["--no"], script);
  assertEquals(stderr.split("\n").slice(0, -2), [
    "ramekin: the program's 61 changes:",
    `  + ${directory}/.idea/ (protected: .idea)`,
    `  + ${directory}/new/ with 56 files of 112 bytes`,
    `  + ${directory}/new/deep/.vscode/ (protected: .vscode)`,
    `  - ${directory}/old`,
  ]);
});

inKitchen("at a terminal the user is asked", async (kitchen) => {
  const { directory, place } = kitchen;
  const words = ["env", `XDG_STATE_HOME=${place}`, ...RUN, "try", "--", "sh", "-c", "echo x > new"];
  for (const [answer, names] of [["n", []], ["y", ["new"]]] as const) {
    await using terminal = new TestTerminal(words, { cwd: directory });
    await terminal.shows("Make these changes? [y/N]");
    assertEquals(namesIn(directory), []);
    await terminal.type(`${answer}\n`);
    assertEquals(await terminal.code(), 0);
    assertEquals(namesIn(directory), names);
  }
});

inKitchen("changes that were cut off are made by --resume, or by the next one", async (kitchen) => {
  const { directory } = kitchen;
  const env = { XDG_STATE_HOME: kitchen.place };
  await cutOff(kitchen);
  assertEquals(namesIn(directory), [namesIn(directory)[0]!]);
  const resumed = await ramekinWith({ env }, "try", "--resume");
  assertEquals(
    resumed.stderr,
    `ramekin: changes of ${directory} that were cut off are made now\n`,
  );
  assertEquals(namesIn(directory), ["cut"]);
  Deno.removeSync(`${directory}/cut`);
  await cutOff(kitchen);
  const discarded = await ramekinWith({ env }, "try", "--resume", "--no");
  assertMatch(discarded.stderr, /is thrown away\n$/);
  assertEquals(namesIn(directory), []);
  await cutOff(kitchen);
  const { stderr } = await tryIn(kitchen, ["--no"], "test -e cut");
  assertMatch(
    stderr,
    /that were cut off are made now\nramekin: the program has changed nothing\n$/,
  );
  const none = await ramekinWith({ env }, "try", "--resume");
  assertEquals(none.stderr, "ramekin: no changes were cut off\n");
});

/** Begins a commit, and leaves it as a killed script does. */
async function cutOff(kitchen: Kitchen): Promise<void> {
  const { directory } = kitchen;
  const held = await hold([directory], { place: keptIn(kitchen) });
  const [place] = Object.values(held.places);
  const other = `${root(place!)}.cut`;
  Deno.writeTextFileSync(`${place}/upper/cut`, "cut\n");
  {
    using upper = new Tree(`${place}/upper`);
    using host = new Tree(directory);
    const entries = (await compare(upper, host, 0n)).map((found) => entryOf(0, found));
    using whole = new Tree(root(place!));
    const directories = [{ path: directory, name: "0" }];
    const state = "prepare" as const;
    using commit = new Commit(whole, { version: 1, state, id: "cut", directories, entries });
    await commit.prepare();
    commit.decide();
  }
  // The holder removes its own.
  await new Deno.Command("cp", { args: ["-a", root(place!), other] }).output();
  await held.discard();
}

const root = (place: string) => place.slice(0, -"/0".length);
