/**
 * The library search of the dynamic loaders of glibc, ld.so(8), and of musl. LD_LIBRARY_PATH and
 * LD_PRELOAD are ignored, because a container has its own environment.
 *
 * @module
 */

import { nameOf, parentOf, withoutDots } from "../../recipe/path.ts";
import type { Elf } from "../../ffi/elf.ts";
import { LOADER_CACHE, readLoaderCache } from "./loader_cache.ts";

/** Reads files of the host; `undefined` stands for one that does not exist. */
export interface HostFiles {
  /** Returns the headers of an ELF file; `undefined` also if the file is not one. */
  elf(path: string): Elf | undefined;
  /** Returns a whole file. */
  bytes(path: string): Uint8Array | undefined;
}

/** A file of the host, and its path in the container. */
export interface PlacedFile {
  readonly source: string;
  readonly target: string;
}

/** A program or a library, and the object that needs it. */
export interface Loaded extends PlacedFile {
  readonly elf: Elf;
  readonly askedBy: Loaded | undefined;
  /** The value of `$ORIGIN`: its directory, on the host and in the container. */
  readonly origin: PlacedFile;
}

/** A path at which a library may be. */
export interface Candidate extends PlacedFile {
  /** The file by which the loader finds this path, if it is not in a default directory. */
  readonly guide?: string;
}

/** The library search of one loader. */
export interface LibrarySearch {
  /** Returns the paths at which it looks for a library that an object needs, in order. */
  candidates(name: string, asker: Loaded): Iterable<Candidate>;
  /** Whether the loader itself is the library of this name. */
  isLoader(name: string): boolean;
}

/** Returns the library search of the loader at this path. */
export function searchOf(interpreter: string, machine: number, host: HostFiles): LibrarySearch {
  const musl = /^ld-musl-(.*)\.so\.1$/.exec(nameOf(interpreter));
  return musl === null ? glibcSearch(machine, host) : muslSearch(musl[1]!, host);
}

/** The names of Debian's multiarch directories, by the machine of the ELF header. */
const MULTIARCH: Readonly<Record<number, string>> = {
  62: "x86_64-linux-gnu",
  183: "aarch64-linux-gnu",
};

function glibcSearch(machine: number, host: HostFiles): LibrarySearch {
  const multiarch = MULTIARCH[machine];
  const directories = [
    ...(multiarch === undefined ? [] : [`/lib/${multiarch}`, `/usr/lib/${multiarch}`]),
    ...["/lib64", "/usr/lib64", "/lib", "/usr/lib"],
  ];
  let cache: ReadonlyMap<string, readonly string[]> | undefined;
  return {
    *candidates(name, asker) {
      if (asker.elf.runpath.length === 0) {
        for (const object of chain(asker)) {
          if (object.elf.runpath.length > 0) continue;
          yield* inDirectories(object.elf.rpath, object, name);
        }
      }
      yield* inDirectories(asker.elf.runpath, asker, name);
      if (asker.elf.noDefaultDirectories) return;
      cache ??= readLoaderCache(host.bytes(LOADER_CACHE) ?? new Uint8Array());
      for (const path of cache.get(name) ?? []) {
        if (directories.includes(parentOf(path))) yield samePath(path);
        else yield { ...samePath(path), guide: LOADER_CACHE };
      }
      yield* directories.map((directory) => samePath(`${directory}/${name}`));
    },
    isLoader: (name) => /^ld-linux.*\.so\.\d+$/.test(name),
  };
}

/** The libraries that musl's loader contains. */
const IN_MUSL = /^lib(c|pthread|rt|m|dl|util|xnet)\./;

function muslSearch(architecture: string, host: HostFiles): LibrarySearch {
  const list = `/etc/ld-musl-${architecture}.path`;
  const written = host.bytes(list);
  const directories = written === undefined
    ? ["/lib", "/usr/local/lib", "/usr/lib"]
    : new TextDecoder().decode(written).split(/[:\n]/).filter(Boolean);
  return {
    *candidates(name, asker) {
      for (const object of chain(asker)) {
        yield* inDirectories([...object.elf.runpath, ...object.elf.rpath], object, name);
      }
      const guide = written === undefined ? {} : { guide: list };
      yield* directories.map((directory) => ({ ...samePath(`${directory}/${name}`), ...guide }));
    },
    isLoader: (name) => IN_MUSL.test(name),
  };
}

/** Yields the object, the one that needs it, and so on up to the program. */
function* chain(object: Loaded): Iterable<Loaded> {
  for (let at: Loaded | undefined = object; at !== undefined; at = at.askedBy) yield at;
}

/** Expands `$ORIGIN` in a path of an object; `undefined` if the result is relative. */
export function placeOf(path: string, { origin }: Loaded): PlacedFile | undefined {
  const expanded = (directory: string) => path.replace(/\$(ORIGIN\b|\{ORIGIN\})/, () => directory);
  const [source, target] = [expanded(origin.source), expanded(origin.target)];
  return source.startsWith("/") ? { source, target: withoutDots(target) } : undefined;
}

function* inDirectories(
  directories: readonly string[],
  object: Loaded,
  name: string,
): Iterable<PlacedFile> {
  for (const directory of directories) {
    const place = placeOf(`${directory}/${name}`, object);
    if (place !== undefined) yield place;
  }
}

function samePath(path: string): PlacedFile {
  return { source: path, target: path };
}

/** Returns the value of `$ORIGIN` for a file. */
export function originOf({ source, target }: PlacedFile): PlacedFile {
  return { source: parentOf(source), target: parentOf(target) };
}
