/**
 * The thread that reads, hashes and decodes blobs, while that of the script makes files of what is in
 * them.
 *
 * @module
 */

import { BlobReader } from "./blob.ts";
import { type Answer, MOST_ON_THEIR_WAY, type Order, type Port } from "./decoding_messages.ts";
import { decompress } from "./decompress.ts";
import { ArchiveError } from "./errors.ts";
import { areWhole } from "./memory.ts";

/** Does what the script orders: it decodes one blob after the other. */
class DecodingThread {
  readonly #script: Port<Answer, Order>;
  /** How many pieces the script has not taken yet. */
  #onTheirWay = 0;
  /** Whether the script wants no more of this blob. */
  #ended = false;
  #wake = () => {};

  constructor(script: Port<Answer, Order>) {
    this.#script = script;
    script.onmessage = ({ data }) => this.#take(data);
  }

  #take(order: Order): void {
    if (order.kind === "decode") {
      [this.#onTheirWay, this.#ended] = [0, false];
      void this.#decode(order.path, order.digest);
      return;
    }
    if (order.kind === "taken") this.#onTheirWay -= order.pieces;
    else this.#ended = true;
    this.#wake();
  }

  async #decode(path: string, digest: string): Promise<void> {
    try {
      using blob = new BlobReader(path, digest);
      const issue = await this.#sendArchive(blob);
      blob.readToEnd();
      const size = blob.position;
      this.#script.postMessage({ kind: "end", digest: blob.digest, size, issue });
    } catch (error) {
      const { message, code } = error as Error & { readonly code?: string };
      this.#script.postMessage({ kind: "failed", message, code });
    }
  }

  /** Sends the archive, and returns what is wrong with it. */
  async #sendArchive(blob: BlobReader): Promise<string | undefined> {
    try {
      for await (const bytes of decompress(blob)) {
        while (this.#onTheirWay >= MOST_ON_THEIR_WAY && !this.#ended) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        if (this.#ended) break;
        this.#onTheirWay++;
        const transfer = areWhole(bytes) ? [bytes.buffer] : [];
        this.#script.postMessage({ kind: "piece", bytes, position: blob.position }, transfer);
      }
      return undefined;
    } catch (error) {
      if (error instanceof ArchiveError) return error.message;
      throw error;
    }
  }
}

new DecodingThread(globalThis as unknown as Port<Answer, Order>);
