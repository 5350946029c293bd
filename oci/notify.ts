/**
 * Messages to systemd (sd_notify(3)): where the runtime has a NOTIFY_SOCKET, the container gets one in
 * a directory of its own, and that it is ready is passed on. Nothing else of its messages is: they are
 * the container's.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  fchmodat,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openat,
} from "../ffi/calls/files.ts";
import { pidfd_open } from "../ffi/calls/processes.ts";
import { passCredentials, senderOutput } from "../ffi/calls/sockets.ts";
import {
  bindUnix,
  receiveMessage,
  sendToUnix,
  unixAddress,
  unixDatagramSocket,
} from "../ffi/calls/unix_sockets.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import type { Config } from "./spec.ts";
import type { ContainerRecord } from "./state.ts";

const VARIABLE = "NOTIFY_SOCKET";

/** The name of the container's socket in its directory. */
const NAME = "notify";

/** Where the directory is in the container, if the caller's socket has no path. */
const USUAL_PLACE = "/run/notify";

/** The longest message that is read: systemd takes no longer ones. */
const LONGEST = 4096;

/** How many messages are taken in a row: the container can send on and on. */
const AT_ONCE = 64;

/** The errors of a socket that nobody reads from. */
const NOBODY: readonly ErrnoName[] = ["ECONNREFUSED", "ENOENT", "ENOTDIR", "EACCES", "EAGAIN"];

/** The address of the caller's socket; engines that give the container one by themselves have none. */
function callersSocket({ process }: Config): string | undefined {
  const address = Deno.env.get(VARIABLE) ?? "";
  const isGiven = process?.env?.some((entry) => entry.startsWith(`${VARIABLE}=`)) === true;
  return !isGiven && /^[/@]./.test(address) ? address : undefined;
}

/** Returns the configuration with the directory and the variable, if the caller has a socket. */
export function withNotify(config: Config, record: ContainerRecord): Config {
  const address = callersSocket(config);
  if (address === undefined) return config;
  const source = record.makeNotify();
  const destination = address.startsWith("/") ? address : USUAL_PLACE;
  const { mounts = [], process = {} } = config;
  const options = ["bind", "ro", "nosuid", "nodev", "noexec"];
  return {
    ...config,
    mounts: [...mounts, { destination, source, type: "bind", options }],
    process: { ...process, env: [...process.env ?? [], `${VARIABLE}=${destination}/${NAME}`] },
  };
}

/** The container's socket, at which the message is awaited that it is ready. */
export class ReadySocket {
  readonly #socket: number;
  readonly #watch: Watch;
  readonly #host: string;
  readonly #ready = Promise.withResolvers<void>();
  readonly #served: Promise<void>;
  #pid: number | undefined;

  private constructor(socket: number, host: string) {
    this.#socket = socket;
    this.#host = host;
    this.#watch = reactor().watch(socket);
    this.#served = this.#serve();
  }

  /** Listens, if the container has such a directory, and the caller a socket. */
  static of(record: ContainerRecord): ReadySocket | undefined {
    const { notify } = record;
    const host = notify === undefined ? undefined : callersSocket(record.config);
    if (host === undefined) return undefined;
    const directory = syscall(openat(at_fdcwd, notify!, O_PATH | O_DIRECTORY | O_CLOEXEC));
    const socket = syscall(unixDatagramSocket());
    try {
      // The sender takes all the room that there is beside the text: no descriptors are received.
      syscall(passCredentials(socket, true));
      // The path of the record may be longer than an address.
      syscall(bindUnix(socket, unixAddress(`/proc/self/fd/${directory}/${NAME}`)));
      // Whoever the program is in the container: others do not reach the directory.
      syscall(fchmodat(directory, NAME, 0o777));
      return new ReadySocket(socket, host);
    } catch (error) {
      syscall(close(socket));
      throw error;
    } finally {
      syscall(close(directory));
    }
  }

  /**
   * Waits until the container is ready or has ended, for a caller that does not stay; systemd is told
   * which process the container is, as it is not the caller's.
   */
  async untilReady(pid: number): Promise<void> {
    this.#pid = pid;
    const pidfd = syscall(pidfd_open(pid, 0));
    const end = reactor().watch(pidfd);
    try {
      await Promise.race([this.#ready.promise, end.ready("readable")]);
    } finally {
      end.close();
      syscall(close(pidfd));
      await this.close();
    }
  }

  /** Takes what has come, and listens no longer. */
  async close(): Promise<void> {
    this.#watch.close();
    await this.#served;
  }

  async #serve(): Promise<void> {
    let isReady = false;
    while (!this.#watch.closed) {
      await this.#watch.ready("readable");
      for (let count = 0; count < AT_ONCE; count++) {
        const text = this.#receive();
        if (text === undefined) break;
        if (isReady || !text.split("\n").includes("READY=1")) continue;
        isReady = true;
        this.#tell();
        this.#ready.resolve();
      }
    }
    syscall(close(this.#socket));
  }

  /** Takes a message, if there is one. */
  #receive(): string | undefined {
    const data = new Output(LONGEST);
    const call = receiveMessage(this.#socket, data, senderOutput());
    const outcome = syscalls([{ call, accept: ["EAGAIN", "EINTR"] }]);
    const length = Number(outcome.result(call));
    if (length < 0) return undefined;
    const { buffer, byteOffset } = outcome.output(data);
    return new TextDecoder().decode(new Uint8Array(buffer, byteOffset, length));
  }

  /** Tells the caller's socket; that nobody listens there is no failure of the container. */
  #tell(): void {
    const lines = [...(this.#pid === undefined ? [] : [`MAINPID=${this.#pid}`]), "READY=1"];
    const bytes = new TextEncoder().encode(lines.join("\n"));
    const socket = syscall(unixDatagramSocket());
    const call = sendToUnix(socket, bytes, unixAddress(this.#host));
    syscalls([{ call, accept: NOBODY }]);
    syscall(close(socket));
  }
}
