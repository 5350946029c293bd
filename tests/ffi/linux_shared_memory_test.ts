/** Shared memory of System V: what is written at one address is read at the other. */

import { assertEquals, assertThrows } from "@std/assert";
import { SyscallError } from "../../ffi/errors.ts";
import * as linux from "../../ffi/linux/mod.ts";
import { engine } from "../../ffi/engine/engine.ts";

// Loaded before the first test, which would be said to leak it: the engine stays.
engine();

function viewOf(address: bigint, size: number): Uint8Array {
  const pointer = Deno.UnsafePointer.create(address)!;
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, size));
}

/** The memory's line in the kernel's own list. */
function listed(id: number): string | undefined {
  return Deno.readTextFileSync("/proc/sysvipc/shm").split("\n").find((line) =>
    Number(line.trim().split(/\s+/)[1]) === id && line.trim() !== ""
  );
}

Deno.test("shared memory is the same at every address, and is removed", () => {
  const id = linux.shmget(linux.IPC_PRIVATE, 8192, linux.IPC_CREAT | 0o600);
  try {
    assertEquals(listed(id)?.trim().split(/\s+/)[3], "8192");
    const one = linux.shmat(id);
    const other = linux.shmat(id, linux.SHM_RDONLY);
    viewOf(one, 8192)[8191] = 42;
    assertEquals(viewOf(other, 8192)[8191], 42);
    linux.shmdt(one);
    linux.shmdt(other);
    assertThrows(() => linux.shmdt(one), SyscallError, "EINVAL");
  } finally {
    linux.shmctl(id, linux.IPC_RMID);
  }
  assertEquals(listed(id), undefined);
  assertThrows(() => linux.shmat(id), SyscallError, "EINVAL");
});

Deno.test("an unused key has no segment, and a used one is not created again", () => {
  const key = 0x7261_0000 + Deno.pid % 0x10000;
  assertThrows(() => linux.shmget(key, 1), SyscallError, "IPC_CREAT creates it");
  const id = linux.shmget(key, 1, linux.IPC_CREAT | 0o600);
  try {
    assertEquals(linux.shmget(key, 1), id);
    const again = linux.IPC_CREAT | linux.IPC_EXCL;
    assertThrows(() => linux.shmget(key, 1, again), SyscallError, "EEXIST");
    assertThrows(() => linux.shmget(key, 4097), SyscallError, "EINVAL");
  } finally {
    linux.shmctl(id, linux.IPC_RMID);
  }
});
