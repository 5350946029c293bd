/** The descriptors that launches of a script share. */

import { assertStringIncludes, assertThrows } from "@std/assert";
import { ftruncate, write } from "../../ffi/calls/files.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { init, mapRoot, proc, recipe, SyscallError, unshare } from "../../mod.ts";
import { initImage } from "../../launch/runtime_fds.ts";
import { failing, test } from "../support.ts";

// It is opened before the first test, whose sanitizer would report it as leaked.
initImage();

test("the image of the init cannot be changed by its descriptor", () => {
  const image = initImage();
  assertThrows(() => syscall(write(image, new Uint8Array(1), 1)), SyscallError, "EPERM");
  assertThrows(() => syscall(ftruncate(image, 0)), SyscallError, "EPERM");
});

test("a container cannot write to the program of its init", () => {
  const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), init());
  assertStringIncludes(failing(box, ": > /proc/1/exe"), "/proc/1/exe");
});
