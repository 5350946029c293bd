/**
 * The owner of the standard streams.
 *
 * @module
 */

import { at_fdcwd, fchownat } from "../ffi/calls/files.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { hostUser } from "./host_ids.ts";
import type { Config } from "./spec.ts";

/** chown(2): the group stays as it is. */
const SAME = 0xffff_ffff;

/**
 * Gives those standard streams that are pipes to the program's user. Otherwise only the engine's user
 * could open them by name, and a web server that writes its log to /dev/stdout could not start.
 * Files and devices are the caller's own, and stay so.
 *
 * @param whose the directory of /proc of the process whose streams they are
 */
export function giveStreams(
  { process }: Pick<Config, "process">,
  { linux = {} }: Config,
  whose = "/proc/self",
): void {
  const owner = hostUser(process?.user?.uid ?? 0, linux);
  if (owner === undefined) return;
  for (const path of ["fd/0", "fd/1", "fd/2"].map((name) => `${whose}/${name}`)) {
    if (!isPipe(path)) continue;
    // It stays as it is where this process may not give files away.
    syscalls([{ call: fchownat(at_fdcwd, path, owner, SAME), accept: ["EPERM", "EINVAL"] }]);
  }
}

/** Whether it is a pipe without a name: one with a name is a file of somebody's. */
function isPipe(path: string): boolean {
  try {
    return Deno.readLinkSync(path).startsWith("pipe:[");
  } catch {
    return false;
  }
}
