/** The marker: a process that ends with the process of its pidfd, here and on aarch64. */

import { assertEquals } from "@std/assert";
import { type Call, call, Output, pointerList, ResultOf } from "../../ffi/call.ts";
import { MARKER } from "../../ffi/engine/bytes.ts";
import { END, Label } from "../../ffi/engine/program.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { isAlive, until } from "../other_scripts.ts";
import {
  CLONE_VFORK,
  CLONE_VM,
  everySignal,
  exitCode,
  missing,
  run,
  SIG_SETMASK,
  SIGCHLD,
  testWith,
  waitFor,
} from "./support.ts";

const EMULATOR = "qemu-aarch64-static";
const PATH = pointerList(["PATH=/usr/local/bin:/usr/bin:/bin"], "envp");
const SIGTERM = 15;

/** Starts it with a pidfd of a process. */
function start(pid: number, exec: Call): number {
  const [child, restore, fail] = ["child", "restore", "fail"].map((name) => new Label(name));
  const [cloned, saved] = [call("clone", CLONE_VM | CLONE_VFORK | SIGCHLD, 0), new Output(8)];
  const opened = call("pidfd_open", pid, 0);
  const outcome = run([
    { call: opened },
    { call: call("rt_sigprocmask", SIG_SETMASK, everySignal(), saved, 8) },
    { call: cloned, onZero: child!, onFailure: restore! },
    restore!,
    { call: call("rt_sigprocmask", SIG_SETMASK, saved, null, 8) },
    { call: call("close", new ResultOf(opened, "pidfd")), onZero: END },
    child!,
    { call: call("dup3", new ResultOf(opened, "pidfd"), 0, 0), onFailure: fail! },
    { call: exec, onFailure: fail! },
    fail!,
    { call: call("exit_group", 127) },
  ]);
  return Number(outcome.result(cloned));
}

/** Checks that it is there until the process ends, whatever signals it gets. */
async function assertMarks(exec: Call): Promise<void> {
  const marked = new Deno.Command("sleep", { args: ["100"] }).spawn();
  const marker = start(marked.pid, exec);
  const comm = () => Deno.readTextFileSync(`/proc/${marker}/comm`).trim();
  await until(() => comm() === "ramekin-marker");
  syscall(call("kill", marker, SIGTERM));
  assertEquals(isAlive(marker), true);
  marked.kill("SIGKILL");
  await marked.status;
  assertEquals(exitCode(waitFor(marker)), 0);
}

testWith(undefined, "a marker ends with its process, here", async () => {
  const image = Uint8Array.fromBase64(MARKER[Deno.build.arch]);
  const file = syscall(call("memfd_create", "marker", 1));
  syscall(call("write", file, image, image.length));
  await assertMarks(call("execveat", file, "", pointerList(["a", "b"], "argv"), PATH, 0x1000));
  syscall(call("close", file));
});

testWith(missing(EMULATOR), "a marker ends with its process, aarch64 in qemu", async () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, Uint8Array.fromBase64(MARKER.aarch64));
    Deno.chmodSync(path, 0o755);
    const argv = pointerList(["env", EMULATOR, path], "argv");
    await assertMarks(call("execve", "/usr/bin/env", argv, PATH));
  } finally {
    Deno.removeSync(path);
  }
});
