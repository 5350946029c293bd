/**
 * `ramekin commit`: makes an image of what a container has changed.
 *
 * @module
 */

import { commit } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { absolute, programOf } from "./image_flags.ts";
import { interruptible } from "./interruptible.ts";
import { openImage } from "./open_image.ts";
import { print, printJson } from "./output.ts";
import { withProgress } from "./progress.ts";
import { bytesOf } from "./units.ts";

/** Makes it. */
export function run(given: Arguments): Promise<number> {
  const [, changes, name] = given.operands;
  const [message, maxSize] = [given.value("message"), given.value("max-size")];
  return interruptible(async (signal) => {
    await using image = await openImage(given);
    await using made = await withProgress(`making ${name}`, () =>
      commit(image, name!, {
        changes: absolute(changes!),
        config: programOf(given),
        signal,
        ...(message !== undefined && { message }),
        ...(maxSize !== undefined && { maxBytes: bytesOf(maxSize, "max-size") }),
      }));
    if (given.has("json")) printJson({ name: made.name, digest: made.digest });
    else print(`${made.name}@${made.digest}`);
    return 0;
  });
}
