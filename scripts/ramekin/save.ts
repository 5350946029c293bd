/**
 * `ramekin save`: writes an image as an archive.
 *
 * @module
 */

import { writeWholeFile } from "../../images/archive/whole_file.ts";
import { save } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { interruptible } from "./interruptible.ts";
import { openImage } from "./open_image.ts";
import { printJson } from "./output.ts";
import { withProgress } from "./progress.ts";
import { UsageError } from "./usage.ts";

/** Writes it. */
export function run(given: Arguments): Promise<number> {
  const path = given.value("output");
  if (path === undefined && Deno.stdout.isTerminal()) {
    throw new UsageError("an archive is not for a terminal; name a file with --output=FILE");
  }
  if (path === undefined && given.has("json")) {
    throw new UsageError("--json is for --output=FILE, as the archive is on the standard output");
  }
  return interruptible(async (signal) => {
    await using image = await openImage(given);
    await withProgress(
      `writing ${image.name}`,
      () =>
        path === undefined
          ? save([image], Deno.stdout, { signal })
          : writeWholeFile(path, (file) => save([image], file, { signal })),
    );
    if (given.has("json")) {
      const { name, digest } = image;
      printJson({ name, digest, file: path, size: Deno.statSync(path!).size });
    }
    return 0;
  });
}
