/**
 * A text written to a file that takes it whole, by one write(2), as most files of /proc and of
 * control groups do.
 *
 * @module
 */

import { type Call, type Fd, ResultOf, Struct } from "../call.ts";
import { close, O_CLOEXEC, O_WRONLY, openat, write } from "./files.ts";

const encoder = new TextEncoder();

/** Opens a file, by its path from a directory, writes the text, and closes the file. */
export function writeText(
  directory: Fd,
  path: string,
  text: string,
): [opened: Call, written: Call, closed: Call] {
  const opened = openat(directory, path, O_WRONLY | O_CLOEXEC);
  const fd = new ResultOf(opened, "fd");
  return [opened, writeTextTo(fd, text), close(fd)];
}

/** Writes the text to an open file. */
export function writeTextTo(fd: Fd, text: string | Struct): Call {
  if (text instanceof Struct) return write(fd, text, text.size);
  const bytes = encoder.encode(text);
  return write(fd, bytes, bytes.length);
}
