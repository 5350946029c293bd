/** Programs that end at once, whose output is collected without the reactor. */

import { assert, assertEquals } from "@std/assert";
import { recipe } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";

const box = recipe();
const shell = (script: string, more = {}) => box.command("sh", { args: ["-c", script], ...more });

test("the last output of a program is collected", async () => {
  const script = "printf out; printf err >&2; exit 3";
  for (let i = 0; i < 50; i++) {
    const { code, stdout, stderr } = await shell(script).output();
    assertEquals([code, decode(stdout), decode(stderr)], [3, "out", "err"]);
  }
});

test("output of other processes is awaited after the end of the program", async () => {
  const { code, stdout } = await shell("(sleep 0.05; printf late) & exit 4").output();
  assertEquals([code, decode(stdout)], [4, "late"]);
});

test("a program that fills its pipe before it ends is read to the end", async () => {
  const { stdout } = await shell("head -c 3000000 /dev/zero").output();
  assertEquals(stdout.length, 3_000_000);
});

test("programs that are launched in one turn of the event loop run concurrently", async () => {
  // Each waits for the other to start.
  const directory = Deno.makeTempDirSync();
  try {
    const meet = (mine: string, other: string) =>
      shell(`touch ${mine}; until [ -e ${other} ]; do sleep 0.001; done`, { cwd: directory })
        .output();
    const ends = await Promise.all([meet("a", "b"), meet("b", "a")]);
    assertEquals(ends.map(({ code }) => code), [0, 0]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("timers run while many programs end at once", async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  try {
    const command = box.command("true");
    for (let i = 0; i < 100; i++) await command.output();
  } finally {
    clearInterval(timer);
  }
  assert(ticks > 0, "no timer came");
});

test("a command with a timeout of 0 is killed", async () => {
  const late = await shell("exec sleep 10", { timeout: 0 }).output();
  assertEquals([late.signal, late.timedOut], ["SIGTERM", true]);
});
