/**
 * Resolves paths of the host to paths without symbolic links and `..`, as realpath(3).
 *
 * @module
 */

import { type Call, type Fd, Output, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_PATH,
  openat,
  openat2,
  readlinkat,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_STATX_DONT_SYNC,
  AT_SYMLINK_NOFOLLOW,
} from "../ffi/calls/mounts.ts";
import {
  readStatx,
  statx,
  STATX_GID,
  STATX_IDENTITY,
  STATX_INO,
  STATX_MODE,
  STATX_TYPE,
  STATX_UID,
  statxOutput,
} from "../ffi/calls/statx.ts";
import { engine, type RunResult } from "../ffi/engine/engine.ts";
import {
  assemble,
  END,
  Label,
  type ProgramRecord,
  type SyscallProgram,
} from "../ffi/engine/program.ts";
import { ERRNO } from "../ffi/errno.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { decodeName } from "../ffi/file_name.ts";
import { syscall } from "../ffi/syscalls.ts";
import { isWithin, nameOf, normalize, parentOf } from "../recipe/path.ts";
import { KeptTable, PATH_MAX } from "./kept_table.ts";

/** The type of a file. */
export type FileType = "directory" | "file" | "device" | "socket" | "pipe";

/** A resolved path. */
export interface ResolvedPath {
  /** The path that was resolved. */
  readonly asked: string;
  /**
   * The path without symbolic links, except `/proc/self` and `/proc/thread-self`; the part that
   * does not exist is unchanged. For a file without a path, such as a pipe of /proc/self/fd, this
   * is a text that does not start with `/`.
   */
  readonly path: string;
  /** The type of the file; `undefined` if it does not exist, `"unknown"` if stat(2) is denied. */
  readonly type: FileType | "unknown" | undefined;
  /** The device and inode of the file: the identity of the file until the machine restarts. */
  readonly id: string | undefined;
  /** Its mode and owner, if it exists. */
  readonly attributes?: FileAttributes;
  /** Whether its links are followed when it is opened, as the machine is not known before. */
  readonly late?: boolean;
}

/** The mode and the owner of a file. */
export interface FileAttributes {
  /** The permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What is asked of a file. */
const ATTRIBUTES = STATX_TYPE | STATX_INO | STATX_MODE | STATX_UID | STATX_GID;

/**
 * Asks neither an automounter nor a server, which may not answer: the script's thread would wait for
 * good. The type and the inode of a file that is known do not change.
 */
const UNASKED = AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;

const TYPES: Readonly<Record<number, FileType>> = {
  0o010000: "pipe",
  0o020000: "device",
  0o040000: "directory",
  0o060000: "device",
  0o100000: "file",
  0o140000: "socket",
};

/** The errors of a lookup that finds no file, or is denied. */
const NOTHING = ["ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG", "ENXIO"] as const;

/** The errors of a lookup that finds no file. */
const ABSENT: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ENOTDIR]);

/** Resolves an absolute path as the kernel does, magic links of /proc included. */
export function resolvePath(path: string): ResolvedPath {
  // A lookup that follows no link says nothing of what `..` leads to after one.
  return (path.includes("..") ? undefined : withoutLinks(path)) ?? withLinks(path);
}

/** The tables of all lookups. */
const lookups = perEngine(() => ({
  plain: plainLookup(),
  following: followingLookup(),
  link: linkReading(),
}));

function openWithoutLinks(path: string | Output): Call {
  return openat2(at_fdcwd, path, { flags: O_PATH | O_CLOEXEC, resolve: RESOLVE_NO_SYMLINKS });
}

/** Opens a path without symbolic links, and reads the status of the file. */
function plainLookup(): KeptTable {
  const path = new Output(PATH_MAX, "&path");
  const opened = openWithoutLinks(path);
  const [fd, stat] = [new ResultOf(opened, "fd"), statxOutput()];
  const [closing, end] = [new Label("closing"), new Label("end")];
  return new KeptTable(path, [stat], [
    // ENOSYS: Linux 5.5 and earlier have no openat2(2).
    { call: opened, accept: [...NOTHING, "ENOSYS"], onAccepted: end },
    { call: statx(fd, "", AT_EMPTY_PATH | UNASKED, ATTRIBUTES, stat), onFailure: closing },
    closing,
    { call: close(fd) },
    end,
  ]);
}

/** Opens a path with symbolic links, and reads the status of the file, which stays open. */
function followingLookup(): KeptTable {
  const path = new Output(PATH_MAX, "&path");
  const opened = openat(at_fdcwd, path, O_PATH | O_CLOEXEC);
  const [fd, stat] = [new ResultOf(opened, "fd"), statxOutput()];
  const [failed, end] = [new Label("failed"), new Label("end")];
  const look = statx(fd, "", AT_EMPTY_PATH | UNASKED, ATTRIBUTES, stat);
  return new KeptTable(path, [stat], [
    { call: opened, accept: NOTHING, onAccepted: end },
    { call: look, onZero: end, onFailure: failed },
    failed,
    { call: close(fd) },
    end,
  ]);
}

