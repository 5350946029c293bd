/**
 * Removes what a directory holds, whoever in a user namespace owns it.
 *
 * @module
 */

import { AT_REMOVEDIR } from "../../ffi/calls/constants/at.ts";
import { S_IFDIR } from "../../ffi/calls/constants/files.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH, O_RDONLY } from "../../ffi/calls/constants/open.ts";
import { type DirectoryEntry, readDirectoryEntries } from "../../ffi/calls/getdents.ts";
import { BatchResult, CallBatch } from "../../ffi/call_batch.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { open } from "../../ffi/linux/files.ts";
import { openBeneath } from "./beneath.ts";
import type { Owners } from "./owners.ts";

const [MEMORY, LISTED] = [1 << 18, 1 << 15];

/**
 * Removes all that the directory holds, and leaves it empty.
 *
 * @param owners whose the files are: those of a user namespace can be removed in it only
 * @throws {SyscallError} if something cannot be removed
 */
export async function emptyDirectory(directory: string, owners: Owners): Promise<void> {
  using root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  await removeAll(root.number, owners.kind === "mapped" ? owners.namespace : undefined);
}

/** As {@linkcode emptyDirectory}, by descriptors. */
export async function removeAll(root: number, namespace: number | undefined): Promise<void> {
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
      if (type === S_IFDIR) way.push(path === "." ? name : `${path}/${name}`);
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
