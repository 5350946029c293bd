/**
 * The terminal of a program, which is connected with the script's own. The script's terminal is in
 * raw mode while the program runs, and changes of its size are passed on. See pty(7).
 *
 * @module
 */

import { Output, Struct } from "../../ffi/call.ts";
import {
  at_fdcwd,
  close,
  F_DUPFD_CLOEXEC,
  F_SETFL,
  fcntl,
  ioctl,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
  openat,
  TIOCGPTPEER,
  TIOCGWINSZ,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from "../../ffi/calls/files.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { readSome } from "../../ffi/engine/transfer.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import type { Terminal } from "../../launch/exec.ts";
import { RawMode } from "./raw_mode.ts";
import { scriptPidfd } from "../../launch/runtime_fds.ts";
import type { StdioKind } from "../../launch/stdio.ts";
import { FdStream } from "../../ffi/fd_stream.ts";

const WINSIZE_SIZE = 8;

/** struct winsize of a terminal with 24 rows and 80 columns, which a VT100 has. */
const USUAL_SIZE = new Uint8Array([24, 0, 80, 0, 0, 0, 0, 0]);

/** The terminal of one program. */
export class ProgramTerminal {
  /** The program's side. */
  readonly theirs: Terminal;
  /** Whether the program's side is still open in the script. */
  #hasTheirs = true;
  #master: number | undefined;
  readonly #relays: FdStream[] = [];
  #output: FdStream | undefined;
  #rawMode: RawMode | undefined;
  #onResize: (() => void) | undefined;
  #finished: Promise<void> = Promise.resolve();

  /** Opens the terminal; the container opens it instead if it has a devpts of its own. */
  constructor(inContainer: boolean) {
    const size = new Struct(windowSize() ?? USUAL_SIZE, "&size");
    if (inContainer) {
      const reserved = syscall(fcntl(scriptPidfd(), F_DUPFD_CLOEXEC, 3));
      this.theirs = { place: "container", reserved, size };
      return;
    }
    const flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    const master = this.#master = syscall(openat(at_fdcwd, "/dev/ptmx", flags));
    try {
      syscall(ioctl(master, TIOCSPTLCK, new Struct(new Uint8Array(4), "&0")));
      syscall(ioctl(master, TIOCSWINSZ, size));
      this.theirs = { place: "script", fd: syscall(ioctl(master, TIOCGPTPEER, flags)) };
    } catch (error) {
      syscall(close(master));
      throw error;
    }
  }

  /**
   * Connects the program's terminal with the script's after the launch. Returns the descriptors of
   * the piped streams.
   */
  join(
    received: number | undefined,
    kinds: readonly StdioKind[],
  ): readonly (number | undefined)[] {
    this.#closeTheirs();
    const master = this.#master ??= received!;
    syscall(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK));
    const [stdin, stdout] = kinds;
    if (stdin === "inherit") this.#takeInput(master);
    if (stdout === "inherit") this.#finished = this.#giveOutput(master);
    const descriptors: (number | undefined)[] = [];
    try {
      for (const kind of [stdin, stdout]) {
        descriptors.push(kind === "piped" ? duplicate(master) : undefined);
      }
    } catch (error) {
      for (const fd of descriptors) if (fd !== undefined) syscall(close(fd));
      throw error;
    }
    syscall(close(master));
    this.#master = undefined;
    return descriptors;
  }

  /** After the end of the program, shows the rest of its output and closes everything. */
  async leave(): Promise<void> {
    // Other processes may have the terminal open for longer, and are not waited for.
    this.#output?.stopAtEof();
    await this.#finished;
    this.close();
  }

  /** Restores the script's terminal, and closes all descriptors. */
  close(): void {
    if (this.#onResize !== undefined) Deno.removeSignalListener("SIGWINCH", this.#onResize);
    this.#onResize = undefined;
    this.#rawMode?.restore();
    this.#rawMode = undefined;
    this.#relays.splice(0).forEach((relay) => relay.close());
    if (this.#master !== undefined) syscall(close(this.#master));
    this.#master = undefined;
    this.#closeTheirs();
  }

  #closeTheirs(): void {
    if (!this.#hasTheirs) return;
    this.#hasTheirs = false;
    syscall(close(this.theirs.place === "script" ? this.theirs.fd : this.theirs.reserved));
  }

  #takeInput(master: number): void {
    const target = this.#relay(duplicate(master));
    this.#rawMode = RawMode.of(0);
    this.#onResize = () => {
      const size = windowSize();
      if (size !== undefined) syscall(ioctl(target.fd, TIOCSWINSZ, new Struct(size, "&size")));
    };
    Deno.addSignalListener("SIGWINCH", this.#onResize);
    void this.#copyInput(target);
  }

  async #copyInput(target: FdStream): Promise<void> {
    let last: number | undefined;
    try {
      for await (const bytes of this.#input()) {
        await target.write(bytes);
        last = bytes.at(-1);
      }
      // In a line that has begun, the first Ctrl-D ends the line only.
      if (last !== undefined && last !== LINE_FEED) await target.write(END_OF_INPUT);
      await target.write(END_OF_INPUT);
    } catch (error) {
      if (!target.closed) this.#hangUp(error);
    }
  }

  /** The script's standard input. */
  async *#input(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const input = duplicate(0);
    try {
      const source = this.#relay(input, true);
      yield* chunks(() => source.read());
    } catch (error) {
      if (!(error instanceof SyscallError && error.code === "EPERM")) throw error;
      // epoll_ctl(2) refuses regular files (EPERM), which never block.
      yield* chunks(() => readSome(input)!);
      syscall(close(input));
    }
  }

  async #giveOutput(master: number): Promise<void> {
    const source = this.#output = this.#relay(duplicate(master));
    try {
      for await (const bytes of chunks(() => source.read())) await writeToStdout(bytes);
    } catch (error) {
      this.#hangUp(error);
    }
  }

  /**
   * Closes the script's side, so that the program's terminal hangs up as the script's own has
   * (EIO, or EPIPE of a pipe in its place): its session gets SIGHUP.
   */
  #hangUp(error: unknown): void {
    if (!isGone(error)) throw error;
    this.close();
  }

  #relay(fd: number, blocking = false): FdStream {
    const relay = new FdStream(fd, blocking);
    this.#relays.push(relay);
    return relay;
  }
}

const LINE_FEED = 10;

/** Whether the script's terminal has hung up, or nobody reads its output any more. */
function isGone(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "EIO" || code === "EPIPE";
}

/** Ctrl-D (VEOF), the end of a terminal's input (termios(3)). */
const END_OF_INPUT = new Uint8Array([4]);

async function* chunks(
  read: () => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (;;) {
    const bytes = await read();
    if (bytes.length === 0) return;
    yield bytes;
  }
}

async function writeToStdout(bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await Deno.stdout.write(bytes.subarray(done));
}

function duplicate(fd: number): number {
  return syscall(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

/** Returns the size of the script's own terminal as struct winsize, if there is one. */
function windowSize(): Uint8Array<ArrayBuffer> | undefined {
  const size = new Output(WINSIZE_SIZE, "&size");
  for (const fd of [0, 1, 2]) {
    try {
      const view = syscalls([{ call: ioctl(fd, TIOCGWINSZ, size) }]).output(size);
      return new Uint8Array(view.buffer, view.byteOffset, WINSIZE_SIZE).slice();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
  }
  return undefined;
}
