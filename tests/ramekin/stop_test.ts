/** `ramekin stop` and `ramekin stats`. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { planCgroup } from "../../ffi/cgroups/plan.ts";
import { runningContainers } from "../../host.ts";
import { init, limits, linux, mapRoot, recipe, unshare, UnsupportedError } from "../../mod.ts";
import { sizeText } from "../../scripts/ramekin/stats.ts";
import { test } from "../support.ts";
import { ramekin } from "./support.ts";

const TRAPS = "trap 'exit 7' USR1; trap '' TERM; echo ready; while :; do sleep 0.01; done";

test("stop asks by a signal, kills after the grace, and waits", async () => {
  const box = recipe(unshare("user", "pid"), mapRoot(), init());
  for (
    const [flags, code] of [
      [["--signal=USR1", "--grace=60s"], 7],
      [["--grace=20ms"], 128 + 9],
      [["--signal=9"], 128 + 9],
    ] as const
  ) {
    const command = box.command("sh", { args: ["-c", TRAPS], stdout: "piped", killAfter: 0 });
    await using container = command.spawn();
    await container.stdout.getReader().read();
    const stopped = await ramekin("stop", ...flags, String(container.pid));
    assertEquals([stopped.code, stopped.stdout, stopped.stderr], [0, "", ""]);
    assertEquals((await container.status).code, code, flags.join(" "));
  }
});

test("stop tells what it does not know", async () => {
  await using container = recipe().command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  const pid = String(container.pid);
  const cases: readonly (readonly [words: readonly string[], says: string])[] = [
    [["nonesuch-container"], "no running container of yours"],
    [["--grace=soon", pid], "--grace=soon is no time"],
    [["--signal=TREM", pid], "--signal=TREM is no signal; did you mean SIGTERM?"],
    [["--signal=65", pid], "--signal=65 is no signal; one is TERM, SIGUSR1 or 9"],
    [["-t", "5", pid], "there is no flag -t; it is --grace=TIME"],
    [[String(Deno.pid)], "not in a container of a script of yours"],
  ];
  for (const [words, says] of cases) {
    const { code, stderr } = await ramekin("stop", ...words);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, says);
  }
  container.kill(0);
});

/** Why a test with a control group is skipped. */
function noGroup(): string | undefined {
  try {
    planCgroup({ pids: 10 });
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return "needs a control group";
    throw error;
  }
}

test("stats shows what a container uses", async () => {
  await using container = recipe(limits({ pids: 50 }))
    .command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  const pid = String(container.pid);
  const [one] = JSON.parse((await ramekin("stats", "--json", pid)).stdout);
  assertEquals([one.pid, one.name, one.pids], [container.pid, "sleep", 1]);
  const { stdout } = await ramekin("stats");
  assertMatch(stdout, /^PID +NAME +UP +CPU +MEMORY +PEAK +PIDS +READ +WRITTEN\n/);
  assertMatch(stdout, new RegExp(`^${pid} +sleep +\\d+s +\\d\\.\\d\\ds +.* 1 +`, "m"));
}, noGroup());

test("stats of a container without a control group is refused", async () => {
  await using container = recipe(unshare("user")).command("sleep", {
    args: ["60"],
    killAfter: 0,
  }).spawn();
  // A second descriptor of the container makes no second container.
  using _again = linux.pidfd_open(container.hostPid);
  const { code, stderr } = await ramekin("stats", String(container.pid));
  assertEquals(code, 2);
  assertStringIncludes(stderr, `the container ${container.pid} has no control group`);
  const same = runningContainers().filter(({ pid }) => pid === container.hostPid);
  assertEquals(same.map(({ name }) => name), ["sleep"]);
});

test("sizes have their largest unit", () => {
  const sizes = [undefined, 0, 1023, 1024, 1536, 5 * 2 ** 30].map(sizeText);
  assertEquals(sizes, ["-", "0", "1023", "1.0K", "1.5K", "5.0G"]);
});
