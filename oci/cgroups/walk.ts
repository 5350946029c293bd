/**
 * Walks the groups below one, by descriptors: a container that makes groups of its own can make them
 * deeper than a path is long.
 *
 * @module
 */

import {
  at_fdcwd,
  AT_REMOVEDIR,
  close,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  S_IFDIR,
  unlinkat,
} from "../../ffi/calls/files.ts";
import { entriesOf } from "../../ffi/files/read_dir.ts";
import { readWholeText } from "../../ffi/files/read_file.ts";
import { ifThere, NO_SUCH_PATH } from "../../ffi/missing.ts";
import { syscall } from "../../ffi/syscalls.ts";

/** What is done on the way: at each group before those in it, and behind a group in the one around. */
interface Visit {
  readonly enter?: (group: number) => void;
  readonly leave?: (around: number, name: string) => void;
}

/** A group that is not there, or may not be looked into. */
const HIDDEN = [...NO_SUCH_PATH, "EACCES", "ENODEV", "EOPNOTSUPP"] as const;

/** Returns the processes in a group and in those below it. */
export function pidsBelow(path: string): readonly number[] {
  const pids: number[] = [];
  walk(path, {
    enter(group) {
      const text = ifThere(() => readWholeText(group, "cgroup.procs"), HIDDEN) ?? "";
      for (const line of text.split("\n")) if (Number(line) > 0) pids.push(Number(line));
    },
  });
  return pids;
}

/** Removes the groups below a group; those that are in use stay. */
export function removeBelow(path: string): void {
  walk(path, {
    leave(around, name) {
      const remove = () => syscall(unlinkat(around, name, AT_REMOVEDIR));
      ifThere(remove, ["ENOENT", "EBUSY", "EACCES", "EPERM", "EROFS"]);
    },
  });
}

function walk(path: string, { enter, leave }: Visit): void {
  let at = openGroup(at_fdcwd, path);
  if (at === undefined) return;
  const way: string[] = [];
  const waiting = [groupsIn(at)];
  try {
    enter?.(at);
    for (;;) {
      const name = waiting.at(-1)!.pop();
      if (name === undefined) waiting.pop();
      if (waiting.length === 0) return;
      // Groups are moved nowhere, so what is around one stays that.
      const next = openGroup(at, name ?? "..");
      if (next === undefined && name === undefined) return;
      if (next === undefined) continue;
      syscall(close(at));
      at = next;
      if (name === undefined) leave?.(at, way.pop()!);
      else {
        way.push(name);
        waiting.push(groupsIn(at));
        enter?.(at);
      }
    }
  } finally {
    syscall(close(at));
  }
}

function openGroup(around: Parameters<typeof openat>[0], name: string): number | undefined {
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  return ifThere(() => syscall(openat(around, name, flags)), HIDDEN);
}

function groupsIn(group: number): string[] {
  return entriesOf(group).flatMap(({ name, type }) => type === S_IFDIR ? [name] : []);
}
