/**
 * `ramekin save`: writes an image as an archive.
 *
 * @module
 */

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
          : saveTo(path, (file) => save([image], file, { signal })),
    );
    if (given.has("json")) {
      const { name, digest } = image;
      printJson({ name, digest, file: path, size: Deno.statSync(path!).size });
    }
    return 0;
  });
}

/** Writes a file that is whole, or not there. */
async function saveTo(path: string, write: (file: Deno.FsFile) => Promise<void>): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      await write(file);
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw renamed(error, temporary, path);
  }
}

/** The error, about the file that was asked for and not the one that becomes it. */
function renamed(error: unknown, temporary: string, path: string): unknown {
  if (!(error instanceof Error) || !error.message.includes(temporary)) return error;
  error.message = error.message.replaceAll(temporary, path);
  return error;
}
