/**
 * Texts that a subcommand reads with Deno's permission, without a system call of the engine.
 *
 * @module
 */

import { readable } from "./file_error.ts";
import { readText } from "./files.ts";

/** Open descriptors, as `<(...)` of a shell is one. Deno opens them with all permissions only. */
const DESCRIPTOR = /^\/(dev|proc\/self)\/fd\/\d+$/;

/** How errors and recipes call what comes by the standard input. */
export const STDIN = "/dev/stdin";

/** The name of a file; `-` is the standard input. */
export function inputName(word: string): string {
  return word === "-" ? STDIN : word;
}

/**
 * The text of a file, or of the standard input.
 *
 * @throws {FileError} if the file cannot be read
 */
export function inputText(name: string): string {
  if (DESCRIPTOR.test(name) && mayCall()) return readable(name, () => readText(name));
  if (name !== STDIN) return readable(name, () => Deno.readTextFileSync(name));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (
    let count = Deno.stdin.readSync(buffer);
    count !== null;
    count = Deno.stdin.readSync(buffer)
  ) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text + decoder.decode();
}

function mayCall(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}
