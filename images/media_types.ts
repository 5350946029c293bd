/**
 * The media types of images: of the OCI, and of Docker's schema 2, which means the same.
 *
 * @module
 */

/** A manifest of the OCI. */
export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
/** An index of the OCI: manifests of several platforms. */
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
/** A configuration of the OCI. */
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
/** A layer of the OCI that is not compressed. */
export const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";
/** A manifest of Docker. */
export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
/** Docker's manifests of several platforms. */
export const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
/** A configuration of Docker. */
export const DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";

/** What is accepted in place of a manifest: a registry converts, or finds nothing, without all four. */
export const MANIFEST_TYPES: readonly string[] = [
  OCI_INDEX,
  OCI_MANIFEST,
  DOCKER_LIST,
  DOCKER_MANIFEST,
];

/** Whether it is the media type of a manifest or an index. */
export function isManifestType(type: string): boolean {
  return MANIFEST_TYPES.includes(type);
}

/** Whether it is the media type of the configuration of an image that can be run. */
export function isConfigType(type: string): boolean {
  return type === OCI_CONFIG || type === DOCKER_CONFIG;
}

/** What stands in the way of a layer of this media type; `undefined` if it can be unpacked. */
export function layerIssue(type: string): string | undefined {
  if (/\+encrypted$/.test(type)) {
    return "is encrypted, which cannot be unpacked here: decrypt it with skopeo copy --decryption-key";
  }
  if (isForeign(type)) {
    return "is a foreign layer, which its registry must not give away: those of Windows are";
  }
  if (LAYER.test(type)) return undefined;
  return `has the media type ${JSON.stringify(type)}, which is none of a layer`;
}

/** Layers, compressed by what their suffix says or their content, which is looked at. */
const LAYER =
  /^application\/vnd\.(oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)([.+](gzip|zstd|xz|bzip2))?$/;

/** Whether a layer of the type is not to be copied to other registries. */
export function isForeign(type: string): boolean {
  return /\.(nondistributable|foreign)\./.test(type);
}
