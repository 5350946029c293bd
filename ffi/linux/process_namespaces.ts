/**
 * Which namespaces a process is in. See namespaces(7).
 *
 * @module
 */

import { Output } from "../call.ts";
import { at_fdcwd, readlinkat } from "../calls/files.ts";
import { SyscallError } from "../errors.ts";
import { performAll } from "../perform.ts";

/** The names of namespaces in /proc/PID/ns. */
export const NAMESPACE_FILES = [
  "cgroup",
  "ipc",
  "mnt",
  "net",
  "pid",
  "pid_for_children",
  "time",
  "time_for_children",
  "user",
  "uts",
] as const;

/** A name in /proc/PID/ns. */
export type NamespaceFile = typeof NAMESPACE_FILES[number];

/**
 * The ids of a process's namespaces, as `ls -l /proc/PID/ns` shows them: two processes share a
 * namespace where the ids are equal.
 */
export type NamespaceIds = Readonly<Partial<Record<NamespaceFile, number>>>;

/**
 * Tells the namespaces of a process; without one, those of the calling thread. A kind that the
 * kernel does not have is left out, and so is `pid_for_children` of a thread that has unshared its
 * pid namespace and has no child yet. See
 * [namespaces(7)](https://man7.org/linux/man-pages/man7/namespaces.7.html).
 *
 * @throws {SyscallError} `ENOENT` where there is no such process, `EACCES` where it is another
 * user's
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(linux.namespaces(Deno.pid).net, linux.namespaces().net);
 * ```
 */
export function namespaces(pid?: number): NamespaceIds {
  const folder = pid === undefined ? "/proc/thread-self/ns" : `/proc/${pid}/ns`;
  const links = NAMESPACE_FILES.map((name) => {
    const target = new Output(64, "&target");
    return { name, target, call: readlinkat(at_fdcwd, `${folder}/${name}`, target) };
  });
  const outcome = performAll(
    links.map(({ call }) => ({ call, accept: ["ENOENT", "EACCES", "ESRCH"] as const })),
  );
  const ids: Partial<Record<NamespaceFile, number>> = {};
  for (const { name, target, call } of links) {
    const length = Number(outcome.result(call));
    if (length <= 0) continue;
    const { buffer, byteOffset } = outcome.output(target);
    const text = new TextDecoder().decode(new Uint8Array(buffer, byteOffset, length));
    ids[name] = Number(/\[(\d+)\]$/.exec(text)![1]);
  }
  if (Object.keys(ids).length > 0) return ids;
  const { call } = links[0]!;
  throw new SyscallError({
    syscall: call.name,
    errno: -Number(outcome.result(call)),
    call: `readlinkat(AT_FDCWD, "${folder}/${links[0]!.name}", ...)`,
    hint: "there is no such process, or it is another user's",
  });
}
