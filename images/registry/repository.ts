/**
 * One repository of a registry: its manifests and blobs, read.
 *
 * @module
 */

import type { Descriptor } from "../descriptor.ts";
import { algorithmOf, checkBytes, digestIssue, digestOf } from "../digest.ts";
import { ImageError } from "../errors.ts";
import { parseManifest } from "../manifest.ts";
import { isManifestType, MANIFEST_TYPES } from "../media_types.ts";
import { RESTART } from "../store/blobs.ts";
import { RegistryConnection } from "./connection.ts";
import { bodyOf, discard, readBody } from "./http.ts";
import type { RegistryOptions } from "./options.ts";
import { Tries } from "./retry.ts";

/** The bytes that count as progress, after which a download may be tried as often as at first. */
const PROGRESS = 1 << 20;

/** A manifest, and what it is. */
export interface FoundManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A repository of a registry. */
export class Repository implements Disposable {
  /** The repository's name in the registry. */
  readonly name: string;
  /** The connection to the registry. */
  readonly connection: RegistryConnection;
  readonly #options: RegistryOptions;
  readonly #signal: AbortSignal | undefined;

  private constructor(
    name: string,
    connection: RegistryConnection,
    options: RegistryOptions,
    signal: AbortSignal | undefined,
  ) {
    this.name = name;
    this.connection = connection;
    this.#options = options;
    this.#signal = signal;
  }

  /** Makes the connection; nothing is sent yet. */
  static async open(
    registry: string,
    name: string,
    options: RegistryOptions,
    signal?: AbortSignal,
  ): Promise<Repository> {
    const connection = await RegistryConnection.open(registry, name, options, signal);
    return new Repository(name, connection, options, signal);
  }

  /** What a request needs to be allowed that reads. */
  get pulling(): string {
    return `repository:${this.name}:pull`;
  }

  /**
   * Returns the manifest of a tag or digest.
   *
   * @throws {ImageError} where there is none, or it is not what its digest says
   */
  async manifest(what: string, reference: string, limit: number): Promise<FoundManifest> {
    const response = await this.connection.request({
      method: "GET",
      path: `${this.name}/manifests/${reference}`,
      scope: this.pulling,
      headers: { accept: MANIFEST_TYPES.join(", ") },
      expects: [200],
      what,
    });
    const type = response.headers.get("content-type")?.replace(/;.*/, "").trim();
    const told = response.headers.get("docker-content-digest");
    const bytes = await readBody(what, response, limit, this.connection.idleTimeout);
    const isDigest = digestIssue(reference) === undefined;
    const digest = isDigest ? reference : digestOf(bytes, algorithmIn(told));
    checkBytes(what, bytes, { digest });
    if (!isDigest && told !== null && digestIssue(told) === undefined) {
      checkBytes(what, bytes, { digest: told });
    }
    const { mediaType } = parseManifest(what, bytes, type);
    if (type !== undefined && isManifestType(type) && type !== mediaType) {
      throw new ImageError(`${what} came as ${type}, and says that it is ${mediaType}`, {
        code: "invalid",
      });
    }
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  /** Returns a manifest or a configuration of which the digest is known. */
  async document(what: string, blob: Descriptor, limit: number): Promise<Uint8Array> {
    if (isManifestType(blob.mediaType)) {
      const { bytes } = await this.manifest(what, blob.digest, limit);
      checkBytes(what, bytes, blob);
      return bytes;
    }
    if (blob.size > limit) {
      throw new ImageError(`${what} has ${blob.size} bytes, and ${limit} are the most`, {
        code: "invalid",
      });
    }
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for await (const part of this.download(what, blob, 0)) {
      if (part === RESTART) parts.length = 0;
      else parts.push(part);
    }
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    checkBytes(what, bytes, blob);
    return bytes;
  }

  /**
   * Gives the bytes of a blob from an offset on, and goes on where the connection breaks.
   *
   * @throws {ImageError} where it cannot be had
   */
  async *download(
    what: string,
    blob: Descriptor,
    offset: number,
  ): AsyncGenerator<Uint8Array<ArrayBuffer> | typeof RESTART> {
    const tries = new Tries(this.#options, this.#signal);
    // Some registries give a range that is not the one that was asked for.
    let mayAsk = true;
    for (let at = offset; at < blob.size;) {
      if (at > 0 && !mayAsk) {
        yield RESTART;
        at = 0;
      }
      const response = await this.#blob(what, blob, at);
      const begin = beginOf(response);
      if (begin !== at && begin !== 0) {
        await discard(response);
        if (at === 0) throw this.#noBlob(what, response);
        mayAsk = false;
        continue;
      }
      if (begin !== at) {
        yield RESTART;
        at = 0;
      }
      const before = at;
      try {
        for await (const part of bodyOf(response, this.connection.idleTimeout)) {
          at += part.length;
          yield part;
          if (at > blob.size) return;
        }
        if (at >= blob.size) return;
        throw new TypeError(`it ended after ${at} of ${blob.size} bytes`);
      } catch (error) {
        if (at - before >= PROGRESS) tries.reset();
        if (!(error instanceof TypeError)) throw error;
        if (await tries.next()) continue;
        throw this.#broken(what, error);
      }
    }
  }

  #blob(what: string, { digest }: Descriptor, at: number): Promise<Response> {
    return this.connection.request({
      method: "GET",
      path: `${this.name}/blobs/${digest}`,
      scope: this.pulling,
      // What is decoded on the way would be other bytes than those of the digest.
      headers: { "accept-encoding": "identity", ...(at > 0 && { range: `bytes=${at}-` }) },
      expects: [200, 206, 416],
      what,
    });
  }

  #noBlob(what: string, { status }: Response): ImageError {
    return new ImageError(`${this.connection.registry} gives no beginning of ${what} (${status})`, {
      code: "network",
    });
  }

  #broken(what: string, cause: Error): ImageError {
    return new ImageError(`${this.connection.registry} breaks off ${what}: ${cause.message}`, {
      code: "network",
      cause,
    });
  }

  [Symbol.dispose](): void {
    this.connection[Symbol.dispose]();
  }
}

/** Where the body of a response begins; -1 if nowhere. */
function beginOf(response: Response): number {
  if (response.status === 200) return 0;
  // Past the end: the file has more than the blob, or another one is served.
  if (response.status === 416) return -1;
  const range = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
  return range === null ? -1 : Number(range[1]);
}

function algorithmIn(digest: string | null): string | undefined {
  return digest !== null && digestIssue(digest) === undefined ? algorithmOf(digest) : undefined;
}