/** Reads a symbolic link. */
function linkReading(): KeptTable {
  const [path, target] = [new Output(PATH_MAX, "&path"), new Output(PATH_MAX, "&target")];
  const accept = [...NOTHING, "EINVAL"] as const;
  return new KeptTable(path, [target], [{ call: readlinkat(at_fdcwd, path, target), accept }]);
}

/**
 * Resolves a path that has no symbolic links, or none before the part that is missing; `undefined`
 * for any other.
 */
function withoutLinks(path: string): ResolvedPath | undefined {
  const table = lookups().plain;
  const result = table.run(path);
  if (result >= 0) return { asked: path, path: normalize(path), ...readFile(table.outputs[0]!) };
  // Parts are looked up in order, and the first link ends the lookup by ELOOP (openat2(2)).
  return ABSENT.has(-result) ? absent(path) : undefined;
}

function absent(path: string): ResolvedPath {
  return { asked: path, path: normalize(path), type: undefined, id: undefined };
}

function withLinks(path: string): ResolvedPath {
  const table = lookups().following;
  const fd = table.run(path);
  if (fd < 0) return missing(path, ABSENT.has(-fd) ? undefined : "unknown");
  try {
    const found = linkTarget(`/proc/self/fd/${fd}`)!;
    return { asked: path, path: byOwnLink(path, found), ...readFile(table.outputs[0]!) };
  } finally {
    syscall(close(fd));
  }
}

/** The links of procfs that lead to the process that follows them (proc(5)). */
export const OWN_LINKS: ReadonlySet<string> = new Set(["/proc/thread-self", "/proc/self"]);

/** Restores such a link at the start of a path, because the container is another process. */
function byOwnLink(asked: string, found: string): string {
  if (!found.startsWith("/proc/")) return found;
  for (const link of OWN_LINKS) {
    const directory = `/proc/${linkTarget(link)}`;
    if (isWithin(found, directory) && !isWithin(asked, directory)) {
      return link + found.slice(directory.length);
    }
  }
  return found;
}

/** Returns the `RESOLVE_*` flag with which a resolved path is opened: it has no other links. */
export function resolveFlag({ path, late }: Pick<ResolvedPath, "path" | "late">): number {
  return late === true || OWN_LINKS.values().some((link) => isWithin(path, link))
    ? RESOLVE_NO_MAGICLINKS
    : RESOLVE_NO_SYMLINKS;
}

/** Returns the target of a symbolic link; `undefined` if the file is not one. */
export function linkTarget(path: string): string | undefined {
  const table = lookups().link;
  const length = table.run(path);
  if (length < 0) return undefined;
  const { buffer, byteOffset } = table.outputs[0]!;
  return decodeName(new Uint8Array(buffer, byteOffset, length));
}

function readFile(stat: DataView): FoundFile {
  const { mode, uid, gid, dev, ino } = readStatx(stat);
  const attributes = { mode: mode & 0o7777, uid, gid };
  return { type: TYPES[mode & 0o170000], id: `${dev}:${ino}`, attributes };
}

/** What is known of a file that exists. */
type FoundFile = Pick<ResolvedPath, "type" | "id"> & Required<Pick<ResolvedPath, "attributes">>;

/** Resolves the part of a path that exists, and appends the rest; a link may be dangling. */
function missing(path: string, type: "unknown" | undefined): ResolvedPath {
  const normal = normalize(path);
  const nothing = { asked: path, type, id: undefined };
  // `..` after a missing directory cannot be resolved either.
  if (normal === "/" || nameOf(normal) === "..") return { ...nothing, path: normal };
  const { above, rest } = existingPart(normal);
  const directory = resolvePath(above).path;
  const within = (path: string) => directory === "/" ? `/${path}` : `${directory}/${path}`;
  const [name, ...deeper] = rest.split("/");
  const target = type === undefined ? linkTarget(within(name!)) : undefined;
  if (target === undefined || deeper.includes("..")) return { ...nothing, path: within(rest) };
  const next = target.startsWith("/") ? target : within(target);
  return { ...resolvePath([next, ...deeper].join("/")), asked: path };
}

/**
 * Returns the directory of a path after which nothing can be looked up, and the path from there. It
 * is found by halves, as the path may have 2,000 parts and come from anybody.
 */
function existingPart(path: string): { readonly above: string; readonly rest: string } {
  const parts = path.slice(1).split("/");
  let [known, unknown] = [0, parts.length];
  while (unknown - known > 1) {
    const middle = (known + unknown) >> 1;
    if (canBeFound(`/${parts.slice(0, middle).join("/")}`)) known = middle;
    else unknown = middle;
  }
  return {
    above: `/${parts.slice(0, known).join("/")}`,
    rest: parts.slice(known).join("/"),
  };
}

function canBeFound(path: string): boolean {
  const fd = lookups().following.run(path);
  if (fd < 0) return false;
  syscall(close(fd));
  return true;
}

/** A file as it was found, and what is told of it now. */
interface FoundPath {
  readonly known: ResolvedPath;
  readonly output: Output;
}

