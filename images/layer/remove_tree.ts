/**
 * Removes what a directory holds, whoever in a user namespace owns it.
 *
 * @module
 */

import { O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../ffi/calls/constants/open.ts";
import { removeAll } from "../../ffi/files/remove_tree.ts";
import { open } from "../../ffi/linux/files.ts";
import type { Owners } from "./owners.ts";

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
