/**
 * A file that is written when a program has ended, which may be able to change its directory, as one
 * before it was.
 *
 * @module
 */

import { linux, SyscallError } from "../../mod.ts";
import { writable } from "./file_error.ts";
import { writeAll } from "./files.ts";
import { UsageError } from "./usage.ts";

/** Where links are the kernel's: /dev/stderr, /dev/fd/63. */
const KERNELS = /^\/(?:dev|proc)\//;

/**
 * The file, which is opened before the program runs: what is written goes there, and not to where a link
 * leads that is in its place by then.
 */
export class ReportFile implements Disposable {
  readonly #file: linux.OwnedFd;
  readonly #path: string;

  /** Opens it, made empty. Where it cannot be written, nothing runs. */
  constructor(path: string, flag: string) {
    this.#path = path;
    const flags = linux.O_WRONLY | linux.O_CREAT | linux.O_TRUNC | linux.O_CLOEXEC;
    try {
      const own = KERNELS.test(path) ? flags : flags | linux.O_NOFOLLOW;
      this.#file = writable(path, () => linux.open(path, own, 0o644));
    } catch (error) {
      if (!(error instanceof SyscallError) || error.code !== "ELOOP") throw error;
      throw new UsageError(
        `--${flag}=${path} is a symbolic link, which may lead anywhere; remove it`,
      );
    }
  }

  /** Writes a text to it. */
  write(text: string): void {
    writable(this.#path, () => writeAll(this.#file, new TextEncoder().encode(text)));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
