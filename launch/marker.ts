/**
 * The marker of a container that may outlive its script: a process of a few hundred bytes that
 * holds a pidfd of the container, has its name as an argument, and ends with it. What looks for
 * containers finds them by scripts while these run, and by markers afterwards.
 *
 * A process and no file, as a file outlives what it tells of; and beside the container, as all that
 * a container has of its own is the program's to change, its name first.
 *
 * @module
 */

import { Output, pointerList } from "../ffi/call.ts";
import { at_fdcwd, chdir, close_range, CLOSE_RANGE_CLOEXEC, dup3 } from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import { clone, CLONE_VFORK, CLONE_VM } from "../ffi/calls/namespaces.ts";
import {
  execveat,
  exit_group,
  kill,
  rt_sigprocmask,
  setsid,
  SIGNALS,
} from "../ffi/calls/processes.ts";
import { MARKER } from "../ffi/engine/bytes.ts";
import { engine } from "../ffi/engine/engine.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { assemble, END, Label } from "../ffi/engine/program.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { syscall } from "../ffi/syscalls.ts";
import { nameOf } from "../recipe/path.ts";
import { reap } from "./reap.ts";
import type { RunningService } from "./running_service.ts";
import { sealedImage } from "./sealed_image.ts";

const FILE = "ramekin-marker";

const image = perEngine(({ architecture }) => sealedImage(FILE, MARKER[architecture]));

/** The marker of one container. */
export class Marker implements RunningService {
  readonly #name: string;
  readonly #image: number = image();
  #pid = 0;

  /**
   * Nothing runs yet.
   *
   * @param name the name of the container, or the path of its program
   * @throws {SyscallError} if no more files may be open
   */
  constructor(name: string) {
    this.#name = nameOf(name);
  }

  /** Starts it. Where no more processes can be made, the container runs without a marker as well. */
  guard(pidfd: number): void {
    const [pid, mask] = [new Output(4, "&pid"), new Output(8, "&mask")];
    const [child, ends, restoring] = [new Label("marker"), new Label("ends"), new Label("restore")];
    const argv = pointerList([FILE, this.#name], "argv");
    const program = assemble([
      // They stay blocked: what ends the container's session is not to end its marker before.
      { call: rt_sigprocmask("all", mask) },
      { call: clone(CLONE_VM | CLONE_VFORK, pid), onZero: child, onFailure: restoring },
      restoring,
      { call: rt_sigprocmask(mask, null), onZero: END },
      child,
      // EINVAL: it has this number already.
      { call: dup3(pidfd, 0, 0), accept: ["EINVAL"], onFailure: ends },
      { call: close_range(1, 0xffff_ffff, CLOSE_RANGE_CLOEXEC), onFailure: ends },
      { call: setsid(), onFailure: ends },
      { call: chdir("/"), onFailure: ends },
      {
        call: execveat(this.#image, "", argv, pointerList([], "[]"), AT_EMPTY_PATH),
        onFailure: ends,
      },
      ends,
      { call: exit_group(127) },
    ], engine().architecture);
    this.#pid = engine().run(program).output(pid).getInt32(0, true);
  }

  /** Ends it. */
  end(): void {
    if (this.#pid === 0) return;
    syscall(kill(this.#pid, SIGNALS.SIGKILL));
    reap(this.#pid);
    this.#pid = 0;
  }
}

/** Whether a process is a marker, by its /proc/PID/maps. */
export function isMarker(maps: string): boolean {
  return maps.includes(`/memfd:${FILE}`);
}

/** Reads what a marker marks; `undefined` if the container has ended, or cannot be seen from here. */
export function readMarker(
  marker: number,
): { readonly pid: number; readonly name: string } | undefined {
  const text = readWholeText(at_fdcwd, `/proc/${marker}/fdinfo/0`);
  const pid = Number(/^Pid:\s*(\d+)$/m.exec(text)?.[1] ?? 0);
  const [, name] = readWholeText(at_fdcwd, `/proc/${marker}/cmdline`).split("\0");
  return pid === 0 || name === undefined ? undefined : { pid, name };
}
