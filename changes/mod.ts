/**
 * Changes that are held: programs in sandboxes write to directories, and the host has none of it before
 * it is told, looked at and made. It needs `--allow-ffi` alone.
 *
 * @example A program whose changes are looked at first
 * ```ts
 * import { hold } from "@ramekin/ramekin/changes";
 *
 * const directory = await Deno.makeTempDir();
 * await using held = await hold([directory], { place: `${directory}.held` });
 * const box = held.sandbox({ cwd: directory });
 * await box.command("sh", { args: ["-c", "echo leek > soup.txt"] }).output();
 * const [change] = await held.changes();
 * console.log(change?.change, change?.after?.size); // added 5
 * await held.commit();
 * console.log(await Deno.readTextFile(`${directory}/soup.txt`)); // leek
 * await Deno.remove(directory, { recursive: true });
 * await Deno.remove(`${directory}.held`);
 * ```
 *
 * @module
 */

export { type Change, describeChange, type FileKind, type FileState } from "./change.ts";
export { ChangesError, type ChangesErrorCode, type ChangesErrorDetails } from "./errors.ts";
export {
  type CommitOptions,
  type CommitSummary,
  Held,
  type HeldSandboxOptions,
  hold,
  type HoldOptions,
} from "./held.ts";
export { finishCommits, type FinishedCommit, type FinishOptions, placeOfChanges } from "./place.ts";
