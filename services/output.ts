/**
 * What a service writes: to a log, line by line to the script, or to the script's own streams.
 *
 * @module
 */

import { write } from "../ffi/calls/files.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { LogFile, type LogFileOptions } from "./log_file.ts";

/** One line of a service, without its end. */
export type LineHandler = (line: string, stream: "stdout" | "stderr") => void;

/** Where the lines of a service go. */
export type ServiceLog = "inherit" | "null" | LogFileOptions | LineHandler;

/** The longest line, in bytes: a longer one is cut into several. */
const LONGEST = 64 * 1024;

/** Where the output of one service goes. */
export class ServiceOutput implements Disposable {
  readonly #log: "inherit" | "null" | LogFile | LineHandler;

  /** @throws {SyscallError} if the file of the log cannot be opened */
  constructor(log: ServiceLog) {
    this.#log = typeof log === "object" ? new LogFile(log) : log;
  }

  /**
   * Passes one stream on to its end, by whole lines, so that those of two streams do not mix.
   *
   * @param watch sees each line too
   * @param failed is told of what could not be logged, which is lost: a full disk ends no service
   */
  async pass(
    stream: ReadableStream<Uint8Array>,
    name: "stdout" | "stderr",
    { watch, failed }: {
      readonly watch: (line: string) => void;
      readonly failed: (error: unknown) => void;
    },
  ): Promise<void> {
    const take = (bytes: Uint8Array) => {
      try {
        this.#take(bytes, name, watch);
      } catch (error) {
        failed(error);
      }
    };
    let rest = new Uint8Array();
    for await (const chunk of stream) {
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      const end = bytes.length >= LONGEST ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
      if (end > 0) take(bytes.subarray(0, end));
      rest = bytes.slice(end);
    }
    if (rest.length > 0) take(rest);
  }

  #take(bytes: Uint8Array, name: "stdout" | "stderr", watch: (line: string) => void): void {
    const log = this.#log;
    if (log instanceof LogFile) log.write(bytes);
    else if (log === "inherit") writeTo(name === "stdout" ? 1 : 2, bytes);
    const lines = new TextDecoder().decode(bytes).replace(/\n$/, "").split("\n");
    for (const line of lines) {
      if (typeof log === "function") log(line, name);
      watch(line);
    }
  }

  [Symbol.dispose](): void {
    if (this.#log instanceof LogFile) this.#log[Symbol.dispose]();
  }
}

const NEWLINE = 10;

/** Writes to a stream of the script's; what nobody reads any more is dropped. */
function writeTo(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    const part = bytes.slice(done, done + LONGEST);
    const call = write(fd, part, part.length);
    const written = Number(syscalls([{ call, accept: ["EPIPE", "EAGAIN"] }]).result(call));
    if (written <= 0) return;
    done += written;
  }
}
