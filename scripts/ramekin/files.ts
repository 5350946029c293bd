/**
 * Files read by system calls: to read those of /proc, Deno itself wants all permissions.
 *
 * @module
 */

import { linux, SyscallError } from "../../mod.ts";
import { writable } from "./file_error.ts";

/** All that the file holds, as text. */
export function readText(path: string): string {
  using file = linux.open(path, linux.O_RDONLY | linux.O_CLOEXEC);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  let text = "";
  for (let count = linux.read(file, buffer); count > 0; count = linux.read(file, buffer)) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text + decoder.decode();
}

/** The result of a look at a file; `undefined` where it is not there, or may not be looked at. */
export function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof SyscallError && ABSENT.has(error.code)) return undefined;
    throw error;
  }
}

const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ESRCH"]);

/** Where a symbolic link points. */
export function readLink(path: string): string {
  return linux.readlinkat(linux.AT_FDCWD, path);
}

/** Whether Deno lets the file be written, or all files. */
export function mayWrite(path?: string): boolean {
  const asked = { name: "write", ...(path !== undefined && { path }) } as const;
  return Deno.permissions.querySync(asked).state === "granted";
}

/** Writes a file, which is made where there is none. */
export function writeText(path: string, text: string): void {
  writeBytes(path, new TextEncoder().encode(text), 0o644);
}

/** The same with bytes, and the mode of a file that is made. */
export function writeBytes(path: string, content: Uint8Array<ArrayBuffer>, mode: number): void {
  const flags = linux.O_WRONLY | linux.O_CREAT | linux.O_TRUNC | linux.O_CLOEXEC;
  writable(path, () => {
    using file = linux.open(path, flags, mode);
    writeAll(file, content);
  });
}

/** Writes a file; where that fails, what there is of one that was not there before is removed. */
export function writeNew(path: string, write: () => void): void {
  const isNew = !isThere(path);
  try {
    write();
  } catch (error) {
    if (isNew && isThere(path)) {
      if (mayWrite(path)) Deno.removeSync(path);
      else linux.unlinkat(linux.AT_FDCWD, path);
    }
    throw error;
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Writes all of the bytes to an open file. */
export function writeAll(file: linux.OwnedFd, content: Uint8Array<ArrayBuffer>): void {
  let bytes = content;
  while (bytes.length > 0) bytes = bytes.subarray(linux.write(file, bytes));
}
