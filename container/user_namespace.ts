/**
 * A user namespace that a script opens, to do something in it.
 *
 * @module
 */

import { O_CLOEXEC, O_RDONLY } from "../ffi/calls/constants/open.ts";
import { open } from "../ffi/linux/files.ts";
import type { OwnedFd } from "../ffi/linux/owned_fd.ts";
import type { Step } from "../recipe/steps.ts";
import { recipe } from "./recipe.ts";

/**
 * Makes a user namespace; it is there until it is disposed of.
 *
 * @param steps those that make it
 * @throws {UnsupportedError} if newuidmap(1) and newgidmap(1) are wanted and not installed, or refuse
 * @throws {SyscallError} if user namespaces are not allowed
 */
export async function openUserNamespace(steps: readonly Step[]): Promise<OwnedFd> {
  const maker = recipe(...steps)
    .command("cat", { stdin: "piped", stdout: "null", stderr: "null" }).spawn();
  try {
    return open(`/proc/${maker.pid}/ns/user`, O_RDONLY | O_CLOEXEC);
  } finally {
    await maker.stdin.close();
    await maker.status;
  }
}
