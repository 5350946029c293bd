/**
 * Changes that are held: programs in sandboxes write to directories, and the host has none of it before
 * it is told, looked at and made. It needs `--allow-ffi` alone.
 *
 * @example A program whose changes are looked at first
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { describeChange, hold } from "@ramekin/ramekin/changes";
 *
 * const directory = `/tmp/menu-${Deno.pid}`;
 * linux.mkdir(directory);
 * const held = await hold([directory], { place: `${directory}.held` });
 * const box = held.sandbox({ cwd: directory });
 * await box.command("sh", { args: ["-c", "echo leek > soup.txt"] }).output();
 * console.log((await held.changes()).map(describeChange)); // ["+ /tmp/menu-4711/soup.txt (5 bytes)"]
 * await held.discard(); // or commit()
 * for (const path of [directory, `${directory}.held`]) {
 *   linux.unlinkat(linux.AT_FDCWD, path, linux.AT_REMOVEDIR);
 * }
 * ```
 *
 * @module
 */

export { type Change, describeChange, type FileKind, type FileState } from "./change.ts";
export { ChangesError, type ChangesErrorCode, type ChangesErrorDetails } from "./errors.ts";
export type { CommitOptions } from "./chosen.ts";
export {
  type CommitSummary,
  Held,
  type HeldSandboxOptions,
  hold,
  type HoldOptions,
} from "./held.ts";
export { finishCommits, type FinishedCommit, type FinishOptions, placeOfChanges } from "./place.ts";
