/**
 * The boxes that run: static executables with a note of their own, each the parent of the first
 * process of its container.
 *
 * @module
 */

import { Output, ResultOf } from "../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_RDONLY, openat, read } from "../ffi/calls/files.ts";
import { noteIn } from "../ffi/elf_note.ts";
import { Label } from "../ffi/engine/program.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { ifThere } from "../ffi/missing.ts";
import { HIDDEN_PROCESS } from "../ffi/proc/proc_dir.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { nameOf } from "../recipe/path.ts";

/** A container of a box. */
export interface BoxContainer {
  /** The pid of its first process. */
  readonly pid: number;
  /** The pid of the box. */
  readonly box: number;
  /** The name of the program that the box was built with, or was given. */
  readonly name: string | undefined;
}

/** Where the memory of a box begins; that of most programs begins elsewhere. */
const BEGIN = /^0*400000-/;
/** The size of the part of a file that is looked at. */
const PART = 256 * 1024;

/** Whether a process may be a box, by its /proc/PID/maps. */
export function mayBeBox(maps: string): boolean {
  return BEGIN.test(maps);
}

/**
 * Returns the containers of boxes.
 *
 * @param candidates the processes that may be boxes
 * @param parents the parents of processes
 */
export function boxContainers(
  candidates: readonly number[],
  parents: ReadonlyMap<number, number | undefined>,
): BoxContainer[] {
  const boxes = candidates.flatMap((pid) => {
    const program = ifThere(() => programOfBox(pid), HIDDEN_PROCESS);
    return program === undefined ? [] : [{ pid, program }];
  });
  // The processes that copy its streams are boxes too.
  const known = new Set(boxes.map(({ pid }) => pid));
  return boxes.flatMap(({ pid: box, program }) =>
    [...parents].flatMap(([pid, parent]) =>
      parent !== box || known.has(pid) ? [] : [{ pid, box, name: nameIn(box, program) }]
    )
  );
}

function nameIn(box: number, program: readonly string[]): string | undefined {
  const given = () => readWholeText(at_fdcwd, `/proc/${box}/cmdline`).split("\0")[1];
  const word = program[0] ?? ifThere(given, HIDDEN_PROCESS);
  return word === undefined || word === "" ? undefined : nameOf(word);
}

/** Returns the program in the note of a process's executable; `undefined` if that is no box. */
function programOfBox(pid: number): readonly string[] | undefined {
  const note = noteIn(beginningOf(`/proc/${pid}/exe`));
  if (note === undefined) return undefined;
  try {
    const { program } = JSON.parse(note);
    return Array.isArray(program) ? program.filter((word) => typeof word === "string") : [];
  } catch {
    return undefined;
  }
}

function beginningOf(path: string): Uint8Array {
  const opened = openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC, 0);
  const fd = new ResultOf(opened, "fd");
  const part = new Output(PART, "&part");
  const got = read(fd, part, PART);
  const closing = new Label("closing");
  const outcome = syscalls([
    { call: opened },
    { call: got, onFailure: closing },
    closing,
    { call: close(fd) },
  ]);
  const view = outcome.output(part);
  return new Uint8Array(view.buffer, view.byteOffset, Number(outcome.result(got)));
}
