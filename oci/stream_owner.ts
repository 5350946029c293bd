/**
 * The owner of the standard streams.
 *
 * @module
 */

import { at_fdcwd, fchownat } from "../ffi/calls/files.ts";
import { syscalls } from "../ffi/syscalls.ts";
import type { Config } from "./spec.ts";

/** chown(2): the group stays as it is. */
const SAME = 0xffff_ffff;

/**
 * Gives those standard streams that are pipes to the program's user. Otherwise only the engine's user
 * could open them by name, and a web server that writes its log to /dev/stdout could not start.
 * Files and devices are the caller's own, and stay so.
 */
export function giveStreams({ process }: Pick<Config, "process">, { linux = {} }: Config): void {
  const owner = hostId(process?.user?.uid ?? 0, linux);
  if (owner === undefined) return;
  for (const path of ["/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"]) {
    if (!isPipe(path)) continue;
    // It stays as it is where this process may not give files away.
    syscalls([{ call: fchownat(at_fdcwd, path, owner, SAME), accept: ["EPERM", "EINVAL"] }]);
  }
}

/** The user here whom the container's user namespace maps an id to. */
function hostId(id: number, { namespaces = [], uidMappings }: NonNullable<Config["linux"]>) {
  if (!namespaces.some(({ type }) => type === "user")) return id;
  const map = uidMappings?.find(({ containerID, size }) =>
    id >= containerID && id < containerID + size
  );
  return map && map.hostID + id - map.containerID;
}

/** Whether it is a pipe without a name: one with a name is a file of somebody's. */
function isPipe(path: string): boolean {
  try {
    return Deno.readLinkSync(path).startsWith("pipe:[");
  } catch {
    return false;
  }
}
