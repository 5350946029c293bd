/**
 * The namespaces of a process. See namespaces(7).
 *
 * @module
 */

import { Output } from "../call.ts";
import { at_fdcwd, readlinkat } from "../calls/files.ts";
import { readLinks } from "../files/read_links.ts";
import { NO_PROCESS, OTHERS_PROCESS, processDirectory } from "./proc_dir.ts";
import { syscall } from "../syscalls.ts";

/** A kind of namespace, or what the children of a process get of it. */
export type NamespaceName =
  | "cgroup"
  | "ipc"
  | "mount"
  | "net"
  | "pid"
  | "pid_for_children"
  | "time"
  | "time_for_children"
  | "user"
  | "uts";

const NAMES: readonly NamespaceName[] = [
  "cgroup",
  "ipc",
  "mount",
  "net",
  "pid",
  "pid_for_children",
  "time",
  "time_for_children",
  "user",
  "uts",
];

/**
 * The ids of a process's namespaces, as `ls -l /proc/PID/ns` shows them. Two processes share a
 * namespace if the ids are equal.
 */
export type NamespaceIds = Readonly<Partial<Record<NamespaceName, number>>>;

/**
 * Returns the namespaces of a process, by default of the calling thread. A kind that the kernel does
 * not have is left out, and so is `pid_for_children` of a thread that has unshared its pid namespace
 * and has no child yet. See
 * [namespaces(7)](https://man7.org/linux/man-pages/man7/namespaces.7.html).
 *
 * @throws {SyscallError} `ENOENT` if there is no such process, `EACCES` if it is another user's
 * @throws {UnsupportedError} if /proc is of another pid namespace
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
  const [ids] = idsOf([pid ?? "thread-self"], NAMES);
  return ids!;
}

/**
 * Returns which of these namespaces of a process differ from the calling thread's.
 *
 * @throws {SyscallError} as {@linkcode namespaces} does
 */
export function otherNamespaces<Name extends NamespaceName>(
  pid: number,
  names: readonly Name[],
): Name[] {
  const [own, others] = idsOf(["thread-self", pid], names);
  return names.filter((name) => others![name] !== undefined && others![name] !== own![name]);
}

/** The ids of these namespaces of several processes, read by one run of the engine. */
function idsOf(
  processes: readonly (number | "thread-self")[],
  names: readonly NamespaceName[],
): NamespaceIds[] {
  const directories = processes.map((process) => `${processDirectory(process)}/ns`);
  const links = readLinks(
    directories.flatMap((directory) => names.map((name) => `${directory}/${fileOf(name)}`)),
  );
  return directories.map((directory, index) => {
    const targets = links.slice(index * names.length, (index + 1) * names.length);
    if (targets.every((target) => target === undefined)) {
      syscall(readlinkat(at_fdcwd, `${directory}/user`, new Output(64, "&target")), {
        EACCES: OTHERS_PROCESS,
        ENOENT: NO_PROCESS,
      });
    }
    const ids: Partial<Record<NamespaceName, number>> = {};
    names.forEach((name, index) => {
      const link = namespaceLink(targets[index]);
      if (link !== undefined) ids[name] = link.id;
    });
    return ids;
  });
}

/** The file in /proc/PID/ns. */
function fileOf(name: NamespaceName): string {
  return name === "mount" ? "mnt" : name;
}

/** The type and the id in the target of a link to a namespace: `net:[4026531840]`. */
export function namespaceLink(
  link: string | undefined,
): { readonly type: string; readonly id: number } | undefined {
  const [, type, id] = /^(\w+):\[(\d+)\]$/.exec(link ?? "") ?? [];
  return type === undefined ? undefined : { type, id: Number(id) };
}
