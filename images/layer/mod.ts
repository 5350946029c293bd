/**
 * Layers of images: unpacked into a root directory, and written.
 *
 * @module
 */

export { ArchiveError, LayerError, type LayerErrorCode } from "./errors.ts";
export { type IdMaps, type MappedOwners, openOwners, subordinateIds } from "./mapped_owners.ts";
export type { MappedIds, Owners } from "./owners.ts";
export { emptyDirectory } from "./remove_tree.ts";
export { readLayer } from "./read_layer.ts";
export type { TarEntry } from "./tar/entry.ts";
export { type IndexedEntry, readTarIndex } from "./tar/index_of.ts";
export {
  type LayerSource,
  type LeftOut,
  unpackLayers,
  type UnpackOptions,
  type UnpackSummary,
} from "./unpack_layers.ts";
export { writeLayer, type WriteLayerOptions, type WrittenLayer } from "./write_layer.ts";
export {
  dataOf,
  deviceOf,
  inside,
  KINDS,
  LayerSize,
  OPAQUE,
  refuseWhiteout,
  signEntry,
} from "./layer_entries.ts";
export { writeLayerFile, type WrittenBlob } from "./layer_file.ts";
export { END_OF_ARCHIVE, headerOf, type NewEntry, paddingOf } from "./tar/writer.ts";
