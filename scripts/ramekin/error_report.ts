/**
 * An error as text: what is wrong, and the fix, in a few lines.
 *
 * @module
 */

import type { Paint } from "./output.ts";
import { UsageError } from "./usage.ts";

/** How the program is installed, in place of an older one, with the permissions that it needs. */
export const INSTALL =
  "deno install --global --force --allow-ffi --allow-read --allow-net --name ramekin dist/command.js";

/** The same for images too, whose store it has to write. */
const INSTALL_FOR_IMAGES = INSTALL.replace("--allow-net", "--allow-net --allow-write");

/** The error as text; for a mistake on the command line, with where to read on. */
export function errorReport(
  error: unknown,
  { paint, debug, subcommand }: { paint: Paint; debug: boolean; subcommand?: string | undefined },
): string {
  const lines = [`${paint("red", "ramekin")}: ${messageOf(error)}`];
  if (error instanceof UsageError) {
    lines.push(`  see ramekin help${subcommand === undefined ? "" : ` ${subcommand}`}`);
  }
  // By its name, because the class's module takes time to load.
  const isFfi = error instanceof Error && error.name === "PermissionError" &&
    "grant" in error && error.grant === "ffi";
  if (isFfi || error instanceof Deno.errors.NotCapable) {
    lines.push(`  it was started without that permission; install it with all that it needs:`);
    const isWrite = error instanceof Error && error.message.includes("write access");
    lines.push(`  ${isWrite ? INSTALL_FOR_IMAGES : INSTALL}`);
  }
  if (debug) lines.push(paint("dim", stackOf(error)));
  return lines.join("\n");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const cause = error.cause === undefined ? "" : `\n  caused by ${stackOf(error.cause)}`;
  return (error.stack ?? "") + cause;
}
