/**
 * Opens the place that a reference names.
 *
 * @module
 */

import type { FileReference, Reference } from "../reference.ts";
import type { RegistryOptions } from "../registry/options.ts";
import type { Session } from "../store/session.ts";
import { openArchive } from "./archive_files.ts";
import { DirectorySource } from "./directory.ts";
import { DockerArchiveSource } from "./docker_archive.ts";
import { DirectoryFiles, type FileSet } from "./file_set.ts";
import { LayoutSource } from "./layout.ts";
import { RegistrySource } from "./registry.ts";
import type { ImageSource } from "./source.ts";

/**
 * Opens a place.
 *
 * @throws {ImageError} where files are missing, or not of that kind
 */
export async function openSource(
  reference: Reference,
  session: Session,
  options: RegistryOptions & { readonly maxBytes: number },
  signal?: AbortSignal,
): Promise<ImageSource> {
  if (reference.transport === "registry") {
    return await RegistrySource.open(reference, options, signal);
  }
  return await FILES[reference.transport](reference, session, options.maxBytes);
}

type Open = (
  reference: FileReference,
  session: Session,
  maxBytes: number,
) => Promise<ImageSource>;

const FILES: Readonly<Record<FileReference["transport"], Open>> = {
  oci: async (reference) => new LayoutSource(await directory(reference), reference),
  dir: async (reference) => new DirectorySource(await directory(reference), reference),
  "oci-archive": async (reference, session, maxBytes) =>
    new LayoutSource(await openArchive(reference.path, session, maxBytes), reference),
  "docker-archive": async (reference, session, maxBytes) =>
    new DockerArchiveSource(await openArchive(reference.path, session, maxBytes), reference),
};

async function directory({ path }: FileReference): Promise<FileSet> {
  return await DirectoryFiles.open(path);
}
