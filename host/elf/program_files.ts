/**
 * The files that programs need to run: themselves, their interpreters, and their libraries.
 *
 * @module
 */

import { parentOf } from "../../recipe/path.ts";
import type { Elf } from "../../ffi/elf.ts";
import {
  type Candidate,
  type HostFiles,
  type LibrarySearch,
  type Loaded,
  originOf,
  type PlacedFile,
  placeOf,
  searchOf,
} from "./library_search.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";

/** Reads files of the host, scripts included. */
export interface ProgramHost extends HostFiles {
  /** Returns the first bytes of a file; `undefined` if there is none. */
  head(path: string): Uint8Array | undefined;
  /** Returns the path without symbolic links. */
  realPath(path: string): string;
}

/** A script's interpreter may be a script, up to four times (execve(2)). */
const SCRIPTS_DEEP = 5;

/**
 * Returns all files that these programs need, each with its path in the container.
 *
 * @param refuse throws an error with this message
 */
export function filesOfPrograms(
  programs: readonly string[],
  host: ProgramHost,
  refuse: (issue: string) => never,
): readonly PlacedFile[] {
  const files = new Map<string, string>();
  for (const program of programs) {
    for (const { source, target } of filesOf(program, host, refuse)) files.set(target, source);
  }
  return [...files].map(([target, source]) => ({ source, target }));
}

function* filesOf(
  program: string,
  host: ProgramHost,
  refuse: (issue: string) => never,
): Iterable<PlacedFile> {
  let path = program;
  for (let depth = 0; depth < SCRIPTS_DEEP; depth++) {
    const head = host.head(path) ??
      refuse(
        `${path === program ? path : `the interpreter ${path} of ${program}`} does not exist, ` +
          `or is not a regular file${unexpanded(path)}`,
      );
    yield { source: path, target: path };
    const script = /^#![ \t]*([^ \t\n\0]+)/.exec(new TextDecoder().decode(head));
    if (script === null) {
      const elf = host.elf(path) ??
        refuse(`${path} is neither a program (ELF, 64 bits) nor a script that begins with "#!"`);
      return yield* filesOfElf(path, elf, host, refuse);
    }
    path = script[1]!;
    if (!path.startsWith("/")) {
      refuse(`${program} is a script, and its interpreter, "${path}", has no absolute path`);
    }
  }
  refuse(`${program} is a script, and too many of its interpreters are scripts themselves`);
}

/** Yields the loader and the libraries of a program, in the order in which they are loaded. */
function* filesOfElf(
  path: string,
  elf: Elf,
  host: ProgramHost,
  refuse: (issue: string) => never,
): Iterable<PlacedFile> {
  if (elf.interpreter === undefined) return;
  if (host.head(elf.interpreter) === undefined) {
    refuse(`the loader ${elf.interpreter}, which ${path} needs, does not exist`);
  }
  yield { source: elf.interpreter, target: elf.interpreter };
  const search = searchOf(elf.interpreter, elf.machine, host);
  const program = { source: path, target: path, elf, askedBy: undefined };
  const origin = { source: parentOf(host.realPath(path)), target: parentOf(path) };
  const queue: Loaded[] = [{ ...program, origin }];
  const loaded = new Set<string>();
  for (const object of queue) {
    for (const name of object.elf.needed) {
      if (loaded.has(name) || search.isLoader(name)) continue;
      const library = libraryOf(name, object, search, host) ??
        refuse(`the library ${name}, which ${object.source} needs, does not exist`);
      loaded.add(name);
      if (library.elf.soname !== undefined) loaded.add(library.elf.soname);
      queue.push(library);
      yield library;
      const { guide } = library;
      if (guide !== undefined) yield { source: guide, target: guide };
    }
  }
}

/** Returns the library that an object needs; `undefined` if there is none. */
function libraryOf(
  name: string,
  asker: Loaded,
  search: LibrarySearch,
  host: HostFiles,
): Loaded & Candidate | undefined {
  const places: Iterable<Candidate | undefined> = name.includes("/")
    ? [placeOf(name, asker)]
    : search.candidates(name, asker);
  for (const place of places) {
    const elf = place && host.elf(place.source);
    // The loader skips libraries for other machines too.
    if (place === undefined || elf?.machine !== asker.elf.machine) continue;
    return { ...place, elf, askedBy: asker, origin: originOf(place) };
  }
  return undefined;
}
