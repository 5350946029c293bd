/**
 * The raw mode of the script's own terminal, and a guard that restores it if the script is killed.
 *
 * @module
 */

import { Output, Struct } from "../../ffi/call.ts";
import { close_range, dup3, ioctl, TCGETS, TCSETS } from "../../ffi/calls/files.ts";
import { clone, CLONE_VM } from "../../ffi/calls/namespaces.ts";
import {
  exit_group,
  kill,
  P_PID,
  POLLIN,
  ppoll,
  rt_sigprocmask,
  setsid,
  SIGNALS,
  waitid,
  WEXITED,
} from "../../ffi/calls/processes.ts";
import { engine, place } from "../../ffi/engine/engine.ts";
import { SyscallError } from "../../ffi/errors.ts";
import type { Memory } from "../../ffi/engine/memory.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { assemble, END, Label } from "../../ffi/engine/program.ts";
import { scriptPidfd } from "../../launch/runtime_fds.ts";

/** struct termios of the kernel (include/uapi/asm-generic/termbits.h). */
const TERMIOS = { iflag: 0, oflag: 4, cflag: 8, lflag: 12, vtime: 22, vmin: 23, size: 36 } as const;

/** A terminal in raw mode. */
export class RawMode {
  readonly #fd: number;
  readonly #saved: Struct;
  readonly #guard: Guard;

  private constructor(fd: number, saved: Struct) {
    this.#fd = fd;
    this.#saved = saved;
    this.#guard = new Guard(fd, saved);
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
    this.#guard.dismiss();
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
 * A process that waits for the end of the script and then restores its terminal. It shares the
 * script's memory.
 */
class Guard {
  readonly #memory: Memory;
  readonly #pid: number;

  constructor(terminal: number, saved: Struct) {
    const [pid, mask] = [new Output(4, "&pid"), new Output(8, "&mask")];
    const [child, ended] = [new Label("guard"), new Label("guard ends")];
    const program = assemble([
      // A signal handler of the script must not run in the guard, which shares the memory.
      { call: rt_sigprocmask("all", mask) },
      { call: clone(CLONE_VM, pid), onZero: child },
      { call: rt_sigprocmask(mask, null), onZero: END },
      child,
      { call: setsid(), onFailure: ended },
      { call: dup3(terminal, 0, 0), accept: ["EINVAL"], onFailure: ended },
      { call: dup3(scriptPidfd(), 1, 0), onFailure: ended },
      { call: close_range(2, 0xffff_ffff, 0), onFailure: ended },
      { call: ppoll([{ fd: 1, events: POLLIN }], undefined), onFailure: ended },
      { call: ioctl(0, TCSETS, saved), onFailure: ended },
      ended,
      { call: exit_group(0) },
    ], engine().architecture);
    this.#memory = engine().allocate(program.bytes.length);
    place(program, this.#memory);
    engine().runIn(this.#memory);
    this.#pid = this.#memory.view.getInt32(program.outputs.get(pid)!, true);
  }

  dismiss(): void {
    syscall(kill(this.#pid, SIGNALS.SIGKILL));
    syscall(waitid(P_PID, this.#pid, null, WEXITED));
    engine().release(this.#memory);
  }
}
