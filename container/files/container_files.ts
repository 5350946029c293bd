/**
 * The files of a running container, with the functions of Deno's own.
 *
 * @module
 */

import { Output, ResultOf } from "../../ffi/call.ts";
import {
  AT_REMOVEDIR,
  fchmod,
  ftruncate,
  mkdirat,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  readlinkat,
  renameat2,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  symlinkat,
  unlinkat,
} from "../../ffi/calls/files.ts";
import { decodeName } from "../../ffi/file_name.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { shown } from "../../recipe/shown.ts";
import { optionError, pathOf } from "../command_paths.ts";
import { readAll, writeAll } from "./contents.ts";
import { type Copied, Copy, type CopyBounds } from "./copy_tree.ts";
import { fileError } from "./file_error.ts";
import { fileInfo } from "./file_info.ts";
import { HERE, opening, parentOf, type Place, type Spot, Status } from "./place.ts";
import { entriesOf, openWithStatus, removeTree, typed } from "./tree.ts";

/** Options of {@linkcode ContainerFiles.readFile}. */
export interface ReadFileOptions {
  /**
   * The most bytes that it may have; a larger file is a `RangeError`, and not read.
   *
   * @default {268435456}
   */
  readonly maxSize?: number;
}

/** Options of {@linkcode ContainerFiles.writeFile}. */
export interface WriteFileOptions {
  /** Adds the bytes at the end, in place of replacing what is there. */
  readonly append?: boolean;
  /** Whether a file that does not exist is made. The default is `true`. */
  readonly create?: boolean;
  /** Fails with `Deno.errors.AlreadyExists` if the file exists. */
  readonly createNew?: boolean;
  /** Its permissions, also if it exists. A new file has 0o644 otherwise. */
  readonly mode?: number;
}

/** Options of {@linkcode ContainerFiles.mkdir}. */
export interface MkdirOptions {
  /** Makes the directories on the way too, and accepts one that exists. */
  readonly recursive?: boolean;
  /** Its permissions. The default is 0o755. */
  readonly mode?: number;
}

/** How a script gets at a container's files. */
export type Places = (user: "program" | "root") => Place;

const PATH_MAX = 4096;
const MAX_SIZE = 256 * 1024 * 1024;

/**
 * The files of a running container, as its program sees them: `container.fs`. The functions have the
 * shape of Deno's own. The container needs no program for them, and none of it takes part; a paused
 * container has files too.
 *
 * A path is absolute in the container. It is looked up by a process of the engine's that has entered
 * the container as its program's user, with its capabilities and under its rules of Landlock, but
 * not of seccomp. So whatever the container's program has made of its files, links first of all, the
 * script reads and changes nothing that the program could not itself; links of /proc lead nowhere. A
 * new file belongs to the program's user and has exactly the mode that it is given. `as("root")`
 * looks as root of the container, to whom new files belong then, as `docker cp` has it.
 *
 * Only regular files are read and written. Reading ends where the file ended when it was opened. A
 * call waits, and the script's thread with it, where a filesystem does that the container itself
 * serves (FUSE).
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
 * await using container = box.command("sleep", { args: ["60"] }).spawn();
 * const { fs } = container;
 * await fs.mkdir("/mnt/menu");
 * await fs.writeTextFile("/mnt/menu/today", "leek soup\n");
 * assertEquals(await fs.readTextFile("/mnt/menu/today"), "leek soup\n");
 * assertEquals((await fs.stat("/mnt/menu/today")).size, 10);
 * await fs.remove("/mnt/menu", { recursive: true });
 * ```
 *
 * @example Directories, links, and copies
 * ```ts
 * import { mapRoot, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
 * await using container = box.command("sleep", { args: ["60"] }).spawn();
 * const fs = container.fs.as("root");
 * await fs.writeFile("/mnt/salt", new Uint8Array([1, 2, 3]), { mode: 0o600 });
 * await fs.rename("/mnt/salt", "/mnt/pepper");
 * await fs.symlink("pepper", "/mnt/link");
 * assertEquals(await fs.readLink("/mnt/link"), "pepper");
 * assertEquals((await fs.lstat("/mnt/link")).isSymlink, true);
 * assertEquals((await fs.readFile("/mnt/link")).length, 3);
 * for await (const { name } of fs.readDir("/mnt")) console.log(name);
 *
 * await fs.copyIn("/etc/passwd", "/mnt/passwd");
 * await assertRejects(() => fs.copyOut("/mnt/passwd", "/tmp/passwd", { maxBytes: 2 }), RangeError);
 * ```
 */
