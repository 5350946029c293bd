/**
 * Where a path of the host leads, with no symbolic link and no `..` left in it.
 *
 * @module
 */

import { Output, ResultOf } from "../ffi/call.ts";
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
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import { readStatx, statx, STATX_INO, STATX_TYPE, statxOutput } from "../ffi/calls/statx.ts";
import { engine, place, type RunResult } from "../ffi/engine/engine.ts";
import {
  assemble,
  Label,
  type ProgramRecord,
  resultOffset,
  type SyscallProgram,
} from "../ffi/engine/program.ts";
import type { Memory } from "../ffi/engine/memory.ts";
import { ERRNO } from "../ffi/errno.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { SyscallError } from "../ffi/errors.ts";
import { syscall } from "../ffi/syscalls.ts";
import { isWithin, nameOf, normalize, parentOf } from "../recipe/path.ts";

/** What a file is. */
export type FileType = "directory" | "file" | "device" | "socket" | "pipe";

/** What a path leads to. */
export interface ResolvedPath {
  /** The path that was asked for. */
  readonly asked: string;
  /**
   * The path without links, but for `/proc/self` and `/proc/thread-self`; what is missing of it stands as it was written. What has no path any
   * more, such as a pipe by /proc/self/fd, gives a text that does not begin with `/`.
   */
  readonly path: string;
  /** What is there: `undefined` for nothing, `"unknown"` for what cannot be looked at. */
  readonly type: FileType | "unknown" | undefined;
  /** Which file it is, on this machine and until it restarts: device and inode. */
  readonly id: string | undefined;
}

const PATH_MAX = 4096;

const TYPES: Readonly<Record<number, FileType>> = {
  0o010000: "pipe",
  0o020000: "device",
  0o040000: "directory",
  0o060000: "device",
  0o100000: "file",
  0o140000: "socket",
};

/** The errors of a path that leads to nothing, or that may not be followed. */
const NOTHING = ["ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG", "ENXIO"] as const;

/** Those of them that say that there is nothing. */
const ABSENT: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ENOTDIR]);

/** Follows a path that begins with `/` as the kernel does, links of /proc included. */
export function resolvePath(path: string): ResolvedPath {
  return withoutLinks(path) ?? withLinks(path);
}

/** A table of calls in memory of its own, to be run again and again. */
interface KeptTable {
  readonly memory: Memory;
  /** Where a path is written. */
  readonly path: Uint8Array;
  /** Where a result is read. */
  readonly output: DataView;
}

function keepTable(
  path: Output,
  output: Output,
  parts: readonly (ProgramRecord | Label)[],
): KeptTable {
  const loaded = engine();
  const program = assemble(parts, loaded.architecture);
  const memory = loaded.allocate(program.bytes.length);
  place(program, memory);
  const { bytes } = memory;
  const at = program.outputs.get(path)!;
  const told = bytes.byteOffset + program.outputs.get(output)!;
  return {
    memory,
    path: bytes.subarray(at, at + path.size),
    output: new DataView(bytes.buffer, told, output.size),
  };
}

/** Runs a table with a path; the first call's result, where that is accepted or has succeeded. */
function runTable({ memory, path }: KeptTable, text: string): bigint {
  const { read, written } = new TextEncoder().encodeInto(text, path.subarray(0, -1));
  if (read < text.length) return -BigInt(ERRNO.ENAMETOOLONG);
  path[written] = 0;
  const errno = engine().runIn(memory);
  const call = `openat2(AT_FDCWD, ${JSON.stringify(text)}, ...)`;
  if (errno !== 0) throw new SyscallError({ syscall: "openat2", errno, call });
  return memory.view.getBigInt64(resultOffset(0), true);
}

/** The tables of all lookups, made together. */
const lookups = perEngine(() => ({
  plain: plainLookup(),
  following: followingLookup(),
  link: linkReading(),
}));

/** Opens a path that has no link on the way, and looks at what is there. */
function plainLookup(): KeptTable {
  const path = new Output(PATH_MAX, "&path");
  const how = { flags: O_PATH | O_CLOEXEC, resolve: RESOLVE_NO_SYMLINKS };
  const opened = openat2(at_fdcwd, path, how);
  const [fd, told, end] = [new ResultOf(opened, "fd"), statxOutput(), new Label("end")];
  return keepTable(path, told, [
    // Linux 5.5 and earlier have no such call.
    { call: opened, accept: [...NOTHING, "ENOSYS"], onAccepted: end },
    { call: statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, told) },
    { call: close(fd) },
    end,
  ]);
}

