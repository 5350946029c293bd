/**
 * Sends blobs and manifests to a repository. See the distribution specification, "Push".
 *
 * @module
 */

import type { Descriptor } from "../descriptor.ts";
import { ImageError } from "../errors.ts";
import type { Repository } from "./repository.ts";
import { discard } from "./http.ts";

/** How much is sent at once; a registry may want more. */
export const CHUNK: number = 8 * 1024 * 1024;

/** The most that is sent at once, whatever a registry wants. */
const LARGEST = 256 * 1024 * 1024;

/** How often a registry may have no more of a blob than before, behind a part of it. */
const MOST_STANDING = 10;

/** A blob to be sent. */
export interface Upload {
  readonly blob: Descriptor;
  /** Another repository of the registry that has it. */
  readonly from?: string | undefined;
  /** Reads a part of it. */
  read(offset: number, size: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Is told how much has been sent. */
  readonly progress?: (bytes: number) => void;
}

/** Sends blobs and manifests to one repository. */
export class Uploads {
  readonly #repository: Repository;
  readonly #chunk: number;

  constructor(repository: Repository, chunk: number) {
    this.#repository = repository;
    this.#chunk = chunk;
  }

  get #scope(): string {
    return `repository:${this.#repository.name}:pull,push`;
  }

  /**
   * Sends a blob, unless the registry has it.
   *
   * @throws {ImageError} where the registry refuses it
   */
  async send(upload: Upload): Promise<"sent" | "mounted" | "there"> {
    if (await this.#isThere(upload.blob)) return "there";
    const location = await this.#begin(upload);
    if (location === undefined) return "mounted";
    await this.#sendTo(location, upload);
    return "sent";
  }

  async #isThere({ digest }: Descriptor): Promise<boolean> {
    const { name, connection } = this.#repository;
    const response = await connection.request({
      method: "HEAD",
      path: `${name}/blobs/${digest}`,
      scope: this.#scope,
      expects: [200, 404],
      what: `the blob ${digest}`,
    });
    await discard(response);
    return response.status === 200;
  }

  /** Begins to send it, and returns where to; `undefined` where the registry has it from elsewhere. */
  async #begin({ blob, from }: Upload): Promise<Destination | undefined> {
    const { name, connection } = this.#repository;
    const mount = from === undefined || from === name
      ? ""
      : `?mount=${blob.digest}&from=${encodeURIComponent(from)}`;
    const response = await connection.request({
      method: "POST",
      path: `${name}/blobs/uploads/${mount}`,
      scope: mount === "" ? this.#scope : `${this.#scope} repository:${from}:pull`,
      headers: { "content-length": "0" },
      expects: [201, 202],
      what: `the blob ${blob.digest}, to be sent`,
    });
    await discard(response);
    return response.status === 201 ? undefined : await this.#destination(response);
  }

  async #destination(response: Response, before?: Destination): Promise<Destination> {
    const { connection } = this.#repository;
    const location = response.headers.get("location");
    const url = location === null ? undefined : new URL(location, await connection.base());
    const found = url ?? before?.url;
    if (found === undefined) {
      throw new ImageError(`${connection.registry} does not say where to send a blob`, {
        code: "network",
      });
    }
    const least = Number(response.headers.get("oci-chunk-min-length") ?? 0);
    return {
      url: found,
      chunk: Math.min(Math.max(this.#chunk, before?.chunk ?? 0, least || 0), LARGEST),
    };
  }

  async #sendTo(begin: Destination, upload: Upload): Promise<void> {
    const { blob, progress } = upload;
    let destination = begin;
    let [at, standing] = [0, 0];
    // The last part goes with the request that ends it.
    while (blob.size - at > destination.chunk) {
      const bytes = await upload.read(at, destination.chunk);
      const response = await this.#sendChunk(destination, bytes, at, blob);
      destination = await this.#destination(response, destination);
      const sent = at + bytes.length;
      const received = receivedBy(response, sent);
      if (received <= at) standing++;
      if (received > sent || standing === MOST_STANDING) {
        const { registry } = this.#repository.connection;
        throw new ImageError(
          `${registry} does not take the blob ${blob.digest}: it says that it has ${received} bytes, ` +
            `where ${sent} were sent`,
          { code: "network" },
        );
      }
      at = received;
      progress?.(at);
    }
    await this.#end(destination, await upload.read(at, blob.size - at), at, blob);
    progress?.(blob.size);
  }

  async #sendChunk(
    { url }: Destination,
    body: Uint8Array<ArrayBuffer>,
    at: number,
    { digest }: Descriptor,
  ): Promise<Response> {
    const response = await this.#repository.connection.request({
      method: "PATCH",
      path: url,
      scope: this.#scope,
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `${at}-${at + body.length - 1}`,
      },
      body,
      // It has another part already: of a request that was made twice.
      expects: [202, 416],
      what: `a part of the blob ${digest}`,
    });
    await discard(response);
    return response;
  }

  async #end(
    { url }: Destination,
    body: Uint8Array<ArrayBuffer>,
    at: number,
    { digest }: Descriptor,
  ): Promise<void> {
    const end = new URL(url);
    end.searchParams.set("digest", digest);
    const response = await this.#repository.connection.request({
      method: "PUT",
      path: end,
      scope: this.#scope,
      headers: {
        "content-type": "application/octet-stream",
        ...(at > 0 && body.length > 0 && { "content-range": `${at}-${at + body.length - 1}` }),
      },
      body,
      expects: [201, 204],
      what: `the end of the blob ${digest}`,
    });
    await discard(response);
  }

  /**
   * Sends a manifest, and gives it a tag or its digest.
   *
   * @throws {ImageError} where the registry refuses it, or says that it is another one
   */
  async sendManifest(
    { digest, mediaType }: Descriptor,
    bytes: Uint8Array<ArrayBuffer>,
    reference: string,
  ): Promise<void> {
    const { name, connection } = this.#repository;
    const response = await connection.request({
      method: "PUT",
      path: `${name}/manifests/${reference}`,
      scope: this.#scope,
      headers: { "content-type": mediaType },
      body: bytes,
      expects: [201, 200, 202],
      what: `the manifest ${digest}`,
    });
    await discard(response);
    const told = response.headers.get("docker-content-digest");
    if (told === null || told === digest) return;
    throw new ImageError(`${connection.registry} has another manifest than it got: ${told}`, {
      code: "digest",
    });
  }
}

/** Where a blob is sent to. */
interface Destination {
  readonly url: URL;
  readonly chunk: number;
}

/** How many bytes the registry has. */
function receivedBy(response: Response, sent: number): number {
  const range = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.get("range") ?? "");
  if (response.status === 202) return sent;
  return range === null ? 0 : Number(range[1]) + 1;
}
