/** `bounds`. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  bounds,
  limits,
  mapRoot,
  OutputLimitError,
  recipe,
  sandbox,
  unshare,
  UnsupportedError,
} from "../../mod.ts";
import { atLeast } from "../../host/host.ts";
import { liveHost } from "../../host/live_host.ts";
import { assertRefused, inside, root, test } from "../support.ts";

/** Makes this many processes that wait, and prints at which one that has failed. */
const FORK = "for my $n (1 .. 400) { my $p = fork; if (!defined $p) { print $n; exit } " +
  "$p or (sleep(1000), exit) }";

function failedAt(...pids: readonly (number | "unlimited")[]): number {
  const box = recipe(unshare("user", "pid"), mapRoot()).with(
    ...pids.map((pids) => bounds({ pids })),
  );
  const { stdout } = box.command("perl", { args: ["-e", FORK] }).outputSync();
  return Number(new TextDecoder().decode(stdout));
}

test("processes are counted by user namespace, without a control group", () => {
  assertEquals(failedAt(20), 20);
  assertEquals(failedAt("unlimited"), 0);
}, root ? "the kernel counts none of root's (fork(2))" : undefined);

const hasPidMax = atLeast(liveHost().kernel(), { major: 6, minor: 14 });

test("the pids of a sandbox end where its bound does, for root", () => {
  const highest = (pids?: number) =>
    inside(sandbox(pids === undefined ? {} : { limits: { pids } }), "cat /proc/sys/kernel/pid_max");
  assertEquals(highest(), "4097");
  assertEquals(highest(300), "301");
  assert(Number(highest(20)) > 301, "the kernel takes no less than 301");
}, root ? hasPidMax ? noGroup() : "Linux 6.14 has it" : "others are counted by user namespace");

/** Why root has no control group here. */
function noGroup(): string | undefined {
  try {
    recipe(limits({ pids: 20 })).command("true").outputSync();
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return error.issue;
  }
}

test("the machine's own highest pid stays as it is", () => {
  const outside = Deno.readTextFileSync("/proc/sys/kernel/pid_max");
  inside(sandbox(), "true");
  assertEquals(Deno.readTextFileSync("/proc/sys/kernel/pid_max"), outside);
});

test("the time and the output of the steps hold for commands without their own", async () => {
  const box = recipe(bounds({ timeout: 20, output: 1000 }), bounds({ output: 500 }));
  const sleep = ["-c", "sleep 0.2; head -c 600 /dev/zero"];
  assertEquals((await box.command("sh", { args: sleep }).output()).timedOut, true);
  assertEquals(box.command("sh", { args: sleep }).outputSync().timedOut, true);
  const error = await assertRejects(
    () => box.command("head", { args: ["-c", "600", "/dev/zero"], timeout: 5000 }).output(),
    OutputLimitError,
  );
  assertStringIncludes(error.message, "500 bytes");
  const options = { args: sleep, timeout: "unlimited", maxOutput: "unlimited" } as const;
  assertEquals((await box.command("sh", options).output()).stdout.length, 600);
  assertEquals(box.command("sh", options).outputSync().stdout.length, 600);
});

test("a program that enters a sandbox ends in its own time", async () => {
  await using box = recipe(unshare("user"), mapRoot(), bounds({ timeout: 60_000, output: 3 }))
    .command("sleep", { args: ["60"] }).spawn();
  const command = box.enter("echo", { args: ["more than 3"] });
  await assertRejects(() => command.output(), OutputLimitError);
});

test("what is no bound is refused", () => {
  assertRefused(() => recipe(bounds({ pids: 0 })), { step: "bounds", at: 0, says: "pids" });
  assertRefused(() => recipe(bounds({ timeout: -1 })), { step: "bounds", at: 0, says: "timeout" });
  assertRefused(() => recipe(bounds({ output: "1x" })), { step: "bounds", at: 0, says: "output" });
});
