/** What goes on, for people: `--verbose`, and progress at a terminal. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { test } from "../support.ts";
import { ramekin, TestTerminal, withFiles } from "./support.ts";

const BOX = "steps: [{ step: unshare, kinds: [user, uts] }, { step: mapRoot }, " +
  "{ step: umask, mask: 0o027 }, { step: hostname, name: kitchen }]";

test(
  "--verbose tells the steps, what they need, the times and the end, and nothing else changes",
  withFiles({ "box.yaml": BOX }, async (directory) => {
    const words = ["--", "sh", "-c", "echo soup; exit 3"];
    const box = `${directory}/box.yaml`;
    const [run, sandboxed] = await Promise.all([
      ramekin("run", "--verbose", "-A", box, ...words),
      ramekin("sandbox", "--verbose", ...words),
    ]);
    for (const { code, stdout, stderr } of [run, sandboxed]) {
      assertEquals([code, stdout], [3, "soup\n"], stderr);
      assertMatch(stderr, /^# +STEP +CALLS +WITH\n1 +unshare /);
      assertMatch(stderr, /\nramekin: planned in [\d.]+ ms\n/);
      assertMatch(stderr, /\nramekin: started in [\d.]+ ms, as the process \d+\n/);
      assertMatch(
        stderr,
        /\nramekin: it failed with code 3 after [\d.]+ ms, with [\d.]+ ms of a processor\n$/,
      );
    }
    assertMatch(run.stderr, /\n3 +umask +1 +mask: 027\n4 +hostname +1 +name: kitchen\n/);
    assertStringIncludes(sandboxed.stderr, "--allow-read=/usr");
  }),
);

test("what a recipe made from another tool's words is can be had as JSON", async () => {
  const words = ["bwrap", "--ro-bind", "/", "/", "--seccomp", "9", "true"];
  const { code, stdout } = await ramekin("from-bwrap", "--json", "--", ...words);
  const { steps, program, lost } = JSON.parse(stdout);
  assertEquals([code, program], [1, ["true"]]);
  assertEquals(steps[0].step, "unshare");
  assertMatch(lost[0], /^--seccomp 9: /);
});

test("what takes longer than a second is told at a terminal, and gone at the end", async () => {
  const module = new URL("../../scripts/ramekin/progress.ts", import.meta.url).href;
  const script = `
    import { Progress, withProgress } from "${module}";
    await withProgress("a moment", async () => {});
    await withProgress("copying soup", () => new Promise((resolve) => setTimeout(resolve, 1200)));
    {
      using progress = new Progress("trying");
      progress.next("trying one");
      const end = performance.now() + 1100;
      while (performance.now() < end);
      progress.next("trying two");
    }
    console.log("done");`;
  const url = `data:application/typescript,${encodeURIComponent(script)}`;
  const flags = ["--no-check", "--no-lock", "--quiet", "--allow-all"];
  await using terminal = new TestTerminal([Deno.execPath(), "run", ...flags, url]);
  assertEquals(await terminal.code(), 0, terminal.shown);
  const { shown } = terminal;
  assertStringIncludes(shown, "\r\x1b[Kramekin: copying soup, 1 s\r\x1b[K");
  assertStringIncludes(shown, "\r\x1b[Kramekin: trying two, 1 s\r\x1b[Kdone\n");
  assert(!shown.includes("a moment") && !shown.includes("trying one"), shown);
});
