import { assertEquals, assertThrows } from "@std/assert";
import { at_fdcwd, close, openat } from "../../ffi/calls/files.ts";
import { writeText, writeTextTo } from "../../ffi/calls/write_text.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { readBeginningText, readWholeText } from "../../ffi/files/read_file.ts";
import { pipe2, read } from "../../ffi/linux/files.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import "./support.ts";

Deno.test("a text is written to a file by its path from a directory", () => {
  const directory = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${directory}/file`, "");
  const opened = syscall(openat(at_fdcwd, directory, 0));
  try {
    syscalls(writeText(opened, "file", "Grüße\n").map((call) => ({ call })));
    assertEquals(readWholeText(opened, "file"), "Grüße\n");
    const missing = writeText(opened, "missing", "x").map((call) => ({ call }));
    assertThrows(() => syscalls(missing), SyscallError, "ENOENT");
  } finally {
    syscall(close(opened));
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a text is written to an open file", () => {
  const [reader, writer] = pipe2();
  using _reader = reader;
  using _writer = writer;
  assertEquals(syscall(writeTextTo(writer.number, "Grüße")), 7);
  const bytes = new Uint8Array(10);
  assertEquals(new TextDecoder().decode(bytes.subarray(0, read(reader, bytes))), "Grüße");
});

Deno.test("of a file that is longer than any, no more is read than asked for", () => {
  const path = Deno.makeTempFileSync();
  try {
    using file = Deno.openSync(path, { write: true });
    file.writeSync(new TextEncoder().encode("soup"));
    file.truncateSync(2 ** 40);
    const text = readBeginningText(at_fdcwd, path, 100_000);
    assertEquals([text.slice(0, 4), text.length < 200_000], ["soup", true]);
    file.truncateSync(4);
    assertEquals(readBeginningText(at_fdcwd, path, 100_000), "soup");
  } finally {
    Deno.removeSync(path);
  }
});
