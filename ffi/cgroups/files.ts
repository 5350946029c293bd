/**
 * The files of control groups: small texts that the kernel reports or takes.
 *
 * @module
 */

import { at_fdcwd, faccessat, S_IFDIR, W_OK } from "../calls/files.ts";
import { writeText } from "../calls/write_text.ts";
import type { ErrnoName } from "../errno.ts";
import { entriesIn } from "../files/read_dir.ts";
import { ifThere, NO_SUCH_PATH } from "../missing.ts";
import { HIDDEN_PROCESS } from "../proc/proc_dir.ts";
import { syscalls } from "../syscalls.ts";
import { Label } from "../engine/program.ts";
import { readWholeText } from "../files/read_file.ts";

/**
 * The errnos of a file without a text: it does not exist, it may not be read, or its group was removed
 * while it was open (ENODEV). A group of threads has no list of processes (EOPNOTSUPP).
 */
const UNREADABLE: readonly ErrnoName[] = [...HIDDEN_PROCESS, "ENOTDIR", "ENODEV", "EOPNOTSUPP"];

/** The text of the file; `undefined` if it does not exist, or may not be read. */
export function readFile(path: string): string | undefined {
  return ifThere(() => readWholeText(at_fdcwd, path).trim(), UNREADABLE);
}

/** The number that the file holds. */
export function readNumber(path: string): number | undefined {
  return toNumber(readFile(path));
}

/** The number after a word at the start of a line: `oom_kill 1`. */
export function readEntry(path: string, word: string): number | undefined {
  const line = readFile(path)?.split("\n").find((line) => line.startsWith(`${word} `));
  return toNumber(line?.slice(word.length));
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined || text.trim() === "" ? undefined : Number(text);
}

/**
 * Writes to a file.
 *
 * @throws {SyscallError} if the kernel refuses it
 */
export function writeFile(path: string, text: string): void {
  const [opened, written, closed] = writeText(at_fdcwd, path, text);
  const closing = new Label("closing");
  syscalls([{ call: opened }, { call: written, onFailure: closing }, closing, { call: closed }]);
}

/** The directory that a file or a group is in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** The processes in a group; 0 stands for one outside of this pid namespace. */
export function pidsIn(directory: string): readonly number[] {
  return (readFile(`${directory}/cgroup.procs`) ?? "").split("\n").filter(Boolean).map(Number);
}

/** Whether this process may write to the file, or create files in the directory. */
export function mayWrite(path: string): boolean {
  const asked = faccessat(at_fdcwd, path, W_OK);
  const outcome = syscalls([{ call: asked, accept: ["EACCES", "EPERM", "EROFS", "ENOENT"] }]);
  return outcome.result(asked) === 0n;
}

/** The directories in a directory; none if that is gone, or may not be read (EACCES). */
export function directoriesIn(path: string): readonly string[] {
  const entries = ifThere(() => entriesIn(path), [...NO_SUCH_PATH, "EACCES"]) ?? [];
  return entries.filter(({ type }) => type === S_IFDIR).map(({ name }) => name);
}
