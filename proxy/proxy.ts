/**
 * The proxy of a container: the script accepts connections on a socket in the container's network,
 * and connects to hosts from its own.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { accept } from "../ffi/calls/sockets.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import { ifThere } from "../ffi/missing.ts";
import { syscall } from "../ffi/syscalls.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { serve } from "./connection.ts";
import type { Connect } from "./hosts.ts";
import { ClientStream, type Stream } from "./stream.ts";

/** The number of connections that are served at once; further ones wait. */
const AT_ONCE = 256;

/**
 * The errnos of accept4(2) when there is no connection to take: none is queued, or the client has
 * gone (accept(2)). Without descriptors or memory the queue keeps it, to be tried again.
 */
const NO_CONNECTION: readonly ErrnoName[] = [
  "EAGAIN",
  "ECONNABORTED",
  "EPERM",
  "EPROTO",
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
];

/** Serves the programs of a container, without keeping the script alive. */
export class ContainerProxy {
  readonly #listener: number;
  readonly #watch: Watch;
  readonly #connect: Connect;
  readonly #open = new Set<Stream>();
  /** Resolves the wait of {@linkcode #serve} for an open place. */
  #whenFewer: (() => void) | undefined;

  /** Takes ownership of a nonblocking socket that listens. */
  constructor(listener: number, connect: Connect) {
    this.#listener = listener;
    this.#watch = reactor().watch(listener);
    this.#watch.unref();
    this.#connect = async (to) => this.#noted(await connect(to));
    void this.#accept();
  }

  /** Closes the socket, and all connections. */
  close(): void {
    if (this.#watch.closed) return;
    this.#watch.close();
    syscall(close(this.#listener));
    this.#whenFewer?.();
    for (const stream of this.#open) stream.close();
  }

  async #accept(): Promise<void> {
    while (!this.#watch.closed) {
      const socket = this.#next();
      if (socket === undefined) await this.#watch.ready("readable");
      else await this.#serve(socket);
    }
  }

  /** Returns the next connection that waits, `undefined` if none does. */
  #next(): number | undefined {
    return ifThere(() => syscall(accept(this.#listener)), NO_CONNECTION);
  }

  /** Serves a connection; resolves when there is room for another. */
  async #serve(socket: number): Promise<void> {
    const client = this.#noted(new ClientStream(socket));
    void serve(client, this.#connect).finally(() => this.#whenFewer?.());
    if (this.#open.size < AT_ONCE) return;
    await new Promise<void>((resolve) => this.#whenFewer = resolve);
    this.#whenFewer = undefined;
  }

  /** Returns the stream, to be closed with the proxy unless it is closed before. */
  #noted(stream: Stream): Stream {
    const open = this.#open;
    const noted: Stream = {
      read: () => stream.read(),
      write: (bytes) => stream.write(bytes),
      end: () => stream.end(),
      close() {
        open.delete(noted);
        stream.close();
      },
    };
    if (this.#watch.closed) stream.close();
    else open.add(noted);
    return noted;
  }
}
