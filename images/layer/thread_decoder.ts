/**
 * Decodes blobs on a thread of their own: decoding takes as long as all that is done with what comes
 * of it.
 *
 * @module
 */

import { hashFor } from "./blob.ts";
import { type Answer, type Order, type Port, SOME } from "./decoding_messages.ts";
import { type BlobDecoder, DecoderHere, type Decoding, type ReadBlob } from "./decoding.ts";
import { ArchiveError } from "./errors.ts";

const THREAD = new URL("./decoding_thread.ts", import.meta.url);

/** With fewer bytes a thread is not worth its start, which takes 40 ms. */
const WORTH_A_THREAD = 16 << 20;

/** Returns what decodes blobs with so many bytes in all: a thread where that is worth it, and may be. */
export function decoderFor(size: number): BlobDecoder {
  return size >= WORTH_A_THREAD && mayStart() ? new ThreadDecoder() : new DecoderHere();
}

/**
 * Whether a thread can be had without asking the user: its module is a file that may be read, and none
 * of those in a compiled program, which has only what is imported.
 */
function mayStart(): boolean {
  if (THREAD.protocol !== "file:" || Deno.build.standalone) return false;
  const file = { name: "read", path: THREAD } as const;
  return Deno.permissions.querySync(file).state === "granted";
}

/** Decodes on a thread, which ends with it. */
export class ThreadDecoder implements BlobDecoder {
  readonly #worker: Worker;
  readonly #inbox: Inbox;

  /** Starts the thread with its module. */
  constructor(module: URL = THREAD) {
    this.#worker = new Worker(module, { type: "module" });
    this.#inbox = new Inbox(this.#worker);
  }

  /** Begins with a blob. */
  decode(path: string, digest: string): Decoding {
    hashFor(digest, "digest");
    return new ThreadDecoding(this.#worker, this.#inbox, path, digest);
  }

  /** Ends the thread. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** What the thread has sent, until it is taken. */
class Inbox {
  readonly #waiting: Answer[] = [];
  #isBroken = false;
  #wake = () => {};

  constructor(worker: Worker) {
    const port: Port<Order, Answer> = worker;
    port.onmessage = ({ data }) => {
      this.#waiting.push(data);
      this.#wake();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#isBroken = true;
      this.#wake();
    };
  }

  /** The next answer; `undefined` where the thread has ended by an error of its own. */
  async next(): Promise<Answer | undefined> {
    while (this.#waiting.length === 0 && !this.#isBroken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.shift();
  }
}

class ThreadDecoding implements Decoding {
  readonly #port: Port<Order, Answer>;
  readonly #inbox: Inbox;
  readonly #path: string;
  readonly #digest: string;
  /** The decoding on this thread, where the other one could not be started. */
  #here: Decoding | undefined;
  #read: ReadBlob | undefined;
  #failure: Error | undefined;
  #position = 0;

  constructor(port: Port<Order, Answer>, inbox: Inbox, path: string, digest: string) {
    this.#port = port;
    this.#inbox = inbox;
    this.#path = path;
    this.#digest = digest;
    port.postMessage({ kind: "decode", path, digest });
  }

  get position(): number {
    return this.#here?.position ?? this.#position;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let taken = 1;; taken++) {
      const answer = await this.#inbox.next();
      if (answer === undefined) break;
      if (answer.kind === "failed") throw this.#failed(answer);
      if (answer.kind === "end") return this.#end(answer);
      this.#position = answer.position;
      yield answer.bytes;
      if (taken % SOME === 0) this.#port.postMessage({ kind: "taken", pieces: SOME });
    }
    yield* this.#decodeHere();
  }

  async end(): Promise<ReadBlob> {
    if (this.#here !== undefined) return await this.#here.end();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#read === undefined) this.#port.postMessage({ kind: "end" });
    while (this.#read === undefined) {
      const answer = await this.#inbox.next();
      if (answer === undefined) throw new Error(ENDED);
      if (answer.kind === "failed") throw this.#failed(answer);
      if (answer.kind === "end") this.#read = { digest: answer.digest, size: answer.size };
    }
    return this.#read;
  }

  [Symbol.dispose](): void {
    this.#here?.[Symbol.dispose]();
  }

  #end({ digest, size, issue }: Answer & { readonly kind: "end" }): void {
    this.#read = { digest, size };
    if (issue !== undefined) throw new ArchiveError(issue);
  }

  #failed({ message, code }: Answer & { readonly kind: "failed" }): Error {
    this.#failure = Object.assign(new Error(message), code !== undefined && { code });
    return this.#failure;
  }

  #decodeHere(): AsyncIterable<Uint8Array<ArrayBuffer>> {
    if (this.#position > 0) throw new Error(ENDED);
    this.#here = new DecoderHere().decode(this.#path, this.#digest);
    return this.#here;
  }
}

const ENDED = "the thread that decodes layers has ended";
