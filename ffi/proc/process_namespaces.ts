/**
 * Which namespaces a process is in. See namespaces(7).
 *
 * @module
 */

import { Output } from "../call.ts";
import { at_fdcwd, readlinkat } from "../calls/files.ts";
import { readLinks } from "../files/read_links.ts";
import { processDirectory } from "./proc_dir.ts";
import { syscall } from "../syscalls.ts";

/** A name in /proc/PID/ns. */
export type NamespaceFile =
  | "cgroup"
  | "ipc"
  | "mnt"
  | "net"
  | "pid"
  | "pid_for_children"
  | "time"
  | "time_for_children"
  | "user"
  | "uts";

const FILES: readonly NamespaceFile[] = [
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
];

/**
 * The ids of a process's namespaces, as `ls -l /proc/PID/ns` shows them: two processes share a
 * namespace where the ids are equal.
 */
export type NamespaceIds = Readonly<Partial<Record<NamespaceFile, number>>>;

/**
 * Returns the namespaces of a process; without one, those of the calling thread. A kind that the
 * kernel does not have is left out, and so is `pid_for_children` of a thread that has unshared its
 * pid namespace and has no child yet. See
 * [namespaces(7)](https://man7.org/linux/man-pages/man7/namespaces.7.html).
 *
 * @throws {SyscallError} `ENOENT` where there is no such process, `EACCES` where it is another
 * user's
 * @throws {UnsupportedError} where /proc is of another pid namespace
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
  const [ids] = idsOf([pid ?? "thread-self"], FILES);
  return ids!;
}

/**
 * Which of these namespaces of a process are not the calling thread's.
 *
 * @throws {SyscallError} as {@linkcode namespaces} does
 */
export function otherNamespaces<File extends NamespaceFile>(
  pid: number,
  files: readonly File[],
): File[] {
  const [own, others] = idsOf(["thread-self", pid], files);
  return files.filter((name) => others![name] !== undefined && others![name] !== own![name]);
}

/** The ids of these namespaces of several processes, read in one turn of the engine. */
function idsOf(
  processes: readonly (number | "thread-self")[],
  files: readonly NamespaceFile[],
): NamespaceIds[] {
  const directories = processes.map((process) => `${processDirectory(process)}/ns`);
  const links = readLinks(
    directories.flatMap((directory) => files.map((name) => `${directory}/${name}`)),
  );
  return directories.map((directory, index) => {
    const those = links.slice(index * files.length, (index + 1) * files.length);
    if (those.every((link) => link === undefined)) {
      syscall(readlinkat(at_fdcwd, `${directory}/user`, new Output(64, "&target")), {
        EACCES: "the process is another user's, or has privileges that this one has not",
        ENOENT: "there is no such process, or not any more",
      });
    }
    const ids: Partial<Record<NamespaceFile, number>> = {};
    files.forEach((name, index) => {
      const link = namespaceLink(those[index]);
      if (link !== undefined) ids[name] = link.id;
    });
    return ids;
  });
}

/** The type and the id in what a link to a namespace says: `net:[4026531840]`. */
export function namespaceLink(
  link: string | undefined,
): { readonly type: string; readonly id: number } | undefined {
  const [, type, id] = /^(\w+):\[(\d+)\]$/.exec(link ?? "") ?? [];
  return type === undefined ? undefined : { type, id: Number(id) };
}
