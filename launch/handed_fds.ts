/**
 * Descriptors that a program gets beside its standard streams, as LISTEN_FDS of sd_listen_fds(3) and
 * the like expect them.
 *
 * @module
 */

import { close, F_DUPFD_CLOEXEC, fcntl } from "../ffi/calls/files.ts";
import { RamekinError } from "../ffi/errors.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { HandedFd } from "./exec.ts";
import { handoverOf } from "./inherited_stream.ts";
import { NOT_OPEN } from "./stdio.ts";

/** The script's duplicates of what a program gets, until that is started. */
export class HandedFds {
  readonly #handed: HandedFd[] = [];

  /**
   * Duplicates the script's descriptors.
   *
   * @param fds the script's descriptors, by the numbers that they have in the program
   * @throws {SyscallError} `EBADF` for a descriptor that is not open, or if too many files are open
   * @throws {RamekinError} if a program with a root of its own would get a file of the script's
   */
  constructor(fds: readonly HandedFd[], hasOwnRoot: boolean) {
    // Above all numbers of the program's, which are replaced one after the other.
    const lowest = Math.max(2, ...fds.map(({ number }) => number)) + 1;
    try {
      for (const { number, fd } of fds) {
        const duplicate = syscall(fcntl(fd, F_DUPFD_CLOEXEC, lowest), { EBADF: NOT_OPEN });
        this.#handed.push({ number, fd: duplicate });
        if (hasOwnRoot) requireHarmless(duplicate, number);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The duplicates, by the numbers that they have in the program. */
  get theirs(): readonly HandedFd[] {
    return this.#handed;
  }

  /** Closes the duplicates; the program has its own by then. */
  close(): void {
    for (const { fd } of this.#handed.splice(0)) syscall(close(fd));
  }
}

/** Throws for what would have to be copied, as a copy has one direction, which nobody has named. */
function requireHarmless(fd: number, number: number): void {
  const name = `descriptor ${number}`;
  if (handoverOf(fd, undefined, name) === "inherit") return;
  throw new RamekinError(
    `${name} is a file or a device, by which the program would reach files outside of its root; ` +
      "give it a pipe, or a connection of unix sockets",
  );
}
