/**
 * Where the script itself writes what programs have written.
 *
 * @module
 */

import { openOutput } from "../container/stdio_files.ts";
import { close } from "../ffi/calls/files.ts";
import { writeSome } from "../ffi/engine/transfer.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { Target } from "./pipeline.ts";

/** A place that is written to. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  /** Ends what was written; an open file stays open. */
  close(): Promise<void>;
  /** Closes what is open after a failure. */
  release(): void;
}

/** Several places that are written to. */
export class Sinks implements Disposable {
  readonly #sinks: Sink[] = [];

  /**
   * Opens targets for the script.
   *
   * @throws {SyscallError} if a file cannot be opened
   * @throws {TypeError} for a stream that is in use
   */
  constructor(targets: readonly Target[]) {
    try {
      for (const target of targets) this.#sinks.push(openSink(target));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Writes to all of them. */
  async write(bytes: Uint8Array): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.write(bytes)));
  }

  /** Ends them, after all was written. */
  async close(): Promise<void> {
    await Promise.all(this.#sinks.splice(0).map((sink) => sink.close()));
  }

  /** Closes them at the end of a `using` scope. */
  [Symbol.dispose](): void {
    for (const sink of this.#sinks.splice(0)) sink.release();
  }
}

function openSink({ target, append = false }: Target): Sink {
  if (typeof target === "string" || target instanceof URL) return fileSink(target, append);
  return "getWriter" in target ? streamSink(target) : openFileSink(target as Deno.FsFile);
}

/** Writes to an open file of Deno's, as the script's stderr is. */
export function openFileSink(file: Pick<Deno.FsFile, "write">): Sink {
  return {
    async write(bytes) {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    },
    close: async () => {},
    release: () => {},
  };
}

function fileSink(path: string | URL, append: boolean): Sink {
  const fd = openOutput(path, append, "output");
  const release = () => void syscall(close(fd));
  return {
    // deno-lint-ignore require-await -- errors are those of the promise
    async write(bytes) {
      for (let done = 0; done < bytes.length;) done += writeSome(fd, bytes.subarray(done));
    },
    // deno-lint-ignore require-await -- as above
    async close() {
      release();
    },
    release,
  };
}

function streamSink(stream: WritableStream<Uint8Array>): Sink {
  const writer = stream.getWriter();
  return {
    write: (bytes) => writer.write(bytes),
    close: () => writer.close(),
    release: () => writer.releaseLock(),
  };
}
