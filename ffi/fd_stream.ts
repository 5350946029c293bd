/**
 * A descriptor as a stream: it is read and written while the script's thread goes on.
 *
 * @module
 */

import { Slot } from "./call.ts";
import { close, F_SETPIPE_SZ, fcntl } from "./calls/files.ts";
import { POLLIN, ppoll } from "./calls/polling.ts";
import { readSome, writeSome } from "./engine/transfer.ts";
import { reactor, type Watch } from "./reactor.ts";
import { Routine } from "./routine.ts";
import { syscall, syscalls } from "./syscalls.ts";

/** How many reads in a row may find something before the event loop gets its turn. */
const READS_A_TURN = 64;

/** The size of a new pipe, and the largest that an unprivileged user gets (fs.pipe-max-size). */
const PIPE_SIZE = 64 * 1024, LARGE_PIPE_SIZE = 1024 * 1024;

/** One side of a pipe, a socket or a terminal, which the script holds. */
export class FdStream {
  readonly #watch: Watch;
  /** How many reads may be tried before the next wait. */
  #tries: number;
  #stopsAtEof = false;
  #grown = false;
  /** Whether the last read has found much: then more follows at once. */
  #flows = false;

  /** Takes over the descriptor; one that is `blocking` is read only when it is readable. */
  constructor(readonly fd: number, readonly blocking: boolean = false) {
    this.#watch = reactor().watch(fd);
    this.#tries = blocking ? 0 : READS_A_TURN;
  }

  /** Returns the next bytes; none at the end. */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      if (this.#watch.closed) return new Uint8Array();
      const bytes = this.#tries-- > 0 ? this.#readNow() : undefined;
      this.#flows = bytes !== undefined && bytes.length >= PIPE_SIZE;
      if (bytes !== undefined) {
        if (bytes.length === PIPE_SIZE) this.#grow();
        return bytes;
      }
      if (this.#stopsAtEof) return new Uint8Array();
      await this.#watch.ready("readable");
      this.#tries = this.blocking ? 1 : READS_A_TURN;
    }
  }

  /** Returns what is there, or what comes within a moment. */
  #readNow(): Uint8Array<ArrayBuffer> | undefined {
    const bytes = readSome(this.fd);
    if (bytes !== undefined || !this.#flows) return bytes;
    // The way to the pool and back takes as long, on a processor that the writer could use.
    WAITING.run(this.fd);
    return readSome(this.fd);
  }

  /** Reads everything up to the end. */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    for (;;) {
      const bytes = await this.read();
      if (bytes.length === 0) return;
      yield bytes;
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

  /** Makes the end of what can be read now the end of the stream, even if the other side is open. */
  stopAtEof(): void {
    this.#stopsAtEof = true;
    if (!this.blocking) this.#tries = READS_A_TURN;
    this.#watch.signal();
  }

  /** Lets a pending read or write keep the event loop alive, as it does at first. */
  ref(): void {
    this.#watch.ref();
  }

  /** Lets the event loop end while a read or write is pending. */
  unref(): void {
    this.#watch.unref();
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

  /** Enlarges a pipe that was full, as far as an unprivileged user may (pipe(7)). */
  #grow(): void {
    if (this.#grown) return;
    this.#grown = true;
    // A user may have only so many large pipes, and the descriptor may not be a pipe.
    const call = fcntl(this.fd, F_SETPIPE_SZ, LARGE_PIPE_SIZE);
    syscalls([{ call, accept: ["EPERM", "EBUSY", "EBADF", "ENOMEM"] }]);
  }
}

const FD = new Slot("fd", 4);

/** Waits for a fifth of a millisecond. */
const WAITING = new Routine([FD], [{
  call: ppoll([{ fd: FD, events: POLLIN }], 0.2),
  accept: ["EINTR"],
}]);
