/**
 * The pids of a process in the pid namespaces that it is in. See pid_namespaces(7).
 *
 * @module
 */

import { at_fdcwd } from "../calls/files.ts";
import { processDirectory } from "./proc_dir.ts";
import { readWholeText } from "../files/read_file.ts";

/**
 * Returns the pids of a process: the first as this script sees it, the last as it sees itself, and
 * one for each pid namespace in between. A container of this script stands for its first process.
 *
 * @throws {SyscallError} `ENOENT` if there is no such process
 * @throws {UnsupportedError} if /proc is of another pid namespace
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { mapRoot, pidsIn, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "pid"), mapRoot());
 * await using container = box.command("sleep", { args: ["60"] }).spawn();
 * console.log(pidsIn(container)); // [4711, 1]
 * ```
 */
export function pidsIn(process: number | { readonly pid: number }): number[] {
  const pid = typeof process === "number" ? process : process.pid;
  const status = readWholeText(at_fdcwd, `${processDirectory(pid)}/status`);
  return /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.split(/\s+/).map(Number) ?? [pid];
}
