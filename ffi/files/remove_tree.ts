/**
 * Removes what a directory holds, whatever the modes of the directories in it are.
 *
 * @module
 */

import { AT_FDCWD, AT_REMOVEDIR } from "../calls/constants/at.ts";
import { RENAME_NOREPLACE, S_IFDIR } from "../calls/constants/files.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH, O_RDONLY } from "../calls/constants/open.ts";
import { type DirectoryEntry, readDirectoryEntries } from "../calls/getdents.ts";
import { BatchResult, CallBatch } from "../call_batch.ts";
import { engine } from "../engine/engine.ts";
import { SyscallError } from "../errors.ts";
import { at_fdcwd, close, openat } from "../calls/files.ts";
import { syscall } from "../syscalls.ts";
import { openBeneath } from "./beneath.ts";

const [MEMORY, LISTED] = [1 << 18, 1 << 15];
/**
 * The longest path, in characters: with a name of 255 bytes more it is shorter than PATH_MAX, whatever
 * the characters are. A program makes longer ones, by mkdir(2) and chdir(2) in turn.
 */
const LONGEST = 1024;

/**
 * Removes all that the directory holds, and leaves it empty.
 *
 * @param root its descriptor
 * @param namespace that of a user namespace, in which the files of its users can be removed
 * @throws {SyscallError} if something cannot be removed
 */
export async function removeAll(root: number, namespace?: number): Promise<void> {
  using calls = new CallBatch(engine(), MEMORY, namespace);
  // The number at which each directory is opened in its turn.
  const number = syscall(openat(at_fdcwd, "/", O_PATH | O_CLOEXEC));
  try {
    await removeIn(calls, root, number);
  } finally {
    syscall(close(number));
  }
}

async function removeIn(calls: CallBatch, root: number, number: number): Promise<void> {
  const way: string[] = ["."];
  while (way.length > 0) {
    const path = way.at(-1)!;
    const entries = await list(calls, root, path, number);
    if (entries.length === 0) {
      way.pop();
      if (path !== ".") await removeDirectory(calls, root, path, number);
      continue;
    }
    await removeFiles(calls, root, path, entries.filter(({ type }) => type !== S_IFDIR), number);
    for (const { name, type } of entries) {
      if (type !== S_IFDIR) continue;
      const inside = path === "." ? name : `${path}/${name}`;
      way.push(
        inside.length > LONGEST ? await lift(calls, root, path, name, number) : inside,
      );
    }
  }
}

/** Opens a directory at a number, which stays open when a call behind it fails. */
function openAt(calls: CallBatch, root: number, path: string, number: number): void {
  const opened = new BatchResult(openBeneath(calls, root, path, O_PATH));
  calls.add("dup3", [opened, number, O_CLOEXEC]);
  calls.add("close", [opened]);
}

/**
 * Opens a directory at a number, and lets its owner in, who may be kept out. By the descriptor: by its
 * name, a link that somebody has put in its place meanwhile would lead to another file.
 */
function enter(calls: CallBatch, root: number, path: string, number: number): void {
  openAt(calls, root, path, number);
  calls.add("fchmodat", [AT_FDCWD, calls.name(`/proc/self/fd/${number}`), 0o700]);
}

/** The first entries of a directory. */
async function list(
  calls: CallBatch,
  root: number,
  path: string,
  number: number,
): Promise<DirectoryEntry[]> {
  enter(calls, root, path, number);
  const flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const opened = new BatchResult(calls.add("openat", [number, calls.name("."), flags]));
  const listed = calls.output(LISTED);
  const read = calls.add("getdents64", [opened, listed, LISTED]);
  calls.add("close", [opened]);
  await run(calls, path);
  const entries = readDirectoryEntries(calls.read(listed, LISTED), calls.result(read)!);
  calls.clear();
  return entries;
}

/** Moves a directory to the root, by a name of its own, and returns that. */
async function lift(
  calls: CallBatch,
  root: number,
  path: string,
  name: string,
  number: number,
): Promise<string> {
  const lifted = `.${crypto.randomUUID()}`;
  // To be moved elsewhere, a directory has to be its owner's to write: its `..` changes.
  enter(calls, root, `${path}/${name}`, number);
  openAt(calls, root, path, number);
  calls.add("renameat2", [number, calls.name(name), root, calls.name(lifted), RENAME_NOREPLACE]);
  await run(calls, path);
  calls.clear();
  return lifted;
}

async function removeFiles(
  calls: CallBatch,
  root: number,
  path: string,
  entries: readonly DirectoryEntry[],
  number: number,
): Promise<void> {
  if (entries.length === 0) return;
  openAt(calls, root, path, number);
  for (const { name } of entries) {
    // The rest is listed again.
    if (calls.room < MEMORY / 8) break;
    calls.add("unlinkat", [number, calls.name(name), 0]);
  }
  await run(calls, path);
  calls.clear();
}

async function removeDirectory(
  calls: CallBatch,
  root: number,
  path: string,
  number: number,
): Promise<void> {
  const [above, name] = split(path);
  openAt(calls, root, above, number);
  calls.add("unlinkat", [number, calls.name(name), AT_REMOVEDIR]);
  await run(calls, path);
  calls.clear();
}

async function run(calls: CallBatch, path: string): Promise<void> {
  const failure = await calls.run();
  if (failure === undefined) return;
  const { name, errno } = failure;
  throw new SyscallError({ syscall: name, errno, call: `${JSON.stringify(path)}: ${name}(2)` });
}

function split(path: string): readonly [directory: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? [".", path] : [path.slice(0, slash), path.slice(slash + 1)];
}
