/**
 * `ramekin sandbox --audit`: what the program was denied, each once, when it has ended.
 *
 * @module
 */

import { type Denial, describeDenial } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { writeText } from "./files.ts";
import { printError } from "./output.ts";
import type { Flag } from "./usage.ts";

/** The flag. */
export const AUDIT: Flag = {
  name: "audit",
  value: "FILE",
  optionalValue: true,
  completes: "file",
  summary: "tell at the end what it was denied, and what would allow it; or write it to a file",
};

/** Whether the flag is given, and for which file, which is made. */
export function auditOf(given: Arguments): { readonly file: string | undefined } | undefined {
  if (!given.has(AUDIT.name)) return undefined;
  const file = given.value(AUDIT.name);
  // Where it cannot be written, nothing runs.
  if (file !== undefined) writeText(file, "");
  return { file };
}

/** Tells what was denied, or writes it as lines of JSON to the file. */
export function reportDenials(denials: readonly Denial[], file: string | undefined): void {
  if (file !== undefined) {
    return writeText(file, denials.map((denial) => `${JSON.stringify(denial)}\n`).join(""));
  }
  if (denials.length === 0) return printError("ramekin: nothing was denied that an audit sees");
  const lines = denials.map((denial) => `  ${describeDenial(denial)}`);
  printError(["ramekin: denied", ...lines].join("\n"));
}
