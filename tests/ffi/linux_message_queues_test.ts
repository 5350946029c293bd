/** Message queues of POSIX: the highest priority first, and names that end. */

import { assertEquals, assertThrows } from "@std/assert";
import { SyscallError } from "../../ffi/errors.ts";
import * as linux from "../../ffi/linux/mod.ts";
import { engine } from "../../ffi/engine/engine.ts";

// Loaded before the first test, which would be said to leak it: the engine stays.
engine();

const name = `/ramekin-${Deno.pid}`;
const bytes = (text: string) => new TextEncoder().encode(text);
const receive = (queue: linux.OwnedFd) => new TextDecoder().decode(linux.mq_receive(queue));

Deno.test("a queue returns messages of a higher priority first, and then the oldest", () => {
  const flags = linux.O_CREAT | linux.O_EXCL | linux.O_RDWR | linux.O_NONBLOCK;
  using queue = linux.mq_open(name, flags, 0o600);
  try {
    using again = linux.mq_open(name, linux.O_WRONLY);
    linux.mq_send(again, bytes("soup"));
    linux.mq_send(again, bytes("stew"));
    linux.mq_send(again, bytes("fire"), 9);
    linux.mq_send(again, new Uint8Array(8192));
    assertEquals([receive(queue), receive(queue), receive(queue)], ["fire", "soup", "stew"]);
    assertEquals(linux.mq_receive(queue).length, 8192);
    assertThrows(() => linux.mq_receive(queue), SyscallError, "EAGAIN");
    assertThrows(() => linux.mq_receive(again), SyscallError, "EBADF");
    assertThrows(() => linux.mq_send(again, new Uint8Array(8193)), SyscallError, "EMSGSIZE");
    assertThrows(() => linux.mq_open(name, flags, 0o600), SyscallError, "EEXIST");
  } finally {
    linux.mq_unlink(name);
  }
  assertThrows(() => linux.mq_open(name, linux.O_RDWR), SyscallError, "ENOENT");
});

Deno.test("the name of a queue has one slash", () => {
  const open = () => linux.mq_open("/a/b", linux.O_CREAT | linux.O_RDWR, 0o600);
  assertThrows(open, SyscallError, "one slash");
});
