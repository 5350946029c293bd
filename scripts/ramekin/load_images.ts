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

/** Gets them. */
export function run(given: Arguments): Promise<number> {
  const path = given.operands[0]!;
  const name = given.value("name");
  return interruptible(async (signal) => {
    const images = await (async () => {
      using report = imageReport(given, path);
      return await load(path, {
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
