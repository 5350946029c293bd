/**
 * All visible namespaces, as lsns(8) lists them.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  at_fdcwd,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
} from "../ffi/calls/files.ts";
import {
  namespaceIoctl,
  NS_GET_OWNER_UID,
  NS_GET_PARENT,
  NS_GET_USERNS,
} from "../ffi/calls/namespaces.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import { namesIn } from "../ffi/files/read_dir.ts";
import { ifThere } from "../ffi/missing.ts";
import { readLinks } from "../ffi/files/read_links.ts";
import { allPids, HIDDEN_PROCESS } from "../ffi/proc/proc_dir.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { open } from "../ffi/linux/files.ts";
import { statx } from "../ffi/linux/directories.ts";
import { mountsOf } from "../ffi/proc/mountinfo.ts";
import { OwnedFd } from "../ffi/linux/owned_fd.ts";
import { namespaceLink } from "../ffi/proc/process_namespaces.ts";

/** A type of namespace, by the kernel's name. */
export type NamespaceType = "cgroup" | "ipc" | "mnt" | "net" | "pid" | "time" | "user" | "uts";

const TYPES: readonly NamespaceType[] = [
  "cgroup",
  "ipc",
  "mnt",
  "net",
  "pid",
  "time",
  "user",
  "uts",
];

/** A namespace that `listNamespaces` found. */
export interface NamespaceEntry {
  /** Its type, by the kernel's name: `"mnt"`. */
  readonly type: NamespaceType;
  /** Its id, as /proc/PID/ns shows it. */
  readonly id: number;
  /** The number of visible processes in it. */
  readonly processes: number;
  /** The process in it with the lowest pid, if there is one. */
  readonly first: NamespaceProcess | undefined;
  /** The id of the parent of a pid or user namespace, if that is visible. */
  readonly parent: number | undefined;
  /** The id of the user namespace that owns it, if that is visible. */
  readonly owner: number | undefined;
  /** The id of the user that created a user namespace. */
  readonly madeBy: number | undefined;
  /** The bind mounts that keep it alive without processes. */
  readonly mounts: readonly string[];
}

/** A process in a namespace. */
export interface NamespaceProcess {
  /** Its pid, as this script sees it. */
  readonly pid: number;
  /** Its effective user id. */
  readonly uid: number;
  /** Its command line, or its name if it has none, as a kernel thread. */
  readonly command: string;
}

/**
 * Returns all visible namespaces in the order of their ids: those of processes, those that only a
 * mount or an open file keeps alive, and the parents and owners of others.
 *
 * An unprivileged user sees those of its own processes. A namespace that vanishes in the meantime
 * is left out. See [lsns(8)](https://man7.org/linux/man-pages/man8/lsns.8.html) and
 * [ioctl_ns(2)](https://man7.org/linux/man-pages/man2/ioctl_ns.2.html).
 *
 * @throws {PermissionError} without `--allow-ffi`
 * @tags allow-ffi
 *
 * @example The network namespaces with processes in them
 * ```ts
 * import { listNamespaces } from "@ramekin/ramekin";
 *
 * for (const { type, id, processes, first } of listNamespaces()) {
 *   if (type === "net") console.log(id, processes, first?.command);
 * }
 * ```
 */
export function listNamespaces(): NamespaceEntry[] {
  const list = new NamespaceList();
  const pids = allPids();
  list.addProcesses(pids);
  list.addMounts();
  list.addOpenFiles(pids);
  list.addRelatives();
  return list.entries();
}

/** A namespace while the list is built. */
interface Found {
  readonly type: NamespaceType;
  readonly id: number;
  /** The files that open it. */
  readonly files: string[];
  readonly pids: number[];
  readonly mounts: string[];
  /** Whether it could be opened, and the fields below are known. */
  queried: boolean;
  parent: number | undefined;
  owner: number | undefined;
  madeBy: number | undefined;
}

class NamespaceList {
  readonly #found = new Map<number, Found>();

  addProcesses(pids: readonly number[]): void {
    const files = pids.flatMap((pid) => TYPES.map((type) => ({ pid, file: nsFile(pid, type) })));
    readLinks(files.map(({ file }) => file)).forEach((link, index) => {
      const { pid, file } = files[index]!;
      this.#add(link, file)?.pids.push(pid);
    });
  }

  addMounts(): void {
    for (const { type, root, target } of mountsOf()) {
      if (type === "nsfs") this.#add(root, target)?.mounts.push(target);
    }
  }