/**
 * Checks whether paths still lead where they did: the path that was asked for and the resolved one
 * to the same file, of the same type, mode and owner, as the number of a file is given to another
 * one once that is deleted; and whether the resolved one has no links still.
 */
export class ResolvedPathsCheck {
  readonly #found: FoundPath[] = [];
  /** What statx(2) has told of them when it was compared with what is known. */
  #words: Uint32Array | undefined;
  /** The numbers of the calls that open directories. */
  readonly #directories: readonly number[];
  readonly #absent: Call[] = [];
  readonly #others: ResolvedPath[] = [];
  readonly #program: SyscallProgram;

  constructor(paths: readonly ResolvedPath[]) {
    const parts: (ProgramRecord | Label)[] = [];
    /** The files without links on the way, by the directories that they are in. */
    const plain = new Map<string, ResolvedPath[]>();
    for (const known of paths) {
      if (known.id === undefined) {
        if (isPlainlyAbsent(known)) {
          this.#absent.push(openWithoutLinks(known.asked));
        } else this.#others.push(known);
        continue;
      }
      const isPlain = resolveFlag(known) === RESOLVE_NO_SYMLINKS;
      if (isPlain) {
        const directory = parentOf(known.path);
        const files = plain.get(directory);
        if (files === undefined) plain.set(directory, [known]);
        else files.push(known);
      }
      for (const path of new Set([known.asked, known.path])) {
        if (isPlain && path === known.path) continue;
        parts.push(this.#look(known, at_fdcwd, path, 0));
      }
    }
    for (const [directory, files] of plain) parts.push(...this.#lookIn(directory, files));
    for (const call of this.#absent) {
      // The walk ends with the first that is there, so that only that is open.
      parts.push({ call, accept: ["ENOENT", "ENOTDIR"], onZero: END, onSuccess: END });
    }
    this.#program = assemble(parts, engine().architecture);
    const { calls } = this.#program;
    this.#directories = [...calls.keys()].slice(0, calls.length - this.#absent.length)
      .filter((index) => calls[index]!.name === "openat2");
  }

  #look(known: ResolvedPath, directory: Fd, path: string, flags: number): ProgramRecord {
    const output = statxOutput();
    this.#found.push({ known, output });
    return { call: statx(directory, path, UNASKED | flags, ATTRIBUTES, output), accept: NOTHING };
  }

  /** Looks at files in a directory, to which no link leads any more than to them. */
  #lookIn(directory: string, files: readonly ResolvedPath[]): (ProgramRecord | Label)[] {
    const opened = openWithoutLinks(directory);
    const fd = new ResultOf(opened, `<${directory}>`);
    const [failed, next] = [new Label("a file cannot be looked at"), new Label("no more files")];
    return [
      { call: opened, accept: NOTHING, onAccepted: END },
      ...files.map((known) => ({
        ...this.#look(known, fd, nameOf(known.path) || ".", AT_SYMLINK_NOFOLLOW),
        onFailure: failed,
      })),
      { call: close(fd), onZero: next },
      failed,
      { call: close(fd), onZero: END },
      next,
    ];
  }

  /** Whether these are the files. Later times compare what the kernel writes, which makes no objects. */
  #areSame(result: RunResult): boolean {
    const count = STATX_IDENTITY.length;
    const seen = this.#words;
    const words = seen ?? new Uint32Array(this.#found.length * count);
    for (let index = 0; index < this.#found.length; index++) {
      const { known, output } = this.#found[index]!;
      if (seen === undefined && !isSame(readFile(result.output(output)), known)) return false;
      for (let field = 0; field < count; field++) {
        const at = index * count + field, word = result.word(output, STATX_IDENTITY[field]!);
        if (seen === undefined) words[at] = word;
        else if (words[at] !== word) return false;
      }
    }
    this.#words = words;
    return true;
  }

  /** Asks the kernel. */
  holds(): boolean {
    if (this.#program.calls.length > 0) {
      const result = engine().runInArena(this.#program);
      if (result.failed !== undefined) return false;
      if (this.#directories.some((index) => result.resultAt(index) < 0n)) return false;
      const { length } = this.#program.calls;
      for (let index = length - this.#absent.length; index < length; index++) {
        const fd = result.resultAt(index);
        if (fd < 0n) continue;
        syscall(close(Number(fd)));
        return false;
      }
      if (!this.#areSame(result)) return false;
    }
    return this.#others.every((known) => {
      const now = resolvePath(known.asked);
      return now.path === known.path && isSame(now, known);
    });
  }
}

/** Whether nothing is there, and no link leads to nothing. */
function isPlainlyAbsent({ asked, path, type }: ResolvedPath): boolean {
  return type === undefined && path === normalize(asked) && !asked.includes("..");
}

/** Whether it is the same file, with the same mode and owner. */
function isSame(now: Omit<ResolvedPath, "asked" | "path">, known: ResolvedPath): boolean {
  return now.type === known.type && now.id === known.id &&
    now.attributes?.mode === known.attributes?.mode &&
    now.attributes?.uid === known.attributes?.uid &&
    now.attributes?.gid === known.attributes?.gid;
}
