/**
 * The streams of the proxy: to a program of the container, and to a host outside.
 *
 * @module
 */

import { close, F_DUPFD_CLOEXEC, fcntl } from "../ffi/calls/files.ts";
import { shutdownWrite } from "../ffi/calls/sockets.ts";
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

/** The socket of a program in the container. */
export class ClientStream implements Stream {
  readonly #reading: FdStream;
  /** A second descriptor, as the reactor watches each one in one direction. */
  readonly #writing: FdStream;

  /** Takes ownership of a nonblocking socket. */
  constructor(socket: number) {
    let other: number;
    try {
      other = syscall(fcntl(socket, F_DUPFD_CLOEXEC, 3));
    } catch (error) {
      syscall(close(socket));
      throw error;
    }
    this.#reading = new FdStream(socket);
    this.#writing = new FdStream(other);
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

const PART = 64 * 1024;

/** A connection to a host outside, by Deno. */
export class HostStream implements Stream {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(PART);
  #closed = false;

  /** Takes ownership of the connection. */
  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    connection.unref();
  }

  async read(): Promise<Uint8Array> {
    try {
      const count = await this.#connection.read(this.#buffer);
      return this.#buffer.subarray(0, count ?? 0);
    } catch {
      return new Uint8Array();
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += await this.#connection.write(bytes.subarray(done));
    }
  }

  async end(): Promise<void> {
    await this.#connection.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }
}
