/**
 * The planner: a process that stays, and plans containers for engines, which then need no start of
 * Deno. A client (`ask_x86_64.S`) makes them by the plan, so that they are its children. Nothing of a
 * container is kept here: its record is that of the runtime, with which the planner can be mixed.
 *
 * @module
 */

import { at_fdcwd, close, unlinkat } from "../../ffi/calls/files.ts";
import { accept, listen } from "../../ffi/calls/ip_sockets.ts";
import {
  bindUnix,
  connectUnix,
  unixAddress,
  unixPacketSocket,
} from "../../ffi/calls/unix_sockets.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { reactor } from "../../ffi/reactor.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { OciError, wordsFor } from "../errors.ts";
import { logFailure, reportWarning } from "../runtime.ts";
import { Client, ownFacts } from "./client.ts";
import { Connection } from "./connection.ts";
import { createFor } from "./create_for.ts";
import { readRequest } from "./request.ts";

/** How many clients wait to be accepted; others do without the planner. */
const BACKLOG = 64;
/** The longest command line that is read. */
const LONGEST_REQUEST = 16 * 1024;
/** How long other clients wait for the answer of one, in milliseconds. */
const BRIEF = 2;
/** How many are served at a time. */
const MOST_CLIENTS = 32;

/** Listens at a path and serves clients, until it is stopped. */
export class Planner {
  readonly #path: string;
  readonly #build: string;
  readonly #own: string = ownFacts();
  readonly #socket: number;
  readonly #clients = new Set<Promise<void>>();
  readonly #watch: ReturnType<ReturnType<typeof reactor>["watch"]>;

  /**
   * @param path the path of the socket, which only this user can connect to
   * @param build what the command has to be of
   * @throws {OciError} if there is a planner already, or its socket may not be made
   */
  constructor(path: string, build: string) {
    this.#path = path;
    this.#build = build;
    this.#socket = listenAt(path);
    this.#watch = reactor().watch(this.#socket);
  }

  /** Serves until {@linkcode Planner.stop}, and until the last client was answered. */
  async serve(): Promise<void> {
    while (!this.#watch.closed) {
      await this.#watch.ready("readable");
      if (this.#watch.closed) break;
      const call = accept(this.#socket);
      const result = syscalls([{ call, accept: NOBODY }]);
      const socket = Number(result.result(call));
      if (socket < 0) continue;
      const served = this.#serve(socket).finally(() => this.#clients.delete(served));
      this.#clients.add(served);
      if (this.#clients.size >= MOST_CLIENTS) await Promise.race(this.#clients);
    }
    await Promise.all(this.#clients);
    syscall(close(this.#socket));
  }

  /** Accepts no further clients. */
  stop(): void {
    if (this.#watch.closed) return;
    syscalls([{ call: unlinkat(at_fdcwd, this.#path, 0), accept: ["ENOENT"] }]);
    this.#watch.close();
  }

  async #serve(socket: number): Promise<void> {
    let connection: Connection;
    try {
      connection = new Connection(socket);
    } catch {
      // It has ended already.
      syscall(close(socket));
      return;
    }
    try {
      await answer(connection, this.#build, this.#own);
    } catch (error) {
      reportWarning({ log: undefined, logFormat: "text" }, wordsFor(error));
    } finally {
      connection.close();
    }
  }
}

/** What accept4(2) says where nobody is there any more, or there is no room. */
const NOBODY = ["EAGAIN", "ECONNABORTED", "EMFILE", "ENFILE", "EINTR"] as const;

/** Answers a client. A connection that is closed tells it to do without. */
async function answer(connection: Connection, build: string, own: string): Promise<void> {
  const client = Client.of(connection.peer, own);
  const packet = client && await connection.receive(LONGEST_REQUEST);
  if (client === undefined || packet === undefined) return;
  const request = readRequest(packet, build, client);
  // From "G" on the client does not do it by itself any more.
  if (request === undefined || !connection.sendReady()) return;
  if (await connection.receive(1, BRIEF) !== "G") return;
  try {
    const isMade = await createFor(connection, client, request);
    if (isMade) connection.sendEnd(0);
    else connection.sendRefusal();
  } catch (error) {
    const status = error instanceof OciError ? error.status : 1;
    connection.sendEnd(status, logFailure(request.runtime, wordsFor(error)));
  }
}

/** The errnos of a directory in which this user can make no socket. */
const NO_PLACE: ReadonlySet<string> = new Set(["EACCES", "ENOENT", "ENOTDIR", "EPERM", "EROFS"]);

/** Returns a socket that listens at a path. */
function listenAt(path: string): number {
  const address = unixAddress(path);
  if (isServed(path)) throw new OciError(`there is a planner already, at ${path}`);
  syscalls([{ call: unlinkat(at_fdcwd, path, 0), accept: ["ENOENT"] }]);
  const socket = syscall(unixPacketSocket());
  const umask = Deno.umask(0o177);
  try {
    syscall(bindUnix(socket, address));
    syscall(listen(socket, BACKLOG));
    return socket;
  } catch (error) {
    syscall(close(socket));
    const isPlace = error instanceof SyscallError && NO_PLACE.has(error.code);
    throw !isPlace ? error : new OciError(
      `${path} cannot be made: ${wordsFor(error)}; have XDG_RUNTIME_DIR name a directory of this ` +
        "user's",
    );
  } finally {
    Deno.umask(umask);
  }
}

/** Whether somebody listens at a path. */
function isServed(path: string): boolean {
  const socket = syscall(unixPacketSocket());
  try {
    const call = connectUnix(socket, unixAddress(path));
    const refused = ["ENOENT", "ECONNREFUSED", "EAGAIN"] as const;
    const result = Number(syscalls([{ call, accept: refused }]).result(call));
    return result === 0 || result === -ERRNO.EAGAIN;
  } finally {
    syscall(close(socket));
  }
}