export class ContainerFiles {
  readonly #places: Places;
  readonly #user: "program" | "root";

  /** Use {@linkcode Container.fs}. */
  constructor(places: Places, user: "program" | "root" = "program") {
    this.#places = places;
    this.#user = user;
  }

  /**
   * Returns the same files, as they are to the container's program or to root of the container.
   *
   * @throws {TypeError} for another word
   */
  as(user: "program" | "root"): ContainerFiles {
    if (user === "program" || user === "root") return new ContainerFiles(this.#places, user);
    throw optionError(`the user should be "program" or "root", not ${shown(user)}`);
  }

  /**
   * Reads a file.
   *
   * @throws {Deno.errors.NotFound} and the other classes of Deno for the errnos that they have
   * @throws {TypeError} if the container has ended, the path is relative, or no regular file
   * @throws {RangeError} if the file is larger than `maxSize`
   */
  readFile(path: string | URL, options: ReadFileOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const { maxSize = MAX_SIZE } = options;
    return this.#do("read", path, async (spot) => {
      using file = openWithStatus(spot, O_RDONLY);
      requireRegular(file.status.mode, spot);
      if (file.status.size > maxSize) {
        throw new RangeError(
          `${
            spot.place.named(spot.shown)
          } has ${file.status.size} bytes, more than maxSize, ${maxSize}`,
        );
      }
      return await readAll(file.fd, file.status.size, maxSize);
    });
  }

  /**
   * Reads a file as UTF-8.
   *
   * @throws as {@linkcode readFile} does
   */
  async readTextFile(path: string | URL, options?: ReadFileOptions): Promise<string> {
    return new TextDecoder().decode(await this.readFile(path, options));
  }

  /**
   * Writes a file, in place of what was in it.
   *
   * @throws {Deno.errors.NotFound} and the other classes of Deno for the errnos that they have
   * @throws {SyscallError} `EROFS`, `ENOSPC`
   * @throws {TypeError} if the container has ended, the path is relative, or no regular file
   */
  writeFile(
    path: string | URL,
    data: Uint8Array | ReadableStream<Uint8Array>,
    options: WriteFileOptions = {},
  ): Promise<void> {
    const { append = false, create = true, createNew = false, mode } = options;
    return this.#do("write", path, async (spot) => {
      const flags = O_WRONLY | (append ? O_APPEND : 0) | (create || createNew ? O_CREAT : 0) |
        (createNew ? O_EXCL : 0);
      using file = openWithStatus(spot, flags, (flags & O_CREAT) === 0 ? 0 : mode ?? 0o644);
      requireRegular(file.status.mode, spot);
      if (!append) syscall(ftruncate(file.fd, 0));
      let at = 0;
      for await (const part of data instanceof Uint8Array ? [data] : data) {
        writeAll(file.fd, part, append ? "end" : at);
        at += part.length;
      }
      if (mode !== undefined && (file.status.mode & PERMISSIONS) !== mode) {
        spot.place.make([{ call: fchmod(file.fd, mode) }]);
      }
    });
  }

  /**
   * Writes a text, or a stream of texts, as UTF-8.
   *
   * @throws as {@linkcode writeFile} does
   */
  writeTextFile(
    path: string | URL,
    data: string | ReadableStream<string>,
    options?: WriteFileOptions,
  ): Promise<void> {
    const bytes = typeof data === "string"
      ? new TextEncoder().encode(data)
      : data.pipeThrough(new TextEncoderStream());
    return this.writeFile(path, bytes, options);
  }

  /**
   * Returns the entries of a directory, without `.` and `..`, in the order that the kernel has them.
   *
   * @throws {Deno.errors.NotFound} and the other classes of Deno for the errnos that they have
   * @throws {TypeError} if the container has ended, or the path is relative
   */
  async *readDir(path: string | URL): AsyncGenerator<Deno.DirEntry> {
    const spot = this.#spot(path);
    using directory = await attempt(
      "list",
      spot,
      () => openWithStatus(spot, O_RDONLY | O_DIRECTORY),
    );
    for (const entries of entriesOf(directory.fd)) {
      for (const { name, type } of typed(spot.place, directory.fd, entries)) {
        const [isFile, isDirectory, isSymlink] = [S_IFREG, S_IFDIR, S_IFLNK]
          .map((one) => type === one) as [boolean, boolean, boolean];
        yield { name, isFile, isDirectory, isSymlink };
      }
    }
  }

  /**
   * Returns what is known of a file; of what it leads to, if it is a link. The ids of its owner are
   * those of the container.
   *
   * @throws {Deno.errors.NotFound} and the other classes of Deno for the errnos that they have
   * @throws {TypeError} if the container has ended, or the path is relative
   */
  stat(path: string | URL): Promise<Deno.FileInfo> {
    return this.#stat("look at", path, 0);
  }

  /**
   * The same of a link itself.
   *
   * @throws as {@linkcode stat} does
   */
  lstat(path: string | URL): Promise<Deno.FileInfo> {
    return this.#stat("look at", path, O_NOFOLLOW);
  }

  #stat(doing: string, path: string | URL, flags: number): Promise<Deno.FileInfo> {
    return this.#do(doing, path, (spot) => {
      const found = opening(spot, O_PATH | flags);
      const status = new Status(new ResultOf(found, "fd"));
      return fileInfo(status.of(spot.place.make([{ call: found }, { call: status.call }])));
    });
  }

  /**
   * Makes a directory.
   *
   * @throws {Deno.errors.AlreadyExists} and the other classes of Deno for the errnos that they have
   * @throws {SyscallError} `EROFS`, `ENOSPC`
   * @throws {TypeError} if the container has ended, or the path is relative
   */
  mkdir(path: string | URL, { recursive = false, mode = 0o755 }: MkdirOptions = {}): Promise<void> {
    return this.#do("make the directory", path, (spot) => {
      const names = spot.path.split("/").filter((name) => name !== "" && name !== ".");
      const paths = recursive ? names.map((_, end) => `/${names.slice(0, end + 1).join("/")}`) : [];
      const all = paths.filter((one) => !one.endsWith("/.."));
      for (const one of recursive ? all : [spot.path]) {
        const { calls, parent, name } = parentOf({ ...spot, path: one });
        const making = mkdirat(parent, name, mode);
        spot.place.make([...calls, { call: making, accept: recursive ? ["EEXIST"] : [] }]);
      }
      // What exists may be no directory.
      if (recursive) openWithStatus(spot, O_PATH | O_DIRECTORY)[Symbol.dispose]();
    });
  }

  /**
   * Removes a file, a link or an empty directory; with `recursive`, a directory and all in it.
   *
   * @throws {Deno.errors.NotFound} and the other classes of Deno for the errnos that they have
   * @throws {SyscallError} `ENOTEMPTY`, `EBUSY` where something is mounted on it
   * @throws {TypeError} if the container has ended, or the path is relative
   * @throws {RangeError} if directories lie more than 200 deep in each other
   */
  remove(path: string | URL, { recursive = false }: { recursive?: boolean } = {}): Promise<void> {
    return this.#do("remove", path, (spot) => {
      const found = opening(spot, O_PATH | O_NOFOLLOW);
      const status = new Status(new ResultOf(found, "fd"));
      const made = spot.place.make([{ call: found }, { call: status.call }]);
      const isDirectory = (status.of(made).mode & S_IFMT) === S_IFDIR;
      if (isDirectory && recursive) return removeTree(spot);
      const { calls, parent, name } = parentOf(spot);
      spot.place.make([
        ...calls,
        { call: unlinkat(parent, name, isDirectory ? AT_REMOVEDIR : 0) },
      ]);
    });
  }

  /**
   * Renames a file, and replaces one that has the new name.
   *
   * @throws {Deno.errors.NotFound} and the other classes of Deno for the errnos that they have
   * @throws {SyscallError} `EXDEV` for another filesystem, `EROFS`
   * @throws {TypeError} if the container has ended, or a path is relative
   */
  rename(oldPath: string | URL, newPath: string | URL): Promise<void> {
    const to = this.#path(newPath);
    return this.#do(`rename to ${to}`, oldPath, (spot) => {
      const [old, renamed] = [parentOf(spot), parentOf({ ...spot, path: to })];
      const call = renameat2(old.parent, old.name, renamed.parent, renamed.name, 0);
      spot.place.make([...old.calls, ...renamed.calls, { call }]);
    });
  }

  /**
   * Makes a symbolic link, whose text can be any.
   *
   * @throws {Deno.errors.AlreadyExists} and the other classes of Deno for the errnos that they have
   * @throws {TypeError} if the container has ended, or the path of the link is relative
   */
  symlink(target: string, path: string | URL): Promise<void> {
    return this.#do("make the link", path, (spot) => {
      const { calls, parent, name } = parentOf(spot);
      spot.place.make([...calls, { call: symlinkat(target, parent, name) }]);
    });
  }

  /**
   * Returns the text of a symbolic link.
   *
   * @throws {Deno.errors.NotFound} and the other classes of Deno for the errnos that they have
   * @throws {TypeError} if the container has ended, or the path is relative
   */
  readLink(path: string | URL): Promise<string> {
    return this.#do("read the link", path, (spot) => {
      const { calls, parent, name } = parentOf(spot);
      const text = new Output(PATH_MAX, "&target");
      const call = readlinkat(parent, name, text);
      const { result } = spot.place.make([...calls, { call }]);
      const { buffer, byteOffset } = result.output(text);
      return decodeName(new Uint8Array(buffer, byteOffset, Number(result.result(call))));
    });
  }

  /**
   * Copies a file of this machine, or a directory with all that is in it, into the container, under
   * exactly this path; the directory above it has to exist. What exists there is replaced, and the
   * files of two directories are put together. Links in a directory are copied as links. The copies
   * belong to the user that this acts as, and keep their permissions without set-user-ID bits.
   *
   * @throws {Deno.errors.NotFound} and the other classes of Deno for the errnos that they have
   * @throws {SyscallError} `EROFS`, `ENOSPC`
   * @throws {TypeError} if the container has ended, the path is relative, or for what is neither a
   * file, a directory nor a link
   * @throws {RangeError} beyond `maxBytes`, or 200 directories in each other
   */
  async copyIn(from: string | URL, path: string | URL, bounds: CopyBounds = {}): Promise<Copied> {
    const copy = new Copy(bounds);
    await copy.run(here(from), this.#spot(path));
    return copy.copied;
  }

  /**
   * Copies a file of the container, or a directory with all that is in it, to this machine: see
   * {@linkcode copyIn}. The copies belong to the script's user. Holes in a file become zeros, so
   * that `maxBytes` is there for a container that is not to fill the disk.
   *
   * @throws {Deno.errors.NotFound} and the other classes of Deno for the errnos that they have
   * @throws {TypeError} if the container has ended, the path is relative, or for what is neither a
   * file, a directory nor a link
   * @throws {RangeError} beyond `maxBytes`, or 200 directories in each other
   */
  async copyOut(path: string | URL, to: string | URL, bounds: CopyBounds = {}): Promise<Copied> {
    const copy = new Copy(bounds);
    await copy.run(this.#spot(path), here(to));
    return copy.copied;
  }

  /** Does something with a file. */
  async #do<T>(doing: string, path: string | URL, act: (spot: Spot) => T | Promise<T>): Promise<T> {
    const spot = this.#spot(path);
    return await attempt(doing, spot, () => act(spot));
  }

  #spot(path: string | URL): Spot {
    const absolute = this.#path(path);
    return { place: this.#places(this.#user), path: absolute, shown: absolute };
  }

  #path(given: string | URL): string {
    const path = checkedPath(given);
    if (path.startsWith("/")) return path;
    throw optionError(
      `${
        shown(path)
      } is relative; a path in a container begins with /, as the script is nowhere in it`,
    );
  }
}

const PERMISSIONS = 0o7777;

function here(path: string | URL): Spot {
  const checked = checkedPath(path);
  return { place: HERE, path: checked, shown: checked };
}

function checkedPath(given: string | URL): string {
  const path = pathOf(given);
  if (path === "") throw optionError("the path is empty");
  if (path.includes("\0")) throw optionError(`${shown(path)} has a NUL byte`);
  return path;
}

async function attempt<T>(doing: string, spot: Spot, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw fileError(error, `cannot ${doing} ${spot.place.named(spot.shown)}`);
  }
}

function requireRegular(mode: number, { place, shown }: Spot): void {
  if ((mode & S_IFMT) === S_IFREG) return;
  if ((mode & S_IFMT) === S_IFDIR) {
    throw new Deno.errors.IsADirectory(`${place.named(shown)} is a directory`);
  }
  throw new TypeError(`${place.named(shown)} is not a regular file, and only those are opened`);
}
