/**
 * Standard streams that a process beside the script copies through a pipe, so that the program does
 * not get the file itself: whoever has a file open can read and write all of it, whatever it was
 * opened for, by /proc/self/fd, and change its mode (proc(5)).
 *
 * @module
 */

import { Output, ResultOf } from "../ffi/call.ts";
import { EFD_CLOEXEC } from "../ffi/calls/events.ts";
import {
  close,
  eventfd2,
  F_DUPFD_CLOEXEC,
  F_SETFL,
  fcntl,
  FIONREAD,
  ioctl,
  lseek,
  O_NONBLOCK,
  read,
  SEEK_CUR,
  splice,
  write,
} from "../ffi/calls/files.ts";
import { POLLIN, POLLOUT, ppoll } from "../ffi/calls/polling.ts";
import { Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { HELPER_ENDS, HelperProcess } from "./helper_process.ts";
import { isTerminal } from "./inherited_stream.ts";
import { openPipe } from "./pipe.ts";

/** A stream that is copied while the program runs. */
export interface CopiedStream {
  /** The program's end of the pipe. */
  readonly theirs: number;
  /** Tells that the program has its end. */
  handOver(): void;
  /**
   * Ends the copying when the program has ended, or was not started.
   *
   * @throws {SyscallError} if the file could not be read or written
   */
  end(): void;
}

const CHUNK = 64 * 1024;
/** Writes of this size to a pipe are made as a whole or not at all (pipe(7)). */
const PIPE_BUF = 4096;
/** How many chunks a pipe can hold that an ordinary user has enlarged (fs.pipe-max-size). */
const CHUNKS_LEFT = 16;

/**
 * Copies a file of the script's to the program's input. What the program has not read by its end
 * stays to be read by whoever shares the file's offset.
 *
 * @throws {SyscallError} if too many files are open, or too many processes run
 */
export function copyInput(fd: number): CopiedStream {
  const file = syscall(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  return closingOnFailure(file, () => {
    const { reader, writer } = openPipe();
    return closingOnFailure(reader, () => {
      const process = start([file, writer], inputLoop(), writer);
      return {
        theirs: reader,
        // The script keeps this end, by which it learns what was not read.
        handOver: () => {},
        end() {
          const errno = process.kill();
          const unread = new Output(4);
          const bytes = syscalls([{ call: ioctl(reader, FIONREAD, unread) }]).output(unread);
          const back = lseek(file, -bytes.getInt32(0, true), SEEK_CUR);
          syscalls([
            // Devices cannot go back.
            { call: back, accept: ["ESPIPE", "EINVAL"] },
            { call: close(reader) },
            { call: close(file) },
          ]);
          if (errno !== undefined) throw new SyscallError({ syscall: "read", errno, hint: UNREAD });
        },
      };
    });
  });
}

/**
 * Copies the program's output to a file or a terminal of the script's. When the copying is ended, all
 * that the program has written is there.
 *
 * @throws {SyscallError} if too many files are open, or too many processes run
 */
export function copyOutput(fd: number): CopiedStream {
  const ofTerminal = isTerminal(fd);
  const stop = syscall(eventfd2(0, EFD_CLOEXEC));
  return closingOnFailure(stop, () => {
    const { reader, writer } = openPipe();
    return closingOnFailure(writer, () => {
      // Other processes that have the pipe may read from it first.
      syscall(fcntl(reader, F_SETFL, O_NONBLOCK));
      // Only the copying process keeps this end, so that its end is a broken pipe to the program.
      const process = start([fd, reader, stop], outputLoop(), reader);
      let isOpen = true;
      const handOver = () => {
        if (isOpen) syscall(close(writer));
        isOpen = false;
      };
      return {
        theirs: writer,
        handOver,
        end() {
          handOver();
          syscall(write(stop, ONE, ONE.length));
          const errno = process.wait();
          syscall(close(stop));
          // Nobody reads a terminal any more that is gone.
          if (errno === undefined || (ofTerminal && errno === ERRNO.EIO)) return;
          throw new SyscallError({ syscall: "write", errno, hint: UNWRITTEN });
        },
      };
    });
  });
}

const UNREAD = "the script's stdin could not be read, and the program has had only a part of it";
const UNWRITTEN =
  "the script's stdout or stderr could not be written to, and lacks a part of what " +
  "the program has written";

/** A write to an eventfd: a number of 64 bits. */
const ONE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

/** Starts a process that is the only one with this end of the pipe. */
function start(
  descriptors: readonly number[],
  work: readonly (ProgramRecord | Label)[],
  end: number,
): HelperProcess {
  try {
    return new HelperProcess(descriptors, work);
  } finally {
    syscall(close(end));
  }
}

function closingOnFailure<T>(fd: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    syscall(close(fd));
    throw error;
  }
}

/** The input: the file is 0, and the pipe 1. */
function inputLoop(): readonly (ProgramRecord | Label)[] {
  const [splicing, reading] = [new Label("splicing"), new Label("reading")];
  const ends = { onZero: HELPER_ENDS, onFailure: HELPER_ENDS };
  const chunk = new Output(PIPE_BUF, "&chunk");
  const readChunk = read(0, chunk, PIPE_BUF);
  return [
    splicing,
    // The offset of the file is that of the pipe: no byte is in neither.
    {
      call: splice(0, 1, CHUNK),
      accept: ["EINVAL"],
      onAccepted: reading,
      onSuccess: splicing,
      ...ends,
    },
    // Some files of /proc cannot be spliced before Linux 6.5.
    reading,
    { call: readChunk, ...ends },
    { call: write(1, chunk, new ResultOf(readChunk, "count")), onSuccess: reading, ...ends },
  ];
}

/** The output: the file is 0, the pipe 1, and 2 can be read once the program has ended. */
function outputLoop(): readonly (ProgramRecord | Label)[] {
  const [waiting, draining] = [new Label("waiting"), new Label("draining")];
  const buffer = new Output(CHUNK, "&chunk");
  const pipe = { fd: 1, events: POLLIN }, stop = { fd: 2, events: POLLIN };
  const onFailure = HELPER_ENDS;
  return [
    waiting,
    { call: ppoll([pipe, stop], undefined), onFailure },
    { call: ppoll([stop], 0), onSuccess: draining, onFailure },
    ...copyChunk(buffer, waiting, waiting),
    draining,
    // Processes that the program has left behind may write without end.
    ...Array.from({ length: CHUNKS_LEFT }, () => copyChunk(buffer, HELPER_ENDS)).flat(),
  ];
}

/** Copies what is in the pipe. */
function copyChunk(
  buffer: Output,
  whenEmpty: Label,
  then?: Label,
): readonly (ProgramRecord | Label)[] {
  const [again, full, next] = ["again", "full", "next"].map((name) => new Label(name)) as [
    Label,
    Label,
    Label,
  ];
  const ends = { onZero: HELPER_ENDS, onFailure: HELPER_ENDS };
  const readChunk = read(1, buffer, CHUNK);
  return [
    { call: readChunk, accept: ["EAGAIN"], onAccepted: whenEmpty, ...ends },
    again,
    {
      call: write(0, buffer, new ResultOf(readChunk, "count")),
      // A terminal may be set not to block.
      accept: ["EAGAIN"],
      onAccepted: full,
      onSuccess: then ?? next,
      ...ends,
    },
    full,
    { call: ppoll([{ fd: 0, events: POLLOUT }], undefined), onSuccess: again, ...ends },
    next,
  ];
}
