/**
 * `ramekin sandbox --audit`: what the program was denied, each once, when it has ended.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import { type Denial, describeDenial, linux, SyscallError } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { writeAll } from "./files.ts";
import { printError } from "./output.ts";
import { type Flag, UsageError } from "./usage.ts";

/** The flag. */
export const AUDIT: Flag = {
  name: "audit",
  value: "FILE",
  optionalValue: true,
  completes: "file",
  summary: "tell at the end what it was denied, and what would allow it; or write it to a file",
};

/** An audit, which is told at its end: to the standard error, or to a file. */
export class Audit implements Disposable {
  readonly #file: linux.OwnedFd | undefined;

  /** Opens the file, if there is one. Where it cannot be written, nothing runs. */
  constructor(path: string | undefined) {
    this.#file = path === undefined ? undefined : openReport(path);
  }

  /** Tells what was denied: as lines of JSON, in a file. */
  report(denials: readonly Denial[]): void {
    if (this.#file !== undefined) {
      const lines = denials.map((denial) => `${escapeControls(JSON.stringify(denial))}\n`);
      return writeAll(this.#file, new TextEncoder().encode(lines.join("")));
    }
    if (denials.length === 0) return printError("ramekin: nothing was denied that an audit sees");
    const lines = denials.map((denial) => `  ${describeDenial(denial)}`);
    printError(["ramekin: denied", ...lines].join("\n"));
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }
}

/** The audit that is asked for, if one is. */
export function auditOf(given: Arguments): Audit | undefined {
  return given.has(AUDIT.name) ? new Audit(given.value(AUDIT.name)) : undefined;
}

/** Where links are the kernel's: /dev/stderr, /dev/fd/63. */
const KERNELS = /^\/(?:dev|proc)\//;

/**
 * Opens the file before the program runs, which may be able to change its directory, as one before it
 * was: the report is written to this file, and to none that a link leads to.
 */
function openReport(path: string): linux.OwnedFd {
  const flags = linux.O_WRONLY | linux.O_CREAT | linux.O_TRUNC | linux.O_CLOEXEC;
  try {
    return linux.open(path, KERNELS.test(path) ? flags : flags | linux.O_NOFOLLOW, 0o644);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== "ELOOP") throw error;
    throw new UsageError(`--audit=${path} is a symbolic link, which may lead anywhere; remove it`);
  }
}
