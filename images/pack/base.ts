/**
 * What the layers of a base say of some of its files: the owners and permissions that a directory keeps
 * when something is added to it. The unpacked files of an ordinary user have others.
 *
 * @module
 */

import { isOverlayNote } from "../../ffi/files/overlay_notes.ts";
import type { Image } from "../image.ts";
import { readLayer, type TarEntry } from "../layer/mod.ts";

/** What a file is like in a base. */
export type BaseAttributes = Pick<TarEntry, "mode" | "uid" | "gid" | "xattrs">;

/** What a directory is like that no layer names. */
export const UNNAMED: BaseAttributes = { mode: 0o755, uid: 0, gid: 0, xattrs: [] };

/**
 * Reads the layers from the topmost on, until all of these paths are found. Links are not followed: the
 * paths have none.
 */
export async function baseAttributes(
  image: Image,
  paths: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, BaseAttributes>> {
  const found = new Map<string, BaseAttributes>();
  for (const { digest } of image.layers.toReversed()) {
    if (found.size === paths.size) break;
    const here = new Map<string, BaseAttributes>();
    await readLayer(image.blobPath(digest), (entry) => {
      const path = entry.name.split("/").filter((part) => part !== "" && part !== ".").join("/");
      if (!paths.has(path) || found.has(path)) return;
      here.set(path, { ...entry, xattrs: entry.xattrs.filter(({ name }) => !isOverlayNote(name)) });
    }, signal);
    // Of a layer the last entry of a name counts.
    for (const [path, attributes] of here) found.set(path, attributes);
  }
  return found;
}