  addOpenFiles(pids: readonly number[]): void {
    const files = pids.flatMap((pid) =>
      (ifThere(() => namesIn(`/proc/${pid}/fd`), HIDDEN_PROCESS) ?? [])
        .map((fd) => `/proc/${pid}/fd/${fd}`)
    );
    readLinks(files).forEach((link, index) => this.#add(link, files[index]!));
  }

  /** Adds parents and owners, which may have no other entry; removes what has vanished. */
  addRelatives(): void {
    for (const found of [...this.#found.values()]) {
      // A process may have ended, while the next file still exists.
      for (const file of found.files) {
        if (!found.queried) this.#open(found, file);
      }
      if (!found.queried) this.#found.delete(found.id);
    }
  }

  #open(found: Found, file: string): void {
    ifThere(() => {
      // O_NONBLOCK: the descriptor's number may refer to a pipe now, whose open would block.
      using fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
      if (idOf(fd) === found.id) this.#queryRelatives(found, fd);
    }, CANNOT_BE_OPENED);
  }

  entries(): NamespaceEntry[] {
    const processes = new Map<number, NamespaceProcess | undefined>();
    const cached = (pid: number) => {
      if (!processes.has(pid)) processes.set(pid, processOf(pid));
      return processes.get(pid);
    };
    return [...this.#found.values()].sort((a, b) => a.id - b.id).map((found) => ({
      type: found.type,
      id: found.id,
      processes: found.pids.length,
      first: firstOf(found.pids.toSorted((a, b) => a - b), cached),
      parent: found.parent,
      owner: found.owner,
      madeBy: found.madeBy,
      mounts: found.mounts,
    }));
  }

  /** Adds the namespace of a link; other links are ignored. */
  #add(link: string | undefined, file: string): Found | undefined {
    const { type, id } = namespaceLink(link) ?? {};
    const known = TYPES.find((known) => known === type);
    if (known === undefined) return undefined;
    const found = this.#entry(known, id!);
    found.files.push(file);
    return found;
  }

  #entry(type: NamespaceType, id: number): Found {
    const known = this.#found.get(id);
    if (known !== undefined) return known;
    const found: Found = {
      type,
      id,
      files: [],
      pids: [],
      mounts: [],
      queried: false,
      parent: undefined,
      owner: undefined,
      madeBy: undefined,
    };
    this.#found.set(id, found);
    return found;
  }

  #queryRelatives(found: Found, fd: OwnedFd): void {
    found.queried = true;
    found.owner = this.#queryRelative("user", fd, NS_GET_USERNS);
    if (found.type === "user" || found.type === "pid") {
      found.parent = this.#queryRelative(found.type, fd, NS_GET_PARENT);
    }
    if (found.type === "user") found.madeBy = ownerOf(fd);
  }

  /** Returns the id of a parent or an owner, and adds that to the list. */
  #queryRelative(type: NamespaceType, fd: OwnedFd, request: number): number | undefined {
    // EPERM: an initial namespace has no parent, and one above the caller's own is hidden
    // (ioctl_ns(2)).
    const number = ifThere(() => syscall(namespaceIoctl(fd.number, request)), ["EPERM"]);
    if (number === undefined) return undefined;
    using relative = new OwnedFd(number);
    const id = idOf(relative);
    const found = this.#entry(type, id);
    if (!found.queried) this.#queryRelatives(found, relative);
    return id;
  }
}

/**
 * The errnos for a namespace file that is gone, hidden or covered by a mount, or whose descriptor
 * number refers to a socket or to a device without a driver now (ENXIO, ENODEV).
 */
const CANNOT_BE_OPENED: readonly ErrnoName[] = [...HIDDEN_PROCESS, "ENOTDIR", "ENXIO", "ENODEV"];

function nsFile(pid: number, type: NamespaceType): string {
  return `/proc/${pid}/ns/${type}`;
}

function idOf(fd: OwnedFd): number {
  return Number(statx(fd, "", AT_EMPTY_PATH).ino);
}

function ownerOf(fd: OwnedFd): number {
  const uid = new Output(4, "&uid");
  return syscalls([{ call: namespaceIoctl(fd.number, NS_GET_OWNER_UID, uid) }]).output(uid)
    .getUint32(0, true);
}

function firstOf(
  pids: readonly number[],
  find: (pid: number) => NamespaceProcess | undefined,
): NamespaceProcess | undefined {
  for (const pid of pids) {
    const process = find(pid);
    if (process !== undefined) return process;
  }
  return undefined;
}

function processOf(pid: number): NamespaceProcess | undefined {
  return ifThere(() => {
    const args = readWholeText(at_fdcwd, `/proc/${pid}/cmdline`).replace(/\0+$/, "");
    const command = args === ""
      ? readWholeText(at_fdcwd, `/proc/${pid}/comm`).trimEnd()
      : args.replaceAll("\0", " ");
    return { pid, uid: statx(AT_FDCWD, `/proc/${pid}`).uid, command };
  }, HIDDEN_PROCESS);
}
