/**
 * Files and devices that are copied to the program's input.
 *
 * @module
 */

import { type Call, Output, ResultOf } from "../ffi/call.ts";
import {
  close,
  F_DUPFD_CLOEXEC,
  fcntl,
  FIONREAD,
  ioctl,
  lseek,
  read,
  SEEK_CUR,
  SEEK_SET,
  splice,
  write,
} from "../ffi/calls/files.ts";
import { POLLERR, POLLIN, ppoll } from "../ffi/calls/polling.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { closingOnFailure, type CopiedStream, startCopying } from "./copied_stream.ts";
import { HELPER_ENDS } from "./helper_process.ts";
import { openPipe } from "./pipe.ts";

/** How much is copied with a call. */
const CHUNK = 64 * 1024;
/** Writes of this size to a pipe are made as a whole or not at all (pipe(7)). */
const PIPE_BUF = 4096;

/**
 * Copies a file of the script's to the program's input. The file's offset is shared with others: it
 * stays until the program has ended, and then moves behind what the program has read.
 *
 * @throws {SyscallError} if too many files are open, or too many processes run
 */
export function copyInput(fd: number): CopiedStream {
  const file = syscall(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  return closingOnFailure(file, () => {
    const { reader, writer } = openPipe();
    return closingOnFailure(reader, () => {
      const copy = new FileCopy(file);
      const process = startCopying([file, writer], copy.loop, writer);
      return {
        theirs: reader,
        // The script keeps this end, by which it learns what was not read.
        handOver: () => {},
        end() {
          const result = process.kill();
          copy.moveOn(result, unreadOf(reader));
          syscalls([{ call: close(reader) }, { call: close(file) }]);
          throwUnread(result);
        },
      };
    });
  });
}

/** How many bytes a pipe holds. The program can write to its own input: the number may be its own. */
export function unreadOf(pipe: number): number {
  const unread = new Output(4);
  return syscalls([{ call: ioctl(pipe, FIONREAD, unread) }]).output(unread).getInt32(0, true);
}

/** Throws the error of a process that could not read its file to the end. */
export function throwUnread({ failed }: RunResult): void {
  if (failed === undefined) return;
  throw new SyscallError({ syscall: "read", errno: failed.errno, hint: UNREAD });
}

const UNREAD = "the script's stdin could not be read, and the program has had only a part of it";

/** The copying of a file, which is the descriptor 0 of its process, to a pipe, which is 1. */
class FileCopy {
  readonly #file: number;
  /** Where the program begins to read; `undefined` for devices that have no offset. */
  readonly #start: number | undefined;
  /** Where the file is read: an offset of this copy's own. */
  readonly #offset: Output | undefined;
  readonly #splice: Call;

  constructor(file: number) {
    this.#file = file;
    this.#start = offsetOf(file);
    if (this.#start !== undefined) {
      const initial = new Uint8Array(new BigInt64Array([BigInt(this.#start)]).buffer);
      this.#offset = new Output(initial.length, "&offset", initial);
    }
    this.#splice = splice(0, 1, CHUNK, this.#offset && { offset: this.#offset });
  }

  get loop(): readonly (ProgramRecord | Label)[] {
    const [splicing, reading] = [new Label("splicing"), new Label("reading")];
    const ends = { onZero: HELPER_ENDS, onFailure: HELPER_ENDS };
    const chunk = new Output(PIPE_BUF, "&chunk");
    const readChunk = read(0, chunk, PIPE_BUF);
    const waiting = this.#start === undefined ? WAITING : [];
    return [
      splicing,
      ...waiting,
      {
        call: this.#splice,
        accept: ["EINVAL"],
        onAccepted: reading,
        onSuccess: splicing,
        ...ends,
      },
      // Some files of /proc cannot be spliced before Linux 6.5.
      reading,
      ...waiting,
      { call: readChunk, ...ends },
      { call: write(1, chunk, new ResultOf(readChunk, "count")), onSuccess: reading, ...ends },
    ];
  }

  /** Moves the file's offset behind what the program has read. */
  moveOn(result: RunResult, unread: number): void {
    const now = offsetOf(this.#file);
    if (this.#start === undefined || this.#offset === undefined || now === undefined) return;
    const reads = result.result(this.#splice) === BigInt(-ERRNO.EINVAL);
    const copied = reads ? now : Number(result.output(this.#offset).getBigInt64(0, true));
    // What lies before is not the program's to read, whatever it has put into its pipe.
    const end = Math.max(this.#start, copied - unread);
    // Others may have gone further meanwhile, and what they have read is theirs.
    const stays = !reads && (end === this.#start || end <= now);
    // Devices may have no such place.
    if (!stays) syscalls([{ call: lseek(this.#file, end, SEEK_SET), accept: ["EINVAL"] }]);
  }
}

/** Waits for input, or for the end of all who could read it: the script may be killed meanwhile. */
const WAITING: readonly ProgramRecord[] = [
  {
    call: ppoll([{ fd: 0, events: POLLIN }, { fd: 1, events: POLLERR }], undefined),
    onFailure: HELPER_ENDS,
  },
  {
    call: ppoll([{ fd: 1, events: POLLERR }], 0),
    onSuccess: HELPER_ENDS,
    onFailure: HELPER_ENDS,
  },
];

/** The offset of an open file; `undefined` if it is a device without one. */
function offsetOf(file: number): number | undefined {
  const call = lseek(file, 0, SEEK_CUR);
  const offset = Number(syscalls([{ call, accept: ["ESPIPE", "EINVAL"] }]).result(call));
  return offset < 0 ? undefined : offset;
}
