/** How containers are ended: by `signal`, `timeout` and `await using`, with SIGTERM before SIGKILL. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Command,
  type CommandOptions,
  type CommandOutput,
  describeEnd,
  init,
  LaunchTimeoutError,
  mapRoot,
  proc,
  type Recipe,
  recipe,
  unshare,
} from "../../mod.ts";
import { programOf } from "../../container/registry.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { decode, runScript, until } from "../other_scripts.ts";
import { withTime } from "../rounds.ts";
import { test } from "../support.ts";

const own = recipe(unshare("user", "pid", "mount"), mapRoot(), proc());

/** Where a program may be: as the script's child, as PID 1, and behind an init. */
const PLACES: Readonly<Record<string, Recipe>> = {
  "in the script's pid namespace": recipe(),
  "as PID 1": own,
  "behind an init": own.with(init()),
};

const TRAPS = "trap 'echo trapped; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
const IGNORES = "trap '' TERM; echo ready; while :; do sleep 0.01; done";

function shell(box: Recipe, script: string, options: CommandOptions = {}): Command {
  return box.command("sh", { args: ["-c", script], ...options });
}

/** Runs a script that says when it is ready with a timeout, before which it was ready. */
async function timedOut(
  box: Recipe,
  script: string,
  how: "output" | "outputSync",
  options: CommandOptions = {},
): Promise<CommandOutput | undefined> {
  const run = async (timeout: number) => {
    try {
      return await shell(box, script, { ...options, timeout })[how]();
    } catch (error) {
      if (!(error instanceof LaunchTimeoutError)) throw error;
      return undefined;
    }
  };
  return await withTime(400, run, (output) => output !== undefined && output.stdout.length > 0);
}

const WAYS = ["output", "outputSync"] as const;

/** Runs it, ends it once it is ready, and returns its code and its output. */
async function ended(
  box: Recipe,
  script: string,
  how: "signal" | "dispose",
  killAfter?: number,
): Promise<readonly [code: number, output: string]> {
  const controller = new AbortController();
  const options = killAfter === undefined ? {} : { killAfter };
  const container = shell(box, script, {
    stdout: "piped",
    signal: controller.signal,
    ...options,
  }).spawn();
  const reader = container.stdout.getReader();
  let output = decode((await reader.read()).value!);
  if (how === "signal") controller.abort();
  else await container[Symbol.asyncDispose]();
  const { code } = await container.status;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    output += decode(value);
  }
  return [code, output];
}

for (const [place, box] of Object.entries(PLACES)) {
  test(`a program that handles SIGTERM ends as it wants, ${place}`, async () => {
    assertEquals(await ended(box, TRAPS, "signal"), [7, "ready\ntrapped\n"]);
    assertEquals((await ended(box, TRAPS, "dispose"))[0], 7);
    for (const how of WAYS) {
      const output = (await timedOut(box, TRAPS, how))!;
      assertEquals([output.code, output.timedOut], [7, true]);
      assertEquals(decode(output.stdout), "ready\ntrapped\n");
    }
  });

  test(`one that ignores SIGTERM is killed after the time that is given, ${place}`, async () => {
    assertEquals(await ended(box, IGNORES, "signal", 100), [137, "ready\n"]);
    assertEquals(await ended(box, IGNORES, "dispose", 100), [137, "ready\n"]);
    for (const how of WAYS) {
      const output = (await timedOut(box, IGNORES, how, { killAfter: 100 }))!;
      assertEquals([output.code, output.timedOut], [137, true]);
    }
  });

  test(`with killAfter: 0 it is killed at once, ${place}`, async () => {
    assertEquals(await ended(box, TRAPS, "signal", 0), [137, "ready\n"]);
    assertEquals(await ended(box, TRAPS, "dispose", 0), [137, "ready\n"]);
    for (const how of WAYS) {
      const output = (await timedOut(box, TRAPS, how, { killAfter: 0 }))!;
      assertEquals([output.code, decode(output.stdout)], [137, "ready\n"]);
    }
  });
}

/** Longer than any test takes, so that a wait for it fails. */
const VERY_LONG = 1_000_000;

test("PID 1 without a handler, which the kernel gives no SIGTERM, is killed at once", async () => {
  const options = { args: ["1000"], killAfter: VERY_LONG };
  const timed = own.command("sleep", { ...options, timeout: 50 });
  for (const { signal, timedOut } of [await timed.output(), timed.outputSync()]) {
    assertEquals([signal, timedOut], ["SIGKILL", true]);
  }
  const container = own.command("sleep", options).spawn();
  await container[Symbol.asyncDispose]();
  assertEquals((await container.status).signal, "SIGKILL");
});

