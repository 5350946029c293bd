/**
 * `ramekin sandbox --audit`: what the program was denied, each once, when it has ended.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import { type Denial, describeDenial } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { printError } from "./output.ts";
import { ReportFile } from "./report_file.ts";
import type { Flag } from "./usage.ts";

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
  readonly #file: ReportFile | undefined;

  /** Opens the file, if there is one. Where it cannot be written, nothing runs. */
  constructor(path: string | undefined) {
    this.#file = path === undefined ? undefined : new ReportFile(path, AUDIT.name);
  }

  /** Tells what was denied: as lines of JSON, in a file. */
  report(denials: readonly Denial[]): void {
    if (this.#file !== undefined) {
      const lines = denials.map((denial) => `${escapeControls(JSON.stringify(denial))}\n`);
      return this.#file.write(lines.join(""));
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
