/**
 * Files and terminals that the program's output is copied to.
 *
 * @module
 */

import { Output, ResultOf } from "../ffi/call.ts";
import { EFD_CLOEXEC } from "../ffi/calls/events.ts";
import {
  close,
  eventfd2,
  F_SETFL,
  fcntl,
  O_NONBLOCK,
  pipe2,
  PipeEnds,
  read,
  SPLICE_F_NONBLOCK,
  tee,
  write,
} from "../ffi/calls/files.ts";
import { POLLIN, POLLOUT, ppoll } from "../ffi/calls/polling.ts";
import { Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { syscall } from "../ffi/syscalls.ts";
import { closingOnFailure, type CopiedStream, ONE, startCopying } from "./copied_stream.ts";
import { HELPER_ENDS } from "./helper_process.ts";
import { isTerminal } from "./inherited_stream.ts";
import { openPipe } from "./pipe.ts";

const CHUNK = 64 * 1024;
/**
 * How many chunks a pipe can hold that an ordinary user has enlarged (fs.pipe-max-size), and as many
 * for writes that are short.
 */
const CHUNKS_LEFT = 32;

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
      const process = startCopying([fd, reader, stop], loop(), reader);
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
          const errno = process.wait().failed?.errno;
          syscall(close(stop));
          if (errno === undefined) return;
          // Nobody reads any more.
          if (errno === ERRNO.EPIPE || (ofTerminal && errno === ERRNO.EIO)) return;
          throw new SyscallError({ syscall: "write", errno, hint: UNWRITTEN });
        },
      };
    });
  });
}

const UNWRITTEN =
  "the script's stdout or stderr could not be written to, and lacks a part of what " +
  "the program has written";

/** The file is 0, the pipe 1, and 2 can be read once the program has ended. */
function loop(): readonly (ProgramRecord | Label)[] {
  const [waiting, draining] = [new Label("waiting"), new Label("draining")];
  const copy: Copy = { buffer: new Output(CHUNK, "&chunk"), unwritten: new PipeEnds() };
  const pipe = { fd: 1, events: POLLIN }, stop = { fd: 2, events: POLLIN };
  const onFailure = HELPER_ENDS;
  return [
    { call: pipe2(copy.unwritten.output, 0), onFailure },
    waiting,
    { call: ppoll([pipe, stop], undefined), onFailure },
    { call: ppoll([stop], 0), onSuccess: draining, onFailure },
    ...copyChunk(copy, waiting, waiting),
    draining,
    // Processes that the program has left behind may write without end.
    ...Array.from({ length: CHUNKS_LEFT }, () => copyChunk(copy, HELPER_ENDS)).flat(),
  ];
}

/** What is used to copy a chunk. */
interface Copy {
  readonly buffer: Output;
  /** A pipe of the process's own. */
  readonly unwritten: PipeEnds;
}

/**
 * Copies what is in the pipe. It stays there until it is written: a write may be short, and the next
 * one tells why, as on a full disk.
 */
function copyChunk(
  { buffer, unwritten }: Copy,
  whenEmpty: Label,
  then?: Label,
): readonly (ProgramRecord | Label)[] {
  const [again, full, taking, next] = ["again", "full", "taking", "next"].map((name) =>
    new Label(name)
  ) as [Label, Label, Label, Label];
  const ends = { onZero: HELPER_ENDS, onFailure: HELPER_ENDS };
  const onEmpty = { accept: ["EAGAIN"], onAccepted: whenEmpty } as const;
  const readChunk = read(unwritten.reader, buffer, CHUNK);
  const writeChunk = write(0, buffer, new ResultOf(readChunk, "count"));
  return [
    // splice(2) cannot write to a file that is only appended to.
    { call: tee(1, unwritten.writer, CHUNK, SPLICE_F_NONBLOCK), ...onEmpty, ...ends },
    { call: readChunk, ...ends },
    again,
    // A terminal may be set not to block.
    { call: writeChunk, accept: ["EAGAIN"], onAccepted: full, onSuccess: taking, ...ends },
    full,
    { call: ppoll([{ fd: 0, events: POLLOUT }], undefined), onSuccess: again, ...ends },
    taking,
    {
      call: read(1, buffer, new ResultOf(writeChunk, "written")),
      ...onEmpty,
      onSuccess: then ?? next,
      ...ends,
    },
    next,
  ];
}
