/**
 * Directories of a place: their entries, and all that is in them, by descriptors. A name that turns
 * into a link meanwhile is an error, and leads nowhere.
 *
 * @module
 */

import { type Call, Output, ResultOf } from "../../ffi/call.ts";
import {
  AT_REMOVEDIR,
  close,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  S_IFDIR,
  S_IFMT,
  unlinkat,
} from "../../ffi/calls/files.ts";
import { type DirectoryEntry, getdents64, readDirectoryEntries } from "../../ffi/calls/getdents.ts";
import type { Statx } from "../../ffi/calls/statx.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { opening, parentOf, type Place, type Spot, Status } from "./place.ts";

/** How deep directories may lie in each other, each of which takes a descriptor. */
const DEEPEST = 200;

const PART_SIZE = 32 * 1024;

/** An open file, and its status. It is closed at the end of its scope. */
export class OpenedFile implements Disposable {
  constructor(readonly fd: number, readonly status: Statx) {}

  [Symbol.dispose](): void {
    syscall(close(this.fd));
  }
}

/** Opens a file; one that is a name in a directory may be no link. */
export function openWithStatus(spot: Spot, flags: number, mode?: number): OpenedFile {
  const follows = spot.directory === undefined ? 0 : O_NOFOLLOW;
  const call = opening(spot, flags | follows, mode);
  const status = new Status(new ResultOf(call, "fd"));
  const made = spot.place.make([{ call, sends: true }, { call: status.call }]);
  return new OpenedFile(made.fds.get(call)!, status.of(made));
}

/** The entries of an open directory, some at a time: one of anybody's may have any number. */
export function* entriesOf(directory: number): Generator<readonly DirectoryEntry[]> {
  for (;;) {
    const part = new Output(PART_SIZE, "&entries");
    const list = getdents64(directory, part);
    // A directory that was removed in the meantime is empty.
    const outcome = syscalls([{ call: list, accept: ["ENOENT"] }]);
    const size = Number(outcome.result(list));
    if (size <= 0) return;
    yield readDirectoryEntries(outcome.output(part), size);
  }
}

/** The entries with their types, which some filesystems do not tell with the names. */
export function typed(
  place: Place,
  directory: number,
  entries: readonly DirectoryEntry[],
): readonly DirectoryEntry[] {
  const unknown = entries.filter(({ type }) => type === 0);
  if (unknown.length === 0) return entries;
  const types = new Map(unknown.map(({ name }) => {
    const spot = { place, directory, path: name, shown: name };
    const found = opening(spot, O_PATH | O_NOFOLLOW);
    const status = new Status(new ResultOf(found, "fd"));
    return [name, status.of(place.make([{ call: found }, { call: status.call }])).mode & S_IFMT];
  }));
  return entries.map((entry) => ({ ...entry, type: types.get(entry.name) ?? entry.type }));
}

/** Removes all that is in a directory, and then the directory. */
export function removeTree(spot: Spot, depth = 0): void {
  requireDepth(spot, depth);
  const { place } = spot;
  {
    using directory = openWithStatus(spot, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const { fd } = directory;
    for (const entries of entriesOf(fd)) {
      const all = typed(place, fd, entries);
      const files = all.filter(({ type }) => type !== S_IFDIR);
      if (files.length > 0) place.make(files.map(({ name }) => removal(fd, name, 0)));
      for (const { name, type } of all) {
        if (type !== S_IFDIR) continue;
        removeTree({ place, directory: fd, path: name, shown: `${spot.shown}/${name}` }, depth + 1);
      }
    }
  }
  const { calls, parent, name } = parentOf(spot);
  place.make([...calls, { call: unlinkat(parent, name, AT_REMOVEDIR) }]);
}

function removal(
  directory: number,
  name: string,
  flags: number,
): { call: Call; accept: ["ENOENT"] } {
  return { call: unlinkat(directory, name, flags), accept: ["ENOENT"] };
}

/** Throws where directories lie too deep in each other. */
export function requireDepth({ place, shown }: Spot, depth: number): void {
  if (depth <= DEEPEST) return;
  throw new RangeError(`${place.named(shown)} lies more than ${DEEPEST} directories deep`);
}
