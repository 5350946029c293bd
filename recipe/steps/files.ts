/**
 * The steps that create files: `mkdir`, `symlink`, `writeFile` and `mknod`. They create them on
 * filesystems that the recipe has mounted, and on the host's only with `host`.
 *
 * @module
 */

import {
  absolutePath,
  boolean,
  content,
  id,
  integer,
  modeBits,
  oneOf,
  optional,
  text,
} from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Options of the steps that create files. */
export interface FileOptions {
  /** The permission bits of the file. */
  readonly mode?: number;
  /** Whether the file may be created on the host, where it stays. */
  readonly host?: boolean;
}

const fileFields = () => ({
  path: absolutePath(),
  mode: optional(modeBits()),
  host: optional(boolean()),
});

/** Creates a directory. */
export interface MkdirStep extends FileOptions {
  /** The name of the step. */
  readonly step: "mkdir";
  /** The directory. */
  readonly path: string;
}

/**
 * Creates a directory, and missing parents, as `mkdir -p` does. Needs a filesystem that the recipe
 * has mounted, or `host`.
 *
 * @throws {RecipeError} when it is planned for a directory of the host's without `host`
 * @throws {SyscallError} when it is run: `ENOTDIR` where a parent, or with `mode` the path itself,
 * is not a directory, `EXDEV` where a symbolic link leads out of the filesystem that the recipe has
 * mounted, `ENOSPC` where that is full, `EROFS` where it is read-only; on the host `EACCES` where
 * the parent is another user's
 *
 * @example
 * ```ts
 * import { mapRoot, mkdir, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"), mkdir("/mnt/a/b"));
 * console.log((await box.command("test", { args: ["-d", "/mnt/a/b"] }).output()).success); // true
 * ```
 */
export function mkdir(path: string, options: FileOptions = {}): MkdirStep {
  return { step: "mkdir", path, ...options };
}

/** What the data of `mkdir` may be. */
export const mkdirSchema: StepSchema<MkdirStep> = stepSchema("mkdir", () => {
  return fileFields();
});

/** Options of {@linkcode symlink}. */
export interface SymlinkOptions extends Pick<FileOptions, "host"> {
  /** Whether a file that is there already stays, and the step is left out then. */
  readonly keep?: boolean;
}

/** Creates a symbolic link. */
export interface SymlinkStep extends SymlinkOptions {
  /** The name of the step. */
  readonly step: "symlink";
  /** The text of the link. */
  readonly target: string;
  /** The link. */
  readonly path: string;
}

/**
 * Creates a symbolic link at `path` to `target`, with the arguments in the order of ln(1). Needs a
 * filesystem that the recipe has mounted, or `host`. See symlink(2).
 *
 * @throws {RecipeError} when it is planned for a path of the host's without `host`
 * @throws {SyscallError} when it is run: `EEXIST` where the path exists already, `ENOENT` where its
 * parent does not exist, `EXDEV`, `ENOSPC`, `EROFS` and `EACCES` as {@linkcode mkdir}
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, symlink, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"), symlink("usr/bin", "/mnt/bin"));
 * const { stdout } = await box.command("readlink", { args: ["/mnt/bin"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // usr/bin
 * ```
 */
export function symlink(
  target: string,
  path: string,
  options: SymlinkOptions = {},
): SymlinkStep {
  return { step: "symlink", target, path, ...options };
}

/** What the data of `symlink` may be. */
export const symlinkSchema: StepSchema<SymlinkStep> = stepSchema("symlink", () => ({
  target: text({ min: 1, max: 4095 }),
  path: absolutePath(),
  host: optional(boolean()),
  keep: optional(boolean()),
}));

/** Writes a file. */
export interface WriteFileStep extends FileOptions {
  /** The name of the step. */
  readonly step: "writeFile";
  /** The file. */
  readonly path: string;
  /** The new content of the file. */
  readonly text: string;
}

/**
 * Writes a text to a file. The file is created with the mode 0644, unless another is given; one
 * that exists is emptied first. Needs a filesystem that the recipe has mounted, or `host`.
 *
 * @throws {RecipeError} when it is planned for a file of the host's without `host`
 * @throws {SyscallError} when it is run: `ENOENT` where its parent does not exist, `EISDIR` where
 * the path is a directory, `EXDEV`, `ENOSPC`, `EROFS` and `EACCES` as {@linkcode mkdir}
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, tmpfs, unshare, writeFile } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   tmpfs("/mnt"),
 *   writeFile("/mnt/motd", "Welcome.\n"),
 * );
 * const { stdout } = await box.command("cat", { args: ["/mnt/motd"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // Welcome.
 * ```
 */
export function writeFile(path: string, text: string, options: FileOptions = {}): WriteFileStep {
  return { step: "writeFile", path, text, ...options };
}

/** What the data of `writeFile` may be. */
export const writeFileSchema: StepSchema<WriteFileStep> = stepSchema(
  "writeFile",
  () => ({ ...fileFields(), text: content() }),
);

/** Creates a device file or a named pipe. */
export interface MknodStep extends FileOptions {
  /** The name of the step. */
  readonly step: "mknod";
  /** The file. */
  readonly path: string;
  /** The type, by the letter of mknod(1): block device, character device, or pipe. */
  readonly type: "b" | "c" | "p";
  /** The device's major number. */
  readonly major?: number;
  /** The device's minor number. */
  readonly minor?: number;
  /** Its owner; without one, the user who makes it. */
  readonly uid?: number;
  /** Its group. */
  readonly gid?: number;
  /** Whether a file that is there already stays, and the step is left out then. */
  readonly keep?: boolean;
}

/**
 * Creates a device file or a named pipe, with the mode 0644 unless another is given. Needs a filesystem that the recipe has mounted, or `host`. Devices need CAP_MKNOD on the
 * host: in a user namespace use `devices`, or `bind` one of the host's. See mknod(2).
 *
 * @throws {RecipeError} where a device has no number, or a pipe has one; when it is planned for a
 * path of the host's without `host`
 * @throws {SyscallError} when it is run: `EPERM` for a device in a user namespace, or without
 * CAP_MKNOD, `EEXIST` where the path exists already, `ENOENT` where its parent does not exist,
 * `EXDEV`, `ENOSPC`, `EROFS` and `EACCES` as {@linkcode mkdir}
 *
 * @example
 * ```ts
 * import { mapRoot, mknod, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   tmpfs("/mnt"),
 *   mknod("/mnt/pipe", { type: "p" }),
 * );
 * console.log((await box.command("test", { args: ["-p", "/mnt/pipe"] }).output()).success); // true
 * ```
 */
export function mknod(path: string, node: Omit<MknodStep, "step" | "path">): MknodStep {
  return { step: "mknod", path, ...node };
}

/** What the data of `mknod` may be. */
export const mknodSchema: StepSchema<MknodStep> = stepSchema("mknod", () => ({
  ...fileFields(),
  type: oneOf(["b", "c", "p"]),
  major: optional(integer(0, 0xfff)),
  minor: optional(integer(0, 0xf_ffff)),
  uid: optional(id()),
  gid: optional(id()),
  keep: optional(boolean()),
}), ({ type, major, minor }) => {
  if (type === "p" && (major ?? minor) !== undefined) return "a pipe has no device number";
  if (type !== "p" && (major === undefined || minor === undefined)) {
    return `a device needs "major" and "minor"`;
  }
  return undefined;
});
