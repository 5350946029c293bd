/**
 * Removes what a directory holds, whatever the modes of the directories in it are.
 *
 * @module
 */

import { AT_REMOVEDIR } from "../calls/constants/at.ts";
import { RENAME_NOREPLACE, S_IFDIR } from "../calls/constants/files.ts";
import { O_PATH, O_RDONLY } from "../calls/constants/open.ts";
import { type DirectoryEntry, readDirectoryEntries } from "../calls/getdents.ts";
import { BatchResult, CallBatch } from "../call_batch.ts";
import { engine } from "../engine/engine.ts";
import { SyscallError } from "../errors.ts";
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
  const way: string[] = ["."];
  while (way.length > 0) {
    const path = way.at(-1)!;
    const entries = await list(calls, root, path);
    if (entries.length === 0) {
      way.pop();
      if (path !== ".") await removeDirectory(calls, root, path);
      continue;
    }
    await removeFiles(calls, root, path, entries.filter(({ type }) => type !== S_IFDIR));
    for (const { name, type } of entries) {
      if (type !== S_IFDIR) continue;
      const inside = path === "." ? name : `${path}/${name}`;
      way.push(inside.length > LONGEST ? await lift(calls, root, path, name) : inside);
    }
  }
}

/** The first entries of a directory, which its owner may be kept out of. */
async function list(calls: CallBatch, root: number, path: string): Promise<DirectoryEntry[]> {
  const [above, name] = split(path);
  const parent = new BatchResult(openBeneath(calls, root, above, O_PATH));
  calls.add("fchmodat", [parent, calls.name(name), 0o700]);
  calls.add("close", [parent]);
  const opened = new BatchResult(openBeneath(calls, root, path, O_RDONLY));
  const listed = calls.output(LISTED);
  const read = calls.add("getdents64", [opened, listed, LISTED]);
  calls.add("close", [opened]);
  await run(calls, path);
  const entries = readDirectoryEntries(calls.read(listed, LISTED), calls.result(read)!);
  calls.clear();
  return entries;
}

/** Moves a directory to the root, by a name of its own, and returns that. */
async function lift(calls: CallBatch, root: number, path: string, name: string): Promise<string> {
  const lifted = `.${crypto.randomUUID()}`;
  const parent = new BatchResult(openBeneath(calls, root, path, O_PATH));
  // To be moved elsewhere, a directory has to be its owner's to write: its `..` changes.
  calls.add("fchmodat", [parent, calls.name(name), 0o700]);
  calls.add("renameat2", [parent, calls.name(name), root, calls.name(lifted), RENAME_NOREPLACE]);
  calls.add("close", [parent]);
  await run(calls, path);
  calls.clear();
  return lifted;
}

async function removeFiles(
  calls: CallBatch,
  root: number,
  path: string,
  entries: readonly DirectoryEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const directory = new BatchResult(openBeneath(calls, root, path, O_PATH));
  for (const { name } of entries) {
    // The rest is listed again.
    if (calls.room < MEMORY / 8) break;
    calls.add("unlinkat", [directory, calls.name(name), 0]);
  }
  calls.add("close", [directory]);
  await run(calls, path);
  calls.clear();
}

async function removeDirectory(calls: CallBatch, root: number, path: string): Promise<void> {
  const [above, name] = split(path);
  const parent = new BatchResult(openBeneath(calls, root, above, O_PATH));
  calls.add("unlinkat", [parent, calls.name(name), AT_REMOVEDIR]);
  calls.add("close", [parent]);
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
