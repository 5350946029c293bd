/**
 * Writes the files of an export, by Deno where it may write, and else by system calls.
 *
 * @module
 */

import type { BundleFile } from "../../../export/mod.ts";
import { linux } from "../../../mod.ts";
import { writable } from "../file_error.ts";
import { mayWrite, writeBytes, writeNew } from "../files.ts";
import { inputName, STDIN } from "../input.ts";

/** The name of a recipe without its end; of one that has none, as it comes by the standard input, box. */
export function nameOf(path: string): string {
  if (inputName(path) === STDIN) return "box";
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+$/, "");
}

/** Returns a path from the root, without a slash at its end. */
export function absolute(path: string): string {
  const whole = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return whole.replace(/(?<=.)\/+$/, "");
}

/** Whether there is a file. */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Whether a directory has no files. */
export function isEmpty(path: string): boolean {
  for (const _ of Deno.readDirSync(path)) return false;
  return true;
}

/** Writes a file of a bundle. */
export function writeFile(path: string, { type, text = "", mode = 0o644 }: BundleFile): void {
  if (type === "directory") return makeDirectory(path, mode);
  if (type === "file") return write(path, new TextEncoder().encode(text), mode);
  // Deno makes links for who may write everywhere alone.
  if (mayWrite()) Deno.symlinkSync(text, path);
  else linux.symlinkat(text, linux.AT_FDCWD, path);
}

/** Makes a directory. */
export function makeDirectory(path: string, mode: number): void {
  if (!mayWrite(path)) {
    return withoutUmask(() => writable(path, () => linux.mkdirat(linux.AT_FDCWD, path, mode)));
  }
  writable(path, () => Deno.mkdirSync(path));
  if (Deno.build.os !== "windows") Deno.chmodSync(path, mode);
}

/** Writes a file. */
export function write(path: string, bytes: Uint8Array<ArrayBuffer>, mode: number): void {
  writeNew(path, () => {
    if (!mayWrite(path)) withoutUmask(() => writeBytes(path, bytes, mode));
    else writable(path, () => Deno.writeFileSync(path, bytes));
  });
  if (!mayWrite(path)) return;
  if (Deno.build.os !== "windows") Deno.chmodSync(path, mode);
}

/** What the caller keeps from new files says nothing about those of a container. */
function withoutUmask(make: () => void): void {
  const old = linux.umask(0);
  try {
    make();
  } finally {
    linux.umask(old);
  }
}

/** Makes the directory of an export, where there is none. */
export function needDirectory(directory: string): void {
  if (!isThere(directory)) makeDirectory(directory, 0o755);
}

/** Writes a text. */
export function writeTextTo(path: string, text: string): void {
  write(path, new TextEncoder().encode(text), 0o644);
}
