/**
 * The raw mode of the script's own terminal, and a guard that restores it if the script is killed.
 *
 * @module
 */

import { Output, Struct } from "../../ffi/call.ts";
import { ioctl, TCGETS, TCSETS } from "../../ffi/calls/files.ts";
import { POLLIN, ppoll, setsid } from "../../ffi/calls/processes.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { HELPER_ENDS, HelperProcess } from "../../launch/helper_process.ts";
import { scriptPidfd } from "../../launch/runtime_fds.ts";

/** struct termios of the kernel (include/uapi/asm-generic/termbits.h). */
const TERMIOS = { iflag: 0, oflag: 4, cflag: 8, lflag: 12, vtime: 22, vmin: 23, size: 36 } as const;

/** A terminal in raw mode. */
export class RawMode {
  readonly #fd: number;
  readonly #saved: Struct;
  readonly #guard: HelperProcess;

  private constructor(fd: number, saved: Struct) {
    this.#fd = fd;
    this.#saved = saved;
    this.#guard = guard(fd, saved);
  }

  /** Sets a terminal to raw mode; `undefined` if the descriptor is not a terminal. */
  static of(fd: number): RawMode | undefined {
    const settings = new Output(TERMIOS.size, "&termios");
    let saved: DataView;
    try {
      saved = syscalls([{ call: ioctl(fd, TCGETS, settings) }]).output(settings);
    } catch (error) {
      if (error instanceof SyscallError && error.code === "ENOTTY") return undefined;
      throw error;
    }
    const bytes = new Uint8Array(saved.buffer, saved.byteOffset, TERMIOS.size).slice();
    const mode = new RawMode(fd, new Struct(bytes, "&termios"));
    syscall(ioctl(fd, TCSETS, new Struct(raw(bytes), "&raw")));
    return mode;
  }

  /** Restores the terminal's settings, unless the terminal has hung up (EIO). */
  restore(): void {
    syscalls([{ call: ioctl(this.#fd, TCSETS, this.#saved), accept: ["EIO"] }]);
    this.#guard.kill();
  }
}

/** Returns the settings with the changes of cfmakeraw(3). */
function raw(saved: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = saved.slice();
  const view = new DataView(bytes.buffer);
  const clear = (at: number, bits: number) =>
    view.setUint32(at, (view.getUint32(at, true) & ~bits) >>> 0, true);
  // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
  clear(TERMIOS.iflag, 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000);
  // OPOST
  clear(TERMIOS.oflag, 0o1);
  // ECHO ECHONL ICANON ISIG IEXTEN
  clear(TERMIOS.lflag, 0o10 | 0o100 | 0o2 | 0o1 | 0o100000);
  // CSIZE PARENB, then CS8
  clear(TERMIOS.cflag, 0o60 | 0o400);
  view.setUint32(TERMIOS.cflag, view.getUint32(TERMIOS.cflag, true) | 0o60, true);
  bytes[TERMIOS.vmin] = 1;
  bytes[TERMIOS.vtime] = 0;
  return bytes;
}

/**
 * A process that waits for the end of the script and then restores its terminal. It has a session of
 * its own, so that no signal of the terminal ends it.
 */
function guard(terminal: number, saved: Struct): HelperProcess {
  return new HelperProcess([terminal, scriptPidfd()], [
    { call: setsid(), onFailure: HELPER_ENDS },
    { call: ppoll([{ fd: 1, events: POLLIN }], undefined), onFailure: HELPER_ENDS },
    { call: ioctl(0, TCSETS, saved), onFailure: HELPER_ENDS },
  ]);
}
