/** Calls that are laid out once. */

import { assertEquals, assertThrows } from "@std/assert";
import { call, Output, Slot, Struct } from "../../ffi/call.ts";
import { Routine } from "../../ffi/routine.ts";
import { SyscallError } from "../../ffi/errors.ts";
import "./support.ts";

const OPERATION = new Slot("operation"), VALUE = new Slot("value");

Deno.test("a routine makes its calls with other values each time", () => {
  const output = new Output(8), wanted = new Slot("wanted", 4);
  const data = new Struct(new Uint8Array(8).fill(255), "data", [], [{ offset: 0, slot: wanted }]);
  const ends = new Output(8, "&ends"), reader = new Slot("reader"), writer = new Slot("writer");
  const opened = new Routine([], [{ call: call("pipe2", ends, 0o2000000) }]).run().output(ends);
  const fds = [opened.getInt32(0, true), opened.getInt32(4, true)] as const;
  const echo = new Routine([writer, wanted, reader], [
    { call: call("write", writer, data, 8) },
    { call: call("read", reader, output, 8) },
  ]);
  for (const value of [1, -1, 0x7fff_ffff]) {
    const echoed = echo.run(fds[1], value, fds[0]).output(output);
    assertEquals([echoed.getInt32(0, true), echoed.getInt32(4, true)], [value, -1]);
  }
  const closing = new Routine([reader], [{ call: call("close", reader) }]);
  for (const fd of fds) closing.run(fd);
});

Deno.test("a routine that fails says which call it was, and works again", () => {
  const routine = new Routine([OPERATION, VALUE], [{ call: call("prctl", OPERATION, VALUE) }]);
  assertThrows(
    () => routine.run(0x7fff_fff0, 2 ** 40),
    SyscallError,
    "prctl(2147483632, 1099511627776)",
  );
  assertEquals(routine.run(3, 0).failed, undefined);
});
