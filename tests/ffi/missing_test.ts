import { assertEquals, assertThrows } from "@std/assert";
import { AT_FDCWD, at_fdcwd } from "../../ffi/calls/files.ts";
import { ERRNO, type ErrnoName } from "../../ffi/errno.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { namesIn } from "../../ffi/files/read_dir.ts";
import { readWholeText } from "../../ffi/files/read_file.ts";
import { prlimit } from "../../ffi/linux/prctl.ts";
import { statx } from "../../ffi/linux/directories.ts";
import { ifThere, NO_SUCH_PATH } from "../../ffi/missing.ts";
import { HIDDEN_PROCESS } from "../../ffi/proc/proc_dir.ts";
import "./support.ts";

function fails(code: ErrnoName): () => never {
  return () => {
    throw new SyscallError({ syscall: "openat", errno: ERRNO[code] });
  };
}

Deno.test("a path that leads nowhere is absent", () => {
  assertEquals(ifThere(() => 1), 1);
  assertEquals(ifThere(() => statx(AT_FDCWD, "/nonesuch")), undefined);
  assertEquals(ifThere(() => statx(AT_FDCWD, "/dev/null/below")), undefined);
});

Deno.test("an error that does not mean absence is thrown", () => {
  for (const code of ["EMFILE", "ENFILE", "ENOMEM", "EIO", "EACCES", "EPERM", "ESRCH"] as const) {
    assertThrows(() => ifThere(fails(code)), SyscallError, code);
  }
  assertThrows(() => ifThere(() => fail(new TypeError("mine"))), TypeError, "mine");
});

Deno.test("a caller chooses the errnos that mean absence", () => {
  assertEquals(ifThere(fails("EACCES"), [...NO_SUCH_PATH, "EACCES"]), undefined);
  assertEquals(ifThere(fails("EAGAIN"), ["EAGAIN"]), undefined);
  assertThrows(() => ifThere(fails("ENOENT"), ["EAGAIN"]), SyscallError, "ENOENT");
  assertThrows(() => ifThere(fails("EMFILE"), HIDDEN_PROCESS), SyscallError, "EMFILE");
});

Deno.test("a process without free descriptors does not take files for absent", () => {
  const { soft, hard } = prlimit(0, "NOFILE");
  prlimit(0, "NOFILE", { soft: 0, hard });
  try {
    const read = () => readWholeText(at_fdcwd, "/proc/self/stat");
    assertThrows(() => ifThere(read), SyscallError, "EMFILE");
    assertThrows(() => ifThere(read, HIDDEN_PROCESS), SyscallError, "EMFILE");
  } finally {
    prlimit(0, "NOFILE", { soft, hard });
  }
  assertEquals(ifThere(() => namesIn("/nonesuch")), undefined);
});

function fail(error: Error): never {
  throw error;
}
