/**
 * The blob of a layer while it is read, hashed and decoded.
 *
 * @module
 */

import { BlobReader } from "./blob.ts";
import { decompress } from "./decompress.ts";

/** What a blob was, once it is read. */
export interface ReadBlob {
  /** Its digest, in hexadecimal digits. */
  readonly digest: string;
  readonly size: number;
}

/** The decoding of one blob; its archive comes in pieces. */
export interface Decoding extends AsyncIterable<Uint8Array<ArrayBuffer>>, Disposable {
  /** How many bytes of the blob were read. */
  readonly position: number;
  /** Reads what is left of the blob, without decoding it. */
  end(): Promise<ReadBlob>;
}

/** Decodes blobs, one after the other. */
export interface BlobDecoder extends Disposable {
  /**
   * Begins with a blob.
   *
   * @param digest what its digest has to be, by which the algorithm is known
   */
  decode(path: string, digest: string): Decoding;
}

/** Decodes on the thread of the script. */
export class DecoderHere implements BlobDecoder {
  /** Begins with a blob. */
  decode(path: string, digest: string): Decoding {
    return new DecodingHere(path, digest);
  }

  /** Does nothing. */
  [Symbol.dispose](): void {}
}

class DecodingHere implements Decoding {
  readonly #blob: BlobReader;

  constructor(path: string, digest: string) {
    this.#blob = new BlobReader(path, digest);
  }

  get position(): number {
    return this.#blob.position;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array<ArrayBuffer>> {
    return decompress(this.#blob)[Symbol.asyncIterator]();
  }

  end(): Promise<ReadBlob> {
    this.#blob.readToEnd();
    return Promise.resolve({ digest: this.#blob.digest, size: this.#blob.position });
  }

  [Symbol.dispose](): void {
    this.#blob[Symbol.dispose]();
  }
}
