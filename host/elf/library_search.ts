/**
 * Where the dynamic loader finds the libraries that a program names: ld.so(8) of glibc, and the one
 * of musl. LD_LIBRARY_PATH and LD_PRELOAD are not asked, as a container has its own environment.
 *
 * @module
 */

import { nameOf, parentOf } from "../../recipe/path.ts";
import type { Elf } from "../../ffi/elf.ts";
import { LOADER_CACHE, readLoaderCache } from "./loader_cache.ts";

/** How files of the host are read; `undefined` stands for one that is not there. */
export interface HostFiles {
  /** What an ELF file needs; `undefined` also where it is none. */
  elf(path: string): Elf | undefined;
  /** A whole file. */
  bytes(path: string): Uint8Array | undefined;
}

/** A file of the host, and the path at which it is asked for where programs are put. */
export interface PlacedFile {
  readonly source: string;
  readonly target: string;
}

/** A program or a library, and who has asked for it. */
export interface Loaded extends PlacedFile {
  readonly elf: Elf;
  readonly askedBy: Loaded | undefined;
  /** What `$ORIGIN` stands for: the directory it lies in, here and where it is put. */
  readonly origin: PlacedFile;
}

/** A place where a library may be. */
export interface Candidate extends PlacedFile {
  /** The file without which the loader would not look there. */
  readonly guide?: string;
}

/** How one kind of loader finds libraries. */
export interface LibrarySearch {
  /** The places where it looks, in its order, for a library that an object names. */
  candidates(name: string, asker: Loaded): Iterable<Candidate>;
  /** The names that it stands for itself. */
  isLoader(name: string): boolean;
}

/** How the loader of a program finds libraries. */
export function searchOf(interpreter: string, machine: number, host: HostFiles): LibrarySearch {
  const musl = /^ld-musl-(.*)\.so\.1$/.exec(nameOf(interpreter));
  return musl === null ? glibcSearch(machine, host) : muslSearch(musl[1]!, host);
}

/** The directories with a machine's name in them, as Debian has them. */
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
        if (directories.includes(parentOf(path))) yield inPlace(path);
        else yield { ...inPlace(path), guide: LOADER_CACHE };
      }
      yield* directories.map((directory) => inPlace(`${directory}/${name}`));
    },
    isLoader: (name) => /^ld-linux.*\.so\.\d+$/.test(name),
  };
}

/** The parts of the C library that musl has in its loader. */
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
      yield* directories.map((directory) => ({ ...inPlace(`${directory}/${name}`), ...guide }));
    },
    isLoader: (name) => IN_MUSL.test(name),
  };
}

/** The object, who has asked for it, and so on up to the program. */
function* chain(object: Loaded): Iterable<Loaded> {
  for (let at: Loaded | undefined = object; at !== undefined; at = at.askedBy) yield at;
}

/** Where a path leads that an object names; `undefined` where that depends on the working directory. */
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

function inPlace(path: string): PlacedFile {
  return { source: path, target: path };
}

/** What `$ORIGIN` stands for in a file. */
export function originOf({ source, target }: PlacedFile): PlacedFile {
  return { source: parentOf(source), target: parentOf(target) };
}

/** The path with `.` and `..` taken out, as no link of the host's is on the way to it. */
function withoutDots(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
