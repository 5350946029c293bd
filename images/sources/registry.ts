/**
 * Images in registries, and in their mirrors.
 *
 * @module
 */

import { type Descriptor, DOCUMENT_LIMIT } from "../descriptor.ts";
import { ImageError } from "../errors.ts";
import { free } from "../layer/memory.ts";
import { type RegistryReference, shortReference } from "../reference.ts";
import type { RegistryOptions } from "../registry/options.ts";
import { Repository } from "../registry/repository.ts";
import { type Download, RESTART } from "../store/blobs.ts";
import { signaturesIn } from "../signatures/find.ts";
import type { FoundSignature } from "../signatures/signature.ts";
import type { ImageSource } from "./source.ts";

/** An image in a registry. */
export class RegistrySource implements ImageSource {
  readonly what: string;
  readonly #reference: RegistryReference;
  readonly #places: readonly Repository[];
  /** What was fetched for `find()`. */
  readonly #documents = new Map<string, Uint8Array>();

  private constructor(reference: RegistryReference, places: readonly Repository[]) {
    this.what = shortReference(reference);
    this.#reference = reference;
    this.#places = places;
  }

  /** Makes the connections to the registry and its mirrors; nothing is sent yet. */
  static async open(
    reference: RegistryReference,
    options: RegistryOptions,
    signal?: AbortSignal,
  ): Promise<RegistrySource> {
    const { registry, repository } = reference;
    const places: Repository[] = [];
    for (const mirror of [...options.mirrors?.[registry] ?? [], registry]) {
      const [host, ...prefix] = mirror.split("/");
      const name = [...prefix, repository].join("/");
      places.push(await Repository.open(host!, name, options, signal));
    }
    return new RegistrySource(reference, places);
  }

  async find(): Promise<readonly Descriptor[]> {
    const { tag, digest } = this.#reference;
    const what = `the manifest of ${this.what}`;
    const { descriptor, bytes } = await this.#first((place) =>
      place.manifest(what, digest ?? tag!, DOCUMENT_LIMIT)
    );
    this.#documents.set(descriptor.digest, bytes);
    return [descriptor];
  }

  async document(what: string, blob: Descriptor): Promise<Uint8Array> {
    return this.#documents.get(blob.digest) ??
      await this.#first((place) => place.document(what, blob, DOCUMENT_LIMIT));
  }

  download(blob: Descriptor): Download {
    const places = this.#places;
    const what = `the blob ${blob.digest} of ${this.what}`;
    return async function* (offset) {
      let at = offset;
      for (const place of places) {
        try {
          for await (const part of place.download(what, blob, at)) {
            at = part === RESTART ? 0 : at + part.length;
            yield part;
            if (part !== RESTART) free(part);
          }
          return;
        } catch (error) {
          if (place === places.at(-1) || !mayBeElsewhere(error)) throw error;
        }
      }
    };
  }

  /** Those of all places, as a mirror need not have the signatures too. */
  async *signatures(digest: string): AsyncGenerator<FoundSignature> {
    for (const place of this.#places) {
      try {
        yield* signaturesIn(place, digest);
      } catch (error) {
        if (place === this.#places.at(-1) || !mayBeElsewhere(error)) throw error;
      }
    }
  }

  /** The answer of the first place that has one. */
  async #first<T>(ask: (place: Repository) => Promise<T>): Promise<T> {
    for (const place of this.#places.slice(0, -1)) {
      try {
        return await ask(place);
      } catch (error) {
        if (!mayBeElsewhere(error)) throw error;
      }
    }
    return await ask(this.#places.at(-1)!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of this.#places) place[Symbol.dispose]();
    return await Promise.resolve();
  }
}

/** Whether another registry may have what this one does not give. */
function mayBeElsewhere(error: unknown): boolean {
  return error instanceof ImageError &&
    ["network", "not-found", "denied", "digest"].includes(error.code);
}
