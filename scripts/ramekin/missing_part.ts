/**
 * The files of `dist/` that `dist/command.js` loads, where it was copied without them.
 *
 * @module
 */

/** Tells that a file is missing, in place of a stack of Deno's, and ends; throws any other error. */
export function tellMissingPart(error: unknown): never {
  const [, file] = /^Module not found "(.*)"/.exec(error instanceof Error ? error.message : "") ??
    [];
  if (file === undefined) throw error;
  const text = `ramekin: ${file} is missing; the files of dist/ belong in one directory\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
  Deno.exit(125);
}
