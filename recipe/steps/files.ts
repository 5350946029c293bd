/**
 * The steps that make files: `mkdir`, `symlink`, `writeFile` and `mknod`. They make them on
 * filesystems that the recipe has mounted, and on the host's only when that is said.
 *
 * @module
 */

import {
  absolutePath,
  boolean,
  content,
  integer,
  modeBits,
  oneOf,
  optional,
  text,
} from "../schema.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** Options of the steps that make files. */
export interface FileOptions {
  /** The permission bits of what is made. */
  readonly mode?: number;
  /** Says that the file may be made on the host, where it stays. */
  readonly host?: boolean;
}

const fileFields = () => ({
  path: absolutePath(),
  mode: optional(modeBits()),
  host: optional(boolean()),
});

/** Makes a directory. */
export interface MkdirStep extends FileOptions {
  /** Which step it is. */
  readonly step: "mkdir";
  /** The directory. */
  readonly path: string;
}

/**
 * Makes a directory, and those that it lies in, where they are missing, as `mkdir -p` does. Needs a
 * filesystem that the recipe has mounted, or `host`.
 *
 * @throws {RecipeError} when it is planned for a directory of the host's, and `host` does not say so
 * @throws {SyscallError} when it is run: `ENOTDIR` where something on the way, or with `mode` the
 * place itself, is no directory, `EXDEV` where a symbolic link leads out of the filesystem that the
 * recipe has mounted, `ENOSPC` where that is full, `EROFS` where it can only be read; on the host
 * `EACCES` where the directory that it is to lie in is another user's
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

/** Makes a symbolic link. */
export interface SymlinkStep extends Pick<FileOptions, "host"> {
  /** Which step it is. */
  readonly step: "symlink";
  /** What the link says. */
  readonly target: string;
  /** The link. */
  readonly path: string;
}

/**
 * Makes a symbolic link at `path` that says `target`, in the order of ln(1). Needs a filesystem that
 * the recipe has mounted, or `host`. See symlink(2).
 *
 * @throws {RecipeError} when it is planned for a place of the host's, and `host` does not say so
 * @throws {SyscallError} when it is run: `EEXIST` where something is there already, `ENOENT` where
 * the directory that it is to lie in does not exist, `EXDEV`, `ENOSPC`, `EROFS` and `EACCES` as
 * {@linkcode mkdir}
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
  options: Pick<FileOptions, "host"> = {},
): SymlinkStep {
  return { step: "symlink", target, path, ...options };
}

/** What the data of `symlink` may be. */
export const symlinkSchema: StepSchema<SymlinkStep> = stepSchema("symlink", () => ({
  target: text({ min: 1, max: 4095 }),
  path: absolutePath(),
  host: optional(boolean()),
}));

/** Writes a file. */
export interface WriteFileStep extends FileOptions {
  /** Which step it is. */
  readonly step: "writeFile";
  /** The file. */
  readonly path: string;
  /** What it is to hold. */
  readonly text: string;
}

/**
 * Writes a text to a file, which is made, or emptied first, with the mode 0644 where no other is
 * given. Needs a filesystem that the recipe has mounted, or `host`.
 *
 * @throws {RecipeError} when it is planned for a file of the host's, and `host` does not say so
 * @throws {SyscallError} when it is run: `ENOENT` where the directory that it is to lie in does not
 * exist, `EISDIR` where it is a directory itself, `EXDEV`, `ENOSPC`, `EROFS` and `EACCES` as
 * {@linkcode mkdir}
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

/** Makes a device file or a named pipe. */
export interface MknodStep extends FileOptions {
  /** Which step it is. */
  readonly step: "mknod";
  /** The file. */
  readonly path: string;
  /** What it is, by the letter of mknod(1): block or character device, or pipe. */
  readonly type: "b" | "c" | "p";
  /** The device's major number. */
  readonly major?: number;
  /** The device's minor number. */
  readonly minor?: number;
}

/**
 * Makes a device file or a named pipe, with the mode 0666 less the umask where no other is given.
 * Needs a filesystem that the recipe has mounted, or `host`. Devices need CAP_MKNOD on the host: in a user namespace use `devices`, or `bind` one of the
 * host's. See mknod(2).
 *
 * @throws {RecipeError} where a device has no number, or a pipe has one; when it is planned for a
 * place of the host's, and `host` does not say so
 * @throws {SyscallError} when it is run: `EPERM` for a device in a user namespace, or without
 * CAP_MKNOD, `EEXIST` where something is there already, `ENOENT` where the directory that it is to lie
 * in does not exist, `EXDEV`, `ENOSPC`, `EROFS` and `EACCES` as {@linkcode mkdir}
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
}), ({ type, major, minor }) => {
  if (type === "p" && (major ?? minor) !== undefined) return "a pipe has no device number";
  if (type !== "p" && (major === undefined || minor === undefined)) {
    return `a device needs "major" and "minor"`;
  }
  return undefined;
});
