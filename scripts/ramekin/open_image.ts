/**
 * The image of the store that a command line names.
 *
 * @module
 */

import { type Image, ImageError, storedImage, storedImages } from "../../images/mod.ts";
import type { Arguments } from "./arguments.ts";
import { platformOf } from "./image_flags.ts";

/** Opens the image of the first operand. */
export async function openImage(given: Arguments): Promise<Image> {
  const name = given.operands[0]!;
  const platform = platformOf(given);
  const image = await storedImage(name, platform === undefined ? {} : { platform });
  if (image !== undefined) return image;
  throw new ImageError(`there is no image ${name} in the store`, {
    code: "not-found",
    advice: [
      await otherTags(name) ??
        `ramekin pull ${name} gets it; ramekin images lists those that there are`,
    ],
  });
}

/** The images of the same repository, in words. */
async function otherTags(name: string): Promise<string | undefined> {
  const images = await storedImages();
  const tags = images.flatMap(({ shortName }) => shortName.startsWith(`${name}:`) ? shortName : []);
  return tags.length === 0 ? undefined : `there is ${tags.join(", ")}`;
}
