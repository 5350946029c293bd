/**
 * `ramekin push`: sends an image to a registry.
 *
 * @module
 */

import { push } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { registryOptions } from "./image_flags.ts";
import { imageReport } from "./image_report.ts";
import { interruptible } from "./interruptible.ts";
import { openImage } from "./open_image.ts";
import { print, printJson } from "./output.ts";

/** Sends it. */
export function run(given: Arguments): Promise<number> {
  return interruptible(async (signal) => {
    await using image = await openImage(given);
    const to = given.operands[1] ?? image.name;
    const reference = await (async () => {
      using report = imageReport(given, to);
      const options = { ...registryOptions(given), signal, progress: report.report };
      return await push(image, to, options);
    })();
    if (given.has("json")) printJson({ reference, digest: image.digest });
    else print(reference);
    return 0;
  });
}
