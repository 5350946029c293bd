/**
 * The calls that execute a program at the paths at which it may be, and find out why they could not.
 *
 * @module
 */

import { type Call, Output, pointerList, ResultOf, type Slot } from "../ffi/call.ts";
import {
  at_fdcwd,
  F_OK,
  faccessat,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  openat,
  read,
  X_OK,
} from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import { execve, execveat } from "../ffi/calls/processes.ts";
import { Label } from "../ffi/engine/program.ts";
import type { Fixes } from "../ffi/fix.ts";
import { CHILD_EDGES, type ProgramWriter } from "./program_writer.ts";
import { ARGV, ENVIRONMENT, programPath } from "./slots.ts";

/** A path at which the program may be. */
export interface ExecCandidate {
  readonly execve: Call;
  /** The call that executes an image in its place; then `execve` only finds the program. */
  readonly image?: Call;
  /** Checks whether the file exists, after all attempts have failed. */
  readonly exists: Call;
  /** Reads the start of the file, after all attempts have failed, to explain the error. */
  readonly readHead: Call;
  readonly head: Output;
  /** Checks whether the mode of a file that was read, and its mount, let it be executed. */
  readonly executable: Call;
}

/** Tries to execute the program at each path, as execvp(3) does. */
export function tryExec(
  writer: ProgramWriter,
  count: number,
  marked: (call: Call) => Call = (call) => call,
): readonly ExecCandidate[] {
  const paths = Array.from({ length: count }, (_, index) => programPath(index));
  const findOut = new Label("find out why");
  const attempts = paths.map((path, index) => {
    const isLast = index === paths.length - 1;
    const edges = isLast ? { onFailure: findOut } : { accept: NOT_HERE, onFailure: findOut };
    return { path, execve: writer.add(marked(execve(path, ARGV, ENVIRONMENT)), edges) };
  });
  writer.section = "failure";
  writer.place(findOut);
  return attempts.map(({ path, execve }) => ({ execve, ...writeFindingOut(writer, path, marked) }));
}

/** Writes the calls that find out why a file could not be executed. */
function writeFindingOut(
  writer: ProgramWriter,
  path: Slot,
  marked: (call: Call) => Call = (call) => call,
): Omit<ExecCandidate, "execve" | "image"> {
  const next = new Label(`after ${path.text}`);
  const look = (call: Call) => writer.add(marked(call), { onFailure: next });
  const exists = look(faccessat(at_fdcwd, path, F_OK));
  const opened = look(openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC, 0));
  const head = new Output(256, "&head");
  const readHead = writer.add(read(new ResultOf(opened, "fd"), head, 256), { onFailure: next });
  const executable = look(faccessat(at_fdcwd, path, X_OK));
  writer.place(next);
  return { exists, readHead, head, executable };
}

/**
 * Finds the program as {@linkcode tryExec} does, and executes an image in its place. What a filter
 * hides from the launch is left to the image to find out.
 */
export function findThenExec(
  writer: ProgramWriter,
  count: number,
  image: number,
): readonly ExecCandidate[] {
  const paths = Array.from({ length: count }, (_, index) => programPath(index));
  const [found, findOut] = [new Label("the program is found"), new Label("find out why")];
  const attempts = paths.map((path, index) => {
    const isLast = index === paths.length - 1;
    const next = new Label(`after ${path.text}`);
    const here = new Label(`${path.text} may be executed`);
    const look = faccessat(at_fdcwd, path, X_OK);
    const edges = isLast
      ? { accept: ["EPERM", "ENOSYS"], onAccepted: here } as const
      : { accept: NOT_HERE, onAccepted: next };
    writer.add(look, { ...edges, onFailure: findOut });
    writer.place(here);
    const directory = openat(at_fdcwd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    writer.add(directory, { accept: ["ENOTDIR", "EPERM", "ENOSYS"], onAccepted: found });
    // A directory may not be opened for writing, by anybody.
    const refused = openat(at_fdcwd, path, O_RDWR | O_CLOEXEC, 0);
    writer.add(refused, { ...CHILD_EDGES, fixes: { EISDIR: "the program is a directory" } });
    writer.place(next);
    return { path, execve: look };
  });
  writer.place(found);
  const name = pointerList(["ramekin-wait"], '["ramekin-wait"]');
  const none = pointerList([], "[]");
  const started = writer.add(execveat(image, "", name, none, AT_EMPTY_PATH), {
    ...CHILD_EDGES,
    fixes: IMAGE_FIXES,
  });
  writer.section = "failure";
  writer.place(findOut);
  return attempts.map(({ path, execve }) => ({
    execve,
    image: started,
    ...writeFindingOut(writer, path),
  }));
}

/** The errors after which execvp(3) tries the next directory of PATH. */
const NOT_HERE = ["ENOENT", "ENOTDIR", "EACCES"] as const;

/** The fix for an execve(2) of a user that has changed, and has too many processes. */
export const TOO_MANY_PROCESSES =
  "its user has more processes than RLIMIT_NPROC allows (ulimit -u)";

/** The fixes for the call that executes an image. */
export const IMAGE_FIXES: Fixes = {
  EACCES: "memory files may not be executed here (sysctl vm.memfd_noexec)",
  EAGAIN: TOO_MANY_PROCESSES,
};
