/**
 * Whether a process can still be joined, when its plan is launched: one run of the engine.
 *
 * @module
 */

import { type Call, Output, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_RDONLY,
  openat,
  read,
  readlinkat,
} from "../ffi/calls/files.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { Label, type ProgramRecord } from "../ffi/engine/program.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import { withFixes } from "../ffi/fix.ts";
import { NO_PROCESS, OTHERS_PROCESS, processDirectory } from "../ffi/proc/proc_dir.ts";
import { type ProcessIdentity, startOf } from "../ffi/proc/process_identity.ts";
import { Routine } from "../ffi/routine.ts";
import { endedError, hasEnded, isDead, REUSED, thawed } from "./join_target.ts";
import { cgroupFilesOf } from "./process_cgroups.ts";

/** A file of a process fits in, or is read by other calls. */
const SIZE = 4096;
const GONE = ["ENOENT", "ESRCH"] as const;

/** The check of one process, whose calls are laid out once. */
export class JoinTargetCheck {
  readonly #process: ProcessIdentity;
  readonly #stat: SmallFile;
  /** The cgroups of the calling thread and of the process, if these have to be entered. */
  readonly #groups: readonly SmallFile[];
  readonly #calls: Routine;
  /** What these said when the process was in no cgroup that the calling thread was not in. */
  #sharedGroups: readonly string[] | undefined;

  constructor(process: ProcessIdentity, cgroup: boolean) {
    this.#process = process;
    const directory = processDirectory(process.pid);
    this.#stat = new SmallFile(`${directory}/stat`, GONE);
    this.#groups = cgroup
      ? ["thread-self" as const, process.pid].map((one) =>
        new SmallFile(`${processDirectory(one)}/cgroup`, [])
      )
      : [];
    // Whether it may be looked at: a kernel need not have user namespaces.
    const look = readlinkat(at_fdcwd, `${directory}/ns/user`, new Output(64, "&target"));
    this.#calls = new Routine([], [
      ...this.#stat.parts,
      { call: look, accept: ["ENOENT"] },
      ...this.#groups.flatMap(({ parts }) => parts),
    ]);
  }

  /**
   * Checks it.
   *
   * @throws {SyscallError} `ESRCH` if it has ended, `EACCES` if it is another user's, `EBUSY` if its
   * cgroups are to be entered, and frozen
   * @throws {UnsupportedError} if its cgroups are to be entered, and cannot be reached
   */
  run(): void {
    const { pid, started } = this.#process;
    try {
      withFixes({ ESRCH: NO_PROCESS, EACCES: OTHERS_PROCESS }, () => this.#check());
    } catch (error) {
      throw hasEnded({ pid, started }) ? endedError(pid) : error;
    }
  }

  #check(): void {
    const { pid, started } = this.#process;
    const result = this.#calls.run();
    const stat = this.#stat.textIn(result);
    if (stat === "") throw endedError(pid);
    if (startOf(stat) !== started) throw endedError(pid, REUSED);
    if (isDead(stat)) throw endedError(pid);
    if (this.#groups.length === 0) return;
    const groups = this.#groups.map((file) => file.textIn(result));
    if (groups.every((text, index) => text === this.#sharedGroups?.[index])) return;
    const files = thawed(cgroupFilesOf(pid));
    const areWhole = groups.every((text) => text.length < SIZE);
    this.#sharedGroups = files.length === 0 && areWhole ? groups : undefined;
  }
}

/** A file that is read by calls among others. */
class SmallFile {
  readonly parts: readonly (ProgramRecord | Label)[];
  readonly #bytes = new Output(SIZE, "&bytes");
  readonly #read: Call;

  /** @param gone errnos of a file that reads as empty */
  constructor(path: string, gone: readonly ErrnoName[]) {
    const opened = openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC, 0);
    const fd = new ResultOf(opened, "fd");
    this.#read = read(fd, this.#bytes, SIZE);
    const [closing, done] = [new Label("closing"), new Label("done")];
    this.parts = [
      { call: opened, accept: gone, onAccepted: done, onFailure: done },
      { call: this.#read, accept: gone, onFailure: closing },
      closing,
      { call: close(fd) },
      done,
    ];
  }

  /** Its text, or as much of it as there is room for. */
  textIn(result: RunResult): string {
    const length = Math.max(0, Number(result.result(this.#read)));
    const { buffer, byteOffset } = result.output(this.#bytes);
    return new TextDecoder().decode(new Uint8Array(buffer, byteOffset, length));
  }
}
