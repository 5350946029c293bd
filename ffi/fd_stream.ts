/**
 * A descriptor that is read and written without blocking the script.
 *
 * @module
 */

import { close, F_SETPIPE_SZ, fcntl } from "./calls/files.ts";
import { readSome, writeSome } from "./engine/transfer.ts";
import { reactor, type Watch } from "./reactor.ts";
import { syscall, syscalls } from "./syscalls.ts";

/** How many reads in a row may find something before the event loop gets its turn. */
const READS_A_TURN = 64;

/** What a pipe holds at first, and at most for an ordinary user (sysctl fs.pipe-max-size). */
const PIPE_SIZE = 64 * 1024, LARGE_PIPE_SIZE = 1024 * 1024;

/** A descriptor of the script's that is one side of a pipe or a terminal. */
export class FdStream {
  readonly #watch: Watch;
  #readsThisTurn = 0;
  #abandoned = false;
  #grown = false;

  /** Takes the descriptor over; where it may block, it is only read when there is something. */
  constructor(readonly fd: number, readonly blocking: boolean = false) {
    this.#watch = reactor().watch(fd);
    if (blocking) this.#readsThisTurn = READS_A_TURN;
  }

  /** The next bytes; empty at the end. */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      if (this.#watch.closed) return new Uint8Array();
      const bytes = this.#readsThisTurn < READS_A_TURN ? readSome(this.fd) : undefined;
      this.#readsThisTurn++;
      if (bytes !== undefined) {
        if (bytes.length === PIPE_SIZE) this.#grow();
        return bytes;
      }
      if (this.#abandoned) return new Uint8Array();
      await this.#watch.ready("readable");
      this.#readsThisTurn = this.blocking ? READS_A_TURN - 1 : 0;
    }
  }

  /** Everything up to the end. */
  async readAll(): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const bytes = await this.read();
      if (bytes.length === 0) return parts.length === 1 ? parts[0]! : concat(parts);
      parts.push(bytes);
    }
  }

  /** Writes all the bytes, as fast as they are taken. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (this.#watch.closed) throw new Deno.errors.BrokenPipe("the stream is closed");
      const count = writeSome(this.fd, bytes.subarray(done));
      done += count;
      if (count === 0) await this.#watch.ready("writable");
    }
  }

  /** Takes what is there for the end, as whoever is left on the other side will not be waited for. */
  abandon(): void {
    this.#abandoned = true;
    if (!this.blocking) this.#readsThisTurn = 0;
    this.#watch.signal();
  }

  /** A pipe that was full is made as large as an ordinary user may have it (pipe(7)). */
  #grow(): void {
    if (this.#grown) return;
    this.#grown = true;
    // A user may have only so many large pipes, and a terminal is none.
    const call = fcntl(this.fd, F_SETPIPE_SZ, LARGE_PIPE_SIZE);
    syscalls([{ call, accept: ["EPERM", "EBUSY", "EBADF", "ENOMEM"] }]);
  }

  /** Says whether waiting for it keeps the event loop alive. */
  keepAlive(ref: boolean): void {
    this.#watch.keepAlive(ref);
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#watch.closed;
  }

  /** Closes the descriptor. */
  close(): void {
    if (this.#watch.closed) return;
    this.#watch.close();
    syscall(close(this.fd));
  }
}

/** The parts as one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
