/**
 * Named pipes that are copied to the program's input. Their mode and times are those of the host's
 * file, and whoever has one open can change them. See fifo(7).
 *
 * @module
 */

import { type Call, ResultOf } from "../ffi/call.ts";
import { EFD_CLOEXEC } from "../ffi/calls/events.ts";
import {
  at_fdcwd,
  close,
  eventfd2,
  F_DUPFD_CLOEXEC,
  F_SETPIPE_SZ,
  fcntl,
  O_CLOEXEC,
  O_WRONLY,
  openat,
  splice,
  SPLICE_F_NONBLOCK,
  tee,
  write,
} from "../ffi/calls/files.ts";
import { POLLERR, POLLIN, POLLOUT, ppoll } from "../ffi/calls/polling.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { throwUnread, unreadOf } from "./copied_input.ts";
import { closingOnFailure, type CopiedStream, ONE, startCopying } from "./copied_stream.ts";
import { HELPER_ENDS } from "./helper_process.ts";
import { openPipe } from "./pipe.ts";

/** The least size of a pipe: one page, and so one buffer (pipe(7)). */
const ONE_BUFFER = 1;
/** More than a buffer holds. */
const CHUNK = 64 * 1024;

/**
 * Copies a named pipe of the script's to the program's input. What the program has not read stays in
 * the named pipe.
 *
 * @throws {SyscallError} if too many files are open, or too many processes run
 */
export function copyNamedPipe(fd: number): CopiedStream {
  const opened: number[] = [];
  const keep = (fd: number) => (opened.push(fd), fd);
  const closeAll = () => syscalls(opened.map((fd) => ({ call: close(fd) })));
  try {
    const file = keep(syscall(fcntl(fd, F_DUPFD_CLOEXEC, 3)));
    const stop = keep(syscall(eventfd2(0, EFD_CLOEXEC)));
    const nowhere = keep(syscall(openat(at_fdcwd, "/dev/null", O_WRONLY | O_CLOEXEC)));
    const { reader, writer } = openPipe();
    keep(reader);
    const copy = new NamedPipeCopy();
    // A pipe with a single buffer can be written to when all of it was read.
    closingOnFailure(writer, () => syscall(fcntl(writer, F_SETPIPE_SZ, ONE_BUFFER)));
    const process = startCopying([file, writer, stop, nowhere], copy.loop, writer);
    return {
      theirs: reader,
      handOver: () => {},
      end() {
        syscall(write(stop, ONE, ONE.length));
        const result = process.wait();
        const rest = copy.readOfLast(result, unreadOf(reader));
        if (rest > 0) syscalls([{ call: discard(file, nowhere, rest), accept: ["EAGAIN"] }]);
        closeAll();
        throwUnread(result);
      },
    };
  } catch (error) {
    closeAll();
    throw error;
  }
}

/** The copying of a named pipe, which is 0, to a pipe, which is 1; 2 tells the end, 3 is /dev/null. */
class NamedPipeCopy {
  readonly #copy: Call = tee(0, 1, CHUNK, SPLICE_F_NONBLOCK);
  readonly #isRead: Call = ppoll([{ fd: 1, events: POLLOUT }], 0);

  get loop(): readonly (ProgramRecord | Label)[] {
    const [waiting, full] = [new Label("waiting"), new Label("full")];
    const stop = { fd: 2, events: POLLIN }, gone = { fd: 1, events: POLLERR };
    const onFailure = HELPER_ENDS;
    const untilRead = ppoll([{ fd: 1, events: POLLOUT }, stop], undefined);
    return [
      waiting,
      { call: ppoll([{ fd: 0, events: POLLIN }, gone, stop], undefined), onFailure },
      { call: ppoll([gone, stop], 0), onSuccess: HELPER_ENDS, onFailure },
      { call: this.#copy, accept: ["EAGAIN"], onAccepted: full, onZero: HELPER_ENDS, onFailure },
      { call: untilRead, onFailure },
      { call: this.#isRead, onZero: HELPER_ENDS, onFailure },
      { call: ppoll([gone], 0), onSuccess: HELPER_ENDS, onFailure },
      {
        call: discard(0, 3, new ResultOf(this.#copy, "count")),
        // Others read from it too.
        accept: ["EAGAIN"],
        onAccepted: waiting,
        onSuccess: waiting,
        onZero: waiting,
        onFailure,
      },
      // The program has written to its own input.
      full,
      { call: untilRead, onSuccess: waiting, onFailure },
    ];
  }

  /** How much the program has read of what is still in the named pipe. */
  readOfLast(result: RunResult, unread: number): number {
    const isWaiting = result.result(this.#isRead) === 0n;
    const copied = Number(result.result(this.#copy));
    return isWaiting ? Math.max(0, copied - unread) : 0;
  }
}

/** Takes bytes out of a pipe, if they are there. */
function discard(pipe: number, nowhere: number, size: number | ResultOf): Call {
  return splice(pipe, nowhere, size, { flags: SPLICE_F_NONBLOCK });
}
