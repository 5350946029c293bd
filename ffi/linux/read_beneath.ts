/**
 * Files in somebody's root, which can be anything: a link that leads out, a pipe, a device.
 *
 * @module
 */

import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  RESOLVE_IN_ROOT,
} from "../calls/files.ts";
import { SyscallError } from "../errors.ts";
import { open, openat2, read } from "./files.ts";

/** The most that is read of a file; they can be anything. */
const LIMIT = 1 << 20;

/**
 * The text of a file in the root; empty where there is none.
 *
 * @throws {SyscallError} if the root is not a directory
 */
export function readBeneath(root: string, path: string): string {
  using directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  try {
    using file = openat2(directory, path, {
      flags: O_RDONLY | O_NONBLOCK | O_CLOEXEC,
      resolve: RESOLVE_IN_ROOT,
    });
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    let text = "";
    for (let count = read(file, buffer); count > 0; count = read(file, buffer)) {
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
      if (text.length > LIMIT) break;
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof SyscallError && ABSENT.has(error.code)) return "";
    throw error;
  }
}

const ABSENT: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ELOOP",
  "EISDIR",
  "EACCES",
  "ENXIO",
  "EAGAIN",
]);
