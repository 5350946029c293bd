/**
 * `ramekin pull`: gets an image.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import { type Image, pull } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { pullOptions } from "./image_flags.ts";
import { imageReport } from "./image_report.ts";
import { interruptible } from "./interruptible.ts";
import { print, printError, printJson } from "./output.ts";

/** Pulls it. */
export function run(given: Arguments): Promise<number> {
  const reference = given.operands[0]!;
  const name = given.value("name");
  return interruptible(async (signal) => {
    await using image = await (async () => {
      using report = imageReport(given, reference);
      return await pull(reference, {
        ...pullOptions(given),
        signal,
        progress: report.report,
        ...(name !== undefined && { name }),
      });
    })();
    await told(given, image);
    return 0;
  });
}

/** Writes what the image is, and says what was left out of it. */
export async function told(given: Arguments, image: Image): Promise<void> {
  const summary = given.has("no-unpack") ? undefined : await image.unpack();
  if (given.has("json")) {
    const { name, digest, origin, platform, size, layers } = image;
    return printJson({ name, digest, origin, platform, size, layers, unpacked: summary ?? null });
  }
  print(`${image.name}@${image.digest}`);
  if (given.has("quiet") || summary === undefined) return;
  const { leftOut, leftOutCount, ownersSquashed } = summary;
  if (ownersSquashed) printError("all files belong to you, whatever the image says of owners");
  for (const { path, what, why } of leftOut.slice(0, MOST_TOLD)) {
    printError(escapeControls(`left out: ${what} of ${path}: ${why}`));
  }
  const more = leftOutCount - Math.min(leftOut.length, MOST_TOLD);
  if (more > 0) printError(`left out: ${more} more; --json lists them`);
}

/** How much of what was left out is listed. */
const MOST_TOLD = 5;
