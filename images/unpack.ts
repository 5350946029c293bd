/**
 * Unpacks the layers of an image into a root of the store.
 *
 * @module
 */

import { chainIdOf, type ImageConfig } from "./config.ts";
import type { Descriptor } from "./descriptor.ts";
import { unpackLayers } from "./layer/mod.ts";
import type { Owners } from "./owners.ts";
import type { ProgressReporter } from "./progress.ts";
import { rootName, type RootRecord } from "./store/roots.ts";
import type { Session } from "./store/session.ts";
import type { Store } from "./store/store.ts";

/** What is unpacked, and for whom. */
export interface UnpackRequest {
  readonly config: ImageConfig;
  readonly layers: readonly Descriptor[];
  readonly owners: Owners;
  readonly progress?: ProgressReporter | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The most bytes of the archives. */
  readonly maxBytes: number;
}

/** An unpacked root. */
export interface UnpackedRoot extends RootRecord {
  /** Its name in the store. */
  readonly name: string;
}

/** Returns the root of the layers, which is unpacked unless it is there. The session keeps it. */
export async function unpack(
  store: Store,
  session: Session,
  { config, layers, owners, progress, signal, maxBytes }: UnpackRequest,
): Promise<UnpackedRoot> {
  const name = rootName(chainIdOf(config.diffIds), owners.name);
  await session.keep([name], signal);
  const record = await store.roots.have(name, session, (directory) => {
    const sources = layers.map(({ digest, size, mediaType }, index) => ({
      path: store.blobs.path(digest),
      digest,
      size,
      mediaType,
      diffId: config.diffIds[index]!,
    }));
    return owners.using((owners) =>
      unpackLayers(sources, directory, {
        owners,
        maxBytes,
        ...(signal !== undefined && { signal }),
        progress(index, bytes) {
          const { digest, size } = layers[index]!;
          progress?.({ kind: "unpack", digest, bytes, size });
        },
      })
    );
  }, signal);
  return { name, ...record };
}
