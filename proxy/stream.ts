/**
 * What the proxy reads from and writes to: a program of the container, and a host outside.
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
  /** The next bytes; empty at the end. */
  read(): Promise<Uint8Array>;
  /** Writes all the bytes, as fast as they are taken. */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that no more is written. */
  end(): Promise<void>;
  /** Closes it; who reads from it is at the end. */
  close(): void;
}

/** The socket of a program in the container. */
export class ClientStream implements Stream {
  readonly #reading: FdStream;
  /** A descriptor of its own, as one can only be waited for in one way. */
  readonly #writing: FdStream;

  /** Takes a socket over that does not block. */
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
      // A connection that is reset is at its end.
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

/** A connection of Deno's to a host outside. */
export class HostStream implements Stream {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(PART);
  #closed = false;

  /** Takes the connection over. */
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
