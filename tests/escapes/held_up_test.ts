/**
 * Programs of a container against who enters it or looks into it: they stop its process before its
 * program begins (SIGSTOP), so that the script would wait for ever.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { endSync } from "../../launch/collect.ts";
import { execSpec } from "../../launch/exec.ts";
import { Launcher } from "../../launch/launcher.ts";
import { HeldEnd, PATIENCE } from "../../launch/held_end.ts";
import { reapTraced } from "../../launch/reap.ts";
import { isAlive, readUntil, until } from "../other_scripts.ts";
import { visit } from "../../launch/visit.ts";
import { waitForEnd } from "../../launch/sync.ts";
import { Output } from "../../ffi/call.ts";
import { close, write } from "../../ffi/calls/files.ts";
import { getpid } from "../../ffi/calls/processes.ts";
import { socketpair } from "../../ffi/calls/sockets.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import type { SyscallProgram } from "../../ffi/engine/program.ts";
import { join, mapRoot, proc, recipe, setUser, SyscallError, unshare } from "../../mod.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { notRoot, test } from "../support.ts";

/** Stops all that it may, again and again. */
const ATTACK = `$| = 1; print "begun\\n"; while (1) { kill "STOP", -1 }`;

test("a launch that a program of the container stops is an error, in time", async () => {
  const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
  const args = ["-e", ATTACK];
  await using container = box.command("perl", { args, stdout: "piped" }).spawn();
  await begun(container.stdout);
  const launcher = new Launcher(planRecipe([join(container.pid, { root: true })]));
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      endSync(launcher.spawn(execSpec("true"), shorten));
    } catch (error) {
      assert(error instanceof SyscallError, String(error));
      assertEquals([error.code, error.syscall], ["ETIMEDOUT", "execve"]);
      return;
    }
  }
  assert(false, "it was never stopped");
});

test("so is a look at its files, where it sees the script's processes", async () => {
  // A user that nobody is, as all of its processes are stopped.
  const user = 54_321;
  const box = recipe(unshare("mount"), setUser({ uid: user, gid: user }));
  const args = ["-e", ATTACK];
  await using container = box.command("perl", { args, stdout: "piped" }).spawn();
  await begun(container.stdout);
  const plan = planRecipe([
    join(container.pid, "mount", { root: true, credentials: "process" }),
  ]);
  const calls = Array.from({ length: 5_000 }, () => ({ call: getpid() }));
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      visit(plan, calls, { patience: 100 });
    } catch (error) {
      assert(error instanceof SyscallError, String(error));
      assertEquals([error.code, error.syscall], ["ETIMEDOUT", "execve"]);
      return;
    }
  }
  assert(false, "it was never stopped");
}, notRoot);

test("messages of who traces its process make the wait no longer", () => {
  const wait = (patience?: number) => {
    const pair = new Output(8, "&pair");
    const ends = syscalls([{ call: socketpair(pair) }]).output(pair);
    const [socket, other] = [ends.getInt32(0, true), ends.getInt32(4, true)];
    try {
      for (let count = 0; count < 3; count++) syscall(write(other, new Uint8Array(1), 1));
      syscall(close(other));
      return waitForEnd(socket, 2, patience).length;
    } finally {
      syscall(close(socket));
    }
  };
  assertEquals(wait(), 2);
  const { code } = assertThrows(() => wait(-1), SyscallError);
  assertEquals(code, "ETIMEDOUT");
});

async function begun(stdout: ReadableStream<Uint8Array>): Promise<void> {
  const reader = stdout.getReader();
  await reader.read();
  reader.releaseLock();
}

/** Has the launch wait for a tenth of a second. */
function shorten({ bytes }: SyscallProgram): void {
  const view = new DataView(bytes.buffer);
  let found = 0;
  for (let at = 0; at + 16 <= bytes.length; at += 8) {
    if (view.getBigInt64(at, true) !== BigInt(PATIENCE / 1000)) continue;
    if (view.getBigInt64(at + 8, true) !== 0n) continue;
    view.setBigInt64(at, 0n, true);
    view.setBigInt64(at + 8, 100_000n, true);
    found++;
  }
  assertEquals(found, 1);
}

/** Traces the process of a pid, does not wait for it, and says so. */
const TRACER = `use strict; my ($call, $pid) = map { $_ + 0 } @ARGV; $| = 1;
  syscall($call, 0x4206, $pid, 0, 0) == 0 or die "ptrace: $!"; print "traced\\n"; sleep 600`;
/** The number of ptrace(2). */
const PTRACE = Deno.build.arch === "x86_64" ? 101 : 117;

test("the end of a program that another one traces is told when that ends", async () => {
  const program = recipe().command("sleep", { args: ["600"] }).spawn();
  const tracer = recipe().command("perl", {
    args: ["-e", TRACER, String(PTRACE), String(program.pid)],
    stdout: "piped",
  }).spawn();
  await readUntil(tracer.stdout, (text) => text.includes("traced"));
  program.kill("SIGKILL");
  await until(() => !isAlive(program.pid));
  reapTraced(program.pid, 0);
  tracer.kill("SIGKILL");
  await tracer.stdout.cancel();
  await tracer.status;
  assertEquals((await program.status).signal, "SIGKILL");
}, notRoot);

test("the wait for what is held has a bound", () => {
  assertEquals(new HeldEnd().isOver, false);
  assertEquals(new HeldEnd(-1).isOver, true);
});
