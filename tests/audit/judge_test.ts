/** A program that is killed while its call is looked at is no error of the script. */

import { assertEquals, assertThrows } from "@std/assert";
import { Advisor } from "../../audit/advice.ts";
import { ContainerFiles } from "../../audit/container_files.ts";
import { DenialLog } from "../../audit/denial.ts";
import { Judge } from "../../audit/judge.ts";
import type { Listener } from "../../audit/listener.ts";
import type { NotifiedCall } from "../../ffi/calls/seccomp_notifications.ts";
import { SyscallError } from "../../mod.ts";
import { test } from "../support.ts";

/** What is read of the program's memory just before it is killed: the path of a file. */
const listener = { read: () => new TextEncoder().encode("/home/soup\0") } as unknown as Listener;

test("a call of a program that has ended is not told", () => {
  // No process has this number (proc_sys_kernel(5), pid_max).
  const pid = 2 ** 30;
  assertThrows(() => new ContainerFiles(pid), SyscallError);
  const denials = new DenialLog();
  const call: NotifiedCall = {
    id: [1, 0],
    pid,
    number: 0,
    args: [0xffff_ff9cn, 1n, 0n, 0n, 0n, 0n],
    data: new DataView(new ArrayBuffer(64)),
  };
  const judge = new Judge(listener, { denials }, new Advisor([]), true);
  judge.judge("openat", call, { passes: true });
  judge.close();
  assertEquals(denials.list, []);
});
