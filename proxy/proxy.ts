/**
 * The proxy of a container: the script accepts connections on a socket in the container's network,
 * and connects to hosts from its own.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { accept } from "../ffi/calls/ip_sockets.ts";
import { prlimit64, readRlimit, rlimitOutput, RLIMITS } from "../ffi/calls/limits.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import { ifThere } from "../ffi/missing.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { serve } from "./connection.ts";
import { type Connect, dial } from "./dial.ts";
import { describeDestination, type Hosts } from "./hosts.ts";
import { Semaphore } from "./semaphore.ts";
import { SocketStream, type Stream } from "./stream.ts";

/** The largest number of connections that are served at once; further ones wait. */
const AT_ONCE = 128;

/** The descriptors of a connection: two for the program, and two for the host. */
const DESCRIPTORS = 4;

/** The part of the script's descriptors that one container may take. */
const SHARE = 1 / 4;

/** The pause after an error that is not of one connection, in milliseconds. */
const PAUSE = 100;

/** The errnos of accept4(2) where no connection is queued, or its client has gone (accept(2)). */
const NO_CONNECTION: readonly ErrnoName[] = ["EAGAIN", "ECONNABORTED", "EPERM", "EPROTO"];

/**
 * Serves the programs of a container, without keeping the script alive. What goes wrong here is of
 * these programs' making, so it ends connections and never the script.
 */
export class ContainerProxy {
  readonly #listener: number;
  readonly #watch: Watch;
  readonly #connect: Connect;
  readonly #open = new Set<Stream>();
  readonly #places = new Semaphore(connectionsAtOnce());

  /**
   * Takes ownership of a nonblocking socket that listens.
   *
   * @param refused is called with each host that is not granted
   */
  constructor(listener: number, hosts: Hosts, refused: (host: string) => void = () => {}) {
    this.#listener = listener;
    this.#watch = reactor().watch(listener);
    this.#watch.unref();
    this.#connect = async (to) => {
      if (!hosts.has(to)) refused(describeDestination(to));
      return this.#noted(await dial(to, hosts, () => !this.#watch.closed));
    };
    void this.#accept();
  }

  /** Closes the socket, and all connections. */
  close(): void {
    if (this.#watch.closed) return;
    this.#watch.close();
    syscall(close(this.#listener));
    for (const stream of this.#open) stream.close();
  }

  async #accept(): Promise<void> {
    while (!this.#watch.closed) {
      try {
        await this.#acceptNext();
      } catch {
        // Without descriptors or memory, the kernel keeps what waits; more may be there later.
        await pause();
      }
    }
  }

  /** Accepts a connection when there is one, and a place for it. */
  async #acceptNext(): Promise<void> {
    await this.#places.acquire();
    let served: Promise<void> | undefined;
    try {
      const socket = this.#watch.closed
        ? undefined
        : ifThere(() => syscall(accept(this.#listener)), NO_CONNECTION);
      if (socket !== undefined) served = this.#serve(this.#noted(new SocketStream(socket)));
    } finally {
      if (served === undefined) this.#places.release();
    }
    if (served === undefined) await this.#watch.ready("readable");
  }

  /** Serves a connection to its end, and gives its place back. */
  async #serve(client: Stream): Promise<void> {
    try {
      await serve(client, this.#connect);
    } catch {
      // The connection has ended.
    } finally {
      this.#places.release();
    }
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

/** Returns how many connections a container may have: the script and others need descriptors too. */
function connectionsAtOnce(): number {
  const limit = rlimitOutput();
  const result = syscalls([{ call: prlimit64(0, RLIMITS.NOFILE, null, limit) }]);
  const descriptors = Number(readRlimit(result.output(limit)).soft);
  return Math.max(1, Math.min(AT_ONCE, Math.floor(descriptors * SHARE / DESCRIPTORS)));
}

async function pause(): Promise<void> {
  await new Promise<void>((resolve) => Deno.unrefTimer(setTimeout(resolve, PAUSE)));
}
