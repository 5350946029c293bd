/**
 * Where an image is written to.
 *
 * @module
 */

import { resolve } from "node:path";
import { addToLayout } from "../archive/layout.ts";
import { save } from "../archive/save.ts";
import { writeWholeFile } from "../archive/whole_file.ts";
import { ImageError } from "../errors.ts";
import type { Image } from "../image.ts";
import { newName } from "../new_image.ts";
import { parseReference } from "../reference.ts";

/** Where an image is written to. */
export interface PackOutput {
  /** The name that it has there. */
  readonly name: string | undefined;
  /** Writes it to a file or a directory; without this it stays in the store. */
  readonly write?: (image: Image, signal: AbortSignal | undefined) => Promise<void>;
}

/**
 * Reads where an image is written to.
 *
 * @throws {ImageError} where none can be
 */
export function packOutput(text: string): PackOutput {
  const reference = parseReference(text);
  if (reference.transport === "registry") {
    if (/^[^/:@]+\.(tar|tgz|gz)$/.test(text)) {
      throw new ImageError(`${text} would be a name in the store, and looks like a file`, {
        code: "reference",
        advice: [`a file is oci-archive:${text}; the name is ${text}:latest`],
      });
    }
    return { name: newName(text) };
  }
  const { transport, image: name, digest } = reference;
  if (transport === "dir" || digest !== undefined) {
    throw new ImageError(`no image is written to ${text}`, {
      code: "reference",
      advice: [
        "it is a name, oci:DIRECTORY:TAG, oci-archive:FILE:NAME or docker-archive:FILE:NAME",
      ],
    });
  }
  const path = resolve(Deno.cwd(), reference.path);
  if (transport === "oci") {
    return { name, write: (image, signal) => addToLayout(image, path, name, signal) };
  }
  // In an archive of docker's each name is one of a registry's; in a layout it may be any text.
  const whole = transport === "docker-archive" && name !== undefined ? newName(name) : name;
  return {
    name: whole,
    write: (image, signal) =>
      writeWholeFile(path, (file) => save([image], file, signal === undefined ? {} : { signal })),
  };
}
