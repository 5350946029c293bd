/** Waiting for descriptors. */

import { assertEquals } from "@std/assert";
import { close, eventfd2 } from "../../ffi/calls/files.ts";
import { POLLIN, ppoll } from "../../ffi/calls/polling.ts";
import { syscall } from "../../ffi/syscalls.ts";
import "./support.ts";

Deno.test("a time of almost a second is none that the kernel refuses", () => {
  const ready = syscall(eventfd2(1, 0));
  assertEquals(syscall(ppoll([{ fd: ready, events: POLLIN }], 999.9999999)), 1);
  syscall(close(ready));
});