/** Opens a path and follows its links, and looks at what is there. It stays open. */
function followingLookup(): KeptTable {
  const path = new Output(PATH_MAX, "&path");
  const opened = openat(at_fdcwd, path, O_PATH | O_CLOEXEC);
  const [fd, told, end] = [new ResultOf(opened, "fd"), statxOutput(), new Label("end")];
  return keepTable(path, told, [
    { call: opened, accept: NOTHING, onAccepted: end },
    { call: statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, told) },
    end,
  ]);
}

/** Reads a symbolic link. */
function linkReading(): KeptTable {
  const [path, target] = [new Output(PATH_MAX, "&path"), new Output(PATH_MAX, "&target")];
  const accept = [...NOTHING, "EINVAL"] as const;
  return keepTable(path, target, [{ call: readlinkat(at_fdcwd, path, target), accept }]);
}

/** The path itself, where there is no link on the way. */
function withoutLinks(path: string): ResolvedPath | undefined {
  if (path.includes("..")) return undefined;
  const table = lookups().plain;
  if (runTable(table, path) < 0n) return undefined;
  return { asked: path, path: normalize(path), ...readFile(table.output) };
}

function withLinks(path: string): ResolvedPath {
  const table = lookups().following;
  const fd = Number(runTable(table, path));
  if (fd < 0) return missing(path, ABSENT.has(-fd) ? undefined : "unknown");
  try {
    const found = linkTarget(`/proc/self/fd/${fd}`)!;
    return { asked: path, path: byOwnLink(path, found), ...readFile(table.output) };
  } finally {
    syscall(close(fd));
  }
}

/** The links of procfs that mean whoever follows them (proc(5)). */
const OWN_LINKS = ["/proc/thread-self", "/proc/self"] as const;

/** A path that leads by such a link stays one: the container follows it as another process. */
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

/** The `RESOLVE_*` flag to open a resolved path with: it has no link in it but such a one. */
export function resolveFlag({ path }: Pick<ResolvedPath, "path">): number {
  return OWN_LINKS.some((link) => isWithin(path, link))
    ? RESOLVE_NO_MAGICLINKS
    : RESOLVE_NO_SYMLINKS;
}

/** What a symbolic link says; `undefined` where there is none. */
function linkTarget(path: string): string | undefined {
  const table = lookups().link;
  const length = Number(runTable(table, path));
  if (length < 0) return undefined;
  const { buffer, byteOffset } = table.output;
  return new TextDecoder().decode(new Uint8Array(buffer, byteOffset, length));
}

function readFile(told: DataView): { readonly type: FileType | undefined; readonly id: string } {
  const { mode, dev, ino } = readStatx(told);
  return { type: TYPES[mode & 0o170000], id: `${dev}:${ino}` };
}

/** The part of the path that is there, with the rest behind it; a link may lead to nothing. */
function missing(path: string, type: "unknown" | undefined): ResolvedPath {
  const normal = normalize(path);
  const name = nameOf(normal);
  const nothing = { asked: path, type, id: undefined };
  // Behind what is missing, `..` leads nowhere either.
  if (normal === "/" || name === "..") return { ...nothing, path: normal };
  const directory = resolvePath(parentOf(normal)).path;
  const own = directory === "/" ? `/${name}` : `${directory}/${name}`;
  const target = type === undefined ? linkTarget(own) : undefined;
  if (target === undefined) return { ...nothing, path: own };
  const next = target.startsWith("/") ? target : `${directory}/${target}`;
  return { ...resolvePath(next), asked: path };
}

/** Looks whether paths still lead where they did. It is made once and asks as often as wanted. */
export class ResolvedPathsCheck {
  readonly #paths: readonly ResolvedPath[];
  readonly #outputs: readonly Output[];
  readonly #program: SyscallProgram | undefined;

  /** A check of these. */
  constructor(paths: readonly ResolvedPath[]) {
    this.#paths = paths;
    this.#outputs = paths.map(() => new Output(STATX_SIZE, "&statx"));
    const parts = paths.map(({ asked }, index) => ({
      call: statx(at_fdcwd, asked, 0, STATX_TYPE | STATX_INO, this.#outputs[index]!),
      accept: NOTHING,
    }));
    this.#program = parts.length === 0 ? undefined : assemble(parts, engine().architecture);
  }

  /** Whether all of them do. */
  holds(): boolean {
    if (this.#program === undefined) return true;
    const result = engine().runInArena(this.#program);
    return result.failed === undefined &&
      this.#paths.every((path, index) => this.#isSame(path, index, result));
  }

  #isSame({ id }: ResolvedPath, index: number, result: RunResult): boolean {
    const told = result.output(this.#outputs[index]!);
    const { mask } = readStatx(told);
    return mask === 0 ? id === undefined : id === readFile(told).id;
  }
}

const STATX_SIZE = 256;
