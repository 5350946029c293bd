/**
 * The streams of the proxy: to a program of the container, and to a host outside.
 *
 * @module
 */

import { close, F_DUPFD_CLOEXEC, fcntl } from "../ffi/calls/files.ts";
import { shutdownWrite } from "../ffi/calls/ip_sockets.ts";
import { SyscallError } from "../ffi/errors.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { FdStream } from "../ffi/fd_stream.ts";

/** One side of a connection. */
export interface Stream {
  /** Returns the next bytes; none at the end. */
  read(): Promise<Uint8Array>;
  /** Writes all the bytes; resolves when they are accepted. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the writing direction. */
  end(): Promise<void>;
  /** Closes the stream; a pending read ends. */
  close(): void;
}

/** A connected socket: to a program of the container, or to a host outside. */
export class SocketStream implements Stream {
  readonly #reading: FdStream;
  /** A second descriptor, as the reactor watches each one in one direction. */
  readonly #writing: FdStream;

  /** Takes ownership of a nonblocking socket, which is closed if that fails. */
  constructor(socket: number) {
    let reading: FdStream | undefined;
    let other: number | undefined;
    try {
      reading = new FdStream(socket);
      other = syscall(fcntl(socket, F_DUPFD_CLOEXEC, 3));
      this.#reading = reading;
      this.#writing = new FdStream(other);
    } catch (error) {
      if (reading === undefined) syscall(close(socket));
      else reading.close();
      if (other !== undefined) syscall(close(other));
      throw error;
    }
    for (const channel of [this.#reading, this.#writing]) channel.unref();
  }

  async read(): Promise<Uint8Array> {
    try {
      return await this.#reading.read();
    } catch (error) {
      // A reset is the end of the connection.
      if (error instanceof SyscallError) return new Uint8Array();
      throw error;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#writing.write(bytes);
  }

  end(): Promise<void> {
    if (!this.#writing.closed) {
      syscalls([{ call: shutdownWrite(this.#writing.fd), accept: ["ENOTCONN"] }]);
    }
    return Promise.resolve();
  }

  close(): void {
    this.#reading.close();
    this.#writing.close();
  }
}