test("PID 1 that waits for signals, as inits do, or blocks them, gets SIGTERM", async () => {
  const blocked = `use POSIX; my $term = POSIX::SigSet->new(SIGTERM);
    sigprocmask(SIG_BLOCK, $term); $| = 1; print "ready\\n";`;
  const wait = allSyscalls(Deno.build.arch).get("rt_sigtimedwait");
  const programs = {
    waiting: `${blocked} syscall(${wait}, my $set = pack("Q", 1 << 14), 0, 0, 8); exit 7;`,
    blocking: `${blocked} my $now = POSIX::SigSet->new;
      do { select undef, undef, undef, 0.01; sigpending($now) } until $now->ismember(SIGTERM);
      exit 7;`,
  };
  for (const [name, script] of Object.entries(programs)) {
    const container = own.command("perl", {
      args: ["-e", script],
      stdout: "piped",
      killAfter: VERY_LONG,
    }).spawn();
    await container.stdout.getReader().read();
    const call = () => Deno.readTextFileSync(`/proc/${container.pid}/syscall`);
    if (name === "waiting") await until(() => call().startsWith(`${wait} `));
    await container[Symbol.asyncDispose]();
    assertEquals([name, (await container.status).code], [name, 7]);
  }
});

test("a program that ends within its time is not killed later, and the script may end", async () => {
  const { code, stdout } = await runScript(`
    const controller = new AbortController();
    const options = { args: ["-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done"],
      stdout: "piped", signal: controller.signal, killAfter: ${VERY_LONG} };
    const container = ramekin.recipe().command("sh", options).spawn();
    const reader = container.stdout.getReader();
    await reader.read();
    controller.abort();
    console.log((await container.status).code);
  `);
  assertEquals([code, stdout], [0, "7\n"]);
});

test("more than one reason to end it are one", async () => {
  const controller = new AbortController();
  const container = shell(recipe(), IGNORES, {
    stdout: "piped",
    signal: controller.signal,
    killAfter: VERY_LONG,
  }).spawn();
  await container.stdout.getReader().read();
  controller.abort();
  const disposed = container[Symbol.asyncDispose]();
  container.kill("SIGKILL");
  await disposed;
  assertEquals((await container.status).signal, "SIGKILL");
});

test("what holds the pipes of a program that was ended is not waited for", async () => {
  const script = "sleep 1000 & echo $!; wait";
  for (const how of WAYS) {
    const output = (await timedOut(recipe(), script, how))!;
    assertEquals([output.signal, output.timedOut], ["SIGTERM", true]);
    Deno.kill(Number(decode(output.stdout)), "SIGKILL");
  }
});

test("PID 1 that ends itself by a signal shows SIGSEGV; behind an init it shows that signal", async () => {
  const abort = ["-MPOSIX", "-e", "abort()"];
  const codes = [own, own.with(init())].map((box) =>
    box.command("perl", { args: abort, stderr: "null" }).outputSync().code
  );
  assertEquals(codes, [139, 134]);
  for (const [box, code] of [[own, 139], [own.with(init()), 143]] as const) {
    const args = ["eval", "setTimeout(() => {}, 1000000)"];
    const container = box.command(Deno.execPath(), { args, stderr: "null" }).spawn();
    // Deno handles SIGTERM half a second after its start, and then sends it to itself.
    await until(() => catchesTerm(programOf(container.pid)));
    container.kill("SIGTERM");
    assertEquals((await container.status).code, code);
  }
});

function catchesTerm(pid: number): boolean {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)![1]!;
  return (parseInt(mask.slice(-8), 16) & (1 << 14)) !== 0;
}

test("killAfter is a number of milliseconds", () => {
  for (const killAfter of [-1, 1.5, "1s", null] as unknown as number[]) {
    assertThrows(() => recipe().command("true", { killAfter }), TypeError, '"killAfter"');
  }
});

test("stop() asks by a signal, kills after the grace, and tells the end", async () => {
  for (const [where, box] of Object.entries(PLACES)) {
    const asked = shell(box, TRAPS.replace("TERM", "USR1"), { stdout: "piped" }).spawn();
    await asked.stdout.getReader().read();
    assertEquals((await asked.stop({ signal: "SIGUSR1", grace: 60_000 })).code, 7, where);
    assertEquals((await asked.stop()).code, 7, "once more");
    await asked[Symbol.asyncDispose]();

    const deaf = shell(box, IGNORES, { stdout: "piped" }).spawn();
    await deaf.stdout.getReader().read();
    const { code } = await deaf.stop({ grace: 20 });
    assertEquals(code, 128 + 9, where);
    await deaf[Symbol.asyncDispose]();
  }
});

test("stop() refuses what is no signal and no time, and the container runs on", async () => {
  await using container = recipe().command("sleep", { args: ["60"] }).spawn();
  await assertRejects(() => container.stop({ signal: "SIGSOUP" as Deno.Signal }), TypeError);
  for (const grace of [-1, NaN]) {
    await assertRejects(() => container.stop({ grace }), TypeError, "the grace should be");
  }
  container.kill(0);
});

test("the reason of an end is told in words", async () => {
  const end = async (box: Recipe, script: string, options: CommandOptions = {}) =>
    describeEnd(await shell(box, script, options).output());
  for (const box of [recipe(), own.with(init())]) {
    assertEquals(await end(box, "true"), "ended well");
    assertEquals(await end(box, "exit 3"), "failed with code 3");
    assertEquals(await end(box, "sleep 60", { timeout: 20 }), "was ended by its timeout");
  }
  assertEquals(await end(recipe(), "kill -9 $$"), "was killed by SIGKILL");
  assertEquals(await end(own.with(init()), "kill -9 $$"), "failed with code 137, as after SIGKILL");
});
