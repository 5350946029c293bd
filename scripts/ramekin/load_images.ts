/**
 * `ramekin load`: gets the images of an archive.
 *
 * @module
 */

import { load } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { pullOptions } from "./image_flags.ts";
import { imageReport } from "./image_report.ts";
import { interruptible } from "./interruptible.ts";
import { told } from "./pull.ts";
import { UsageError } from "./usage.ts";

/** Gets them. */
export function run(given: Arguments): Promise<number> {
  const path = given.operands[0]!;
  const name = given.value("name");
  return interruptible(async (signal) => {
    const images = await (async () => {
      using report = imageReport(given, path === "-" ? "the standard input" : path);
      await using file = path === "-" ? await standardInput(signal) : undefined;
      return await load(file?.path ?? path, {
        ...pullOptions(given),
        signal,
        progress: report.report,
        ...(name !== undefined && { name }),
      });
    })();
    for (const image of images) {
      await told(given, image);
      await image[Symbol.asyncDispose]();
    }
    return 0;
  });
}

/** What comes by the standard input, in a file for the time being: an archive is read to and fro. */
async function standardInput(signal: AbortSignal): Promise<AsyncDisposable & { path: string }> {
  if (Deno.stdin.isTerminal()) {
    throw new UsageError("an archive does not come from a terminal: ramekin load - < FILE");
  }
  const path = await Deno.makeTempFile({ prefix: "ramekin-load-" });
  const file = { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
  try {
    using opened = await Deno.open(path, { write: true });
    await Deno.stdin.readable.pipeTo(opened.writable, { signal });
  } catch (error) {
    await file[Symbol.asyncDispose]();
    // The stream has closed it.
    throw error;
  }
  return file;
}
