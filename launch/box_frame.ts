/**
 * The frame of a box, which launches by itself: a process with one thread and no other work. It
 * blocks signals, makes the first process, and the walk ends. It ends in the container too, before
 * the program, which the code of the box executes.
 *
 * @module
 */

import { type Call, call, Named, Output, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  dup3,
  F_ADD_SEALS,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  fchdir,
  fcntl,
  getcwd,
  memfd_create,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openat2,
  readlinkat,
  RESOLVE_NO_MAGICLINKS,
  write,
} from "../ffi/calls/files.ts";
import { compareWord } from "../ffi/calls/futex.ts";
import {
  getpid,
  pidfd_open,
  POLLIN,
  ppoll,
  PR_SET_DUMPABLE,
  PR_SET_PDEATHSIG,
  prctl,
  rt_sigaction,
  rt_sigprocmask,
  SIGNALS,
} from "../ffi/calls/processes.ts";
import { socketpair } from "../ffi/calls/sockets.ts";
import { END, Label } from "../ffi/engine/program.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { SCRIPT_SOCKET, SYNC_SOCKETS } from "../plan/parent_work.ts";
import { EXIT_CHILD } from "../plan/process.ts";
import { BoxGroup } from "./box_group.ts";
import { writeParentWork } from "./box_parent.ts";
import { openDevNull } from "./enter_program.ts";
import { BoxClock, hasTimeout } from "./box_clock.ts";
import type { ExecCandidate } from "./exec_candidates.ts";
import type { Frame } from "./frame.ts";
import { CHILD_EDGES, type ProgramWriter } from "./program_writer.ts";

/** The descriptor of the launcher, where it has one: no program of a box inherits more than three. */
const LAUNCHER_PIDFD = 3;

/** The facts of a box that its frame needs. */
export interface BoxFacts {
  /** The init for its architecture. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** Whether the program begins in its caller's working directory, where that is in its root too. */
  readonly keepsDirectory: boolean;
}

/** The frame of a box. */
export class BoxFrame implements Frame {
  readonly vfork: boolean;
  readonly sharesMemory = true;
  readonly clearsHandlers = false;
  /** The memfd of the init's image. */
  readonly initImage: ResultOf;
  readonly #plan: PlanBuilder;
  readonly #memfd: Call = memfd_create("ramekin-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  readonly #image: Uint8Array<ArrayBuffer>;
  readonly #me: Call = getpid();
  readonly #pidfd: Call = pidfd_open(new ResultOf(this.#me, "pid"), 0);
  /** A word that the kernel clears when the launcher ends (set_tid_address(2)). */
  readonly #word = new Output(8, "&launcher", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  /** Words that tell whether the standard streams are /dev/null. */
  readonly nulls: readonly Output[] = [0, 1, 2].map(() => new Output(4, "&null"));
  readonly #pidText = new Output(16, "PID");
  #launchersLast: Call | undefined;

  /** The control group of the container, if it has one. */
  readonly group: BoxGroup | undefined;
  #after: Call | undefined;
  readonly #clock: BoxClock | undefined;
  readonly #cwd: Output | undefined;

  constructor(plan: PlanBuilder, { image, keepsDirectory }: BoxFacts) {
    this.#plan = plan;
    this.vfork = plan.syncPoints.length === 0;
    this.#image = image;
    this.group = plan.limits && new BoxGroup(plan, plan.limits);
    this.#clock = hasTimeout(plan) ? new BoxClock(plan.state.timeout!) : undefined;
    this.#cwd = keepsDirectory ? new Output(4096, "&cwd") : undefined;
    this.initImage = new ResultOf(this.#memfd, "init");
  }

  /** Whether a process of the container has memory of its own. */
  get copiesMemory(): boolean {
    return this.#plan.processes.some(({ ownMemory }) => ownMemory);
  }

  /**
   * The last call of the launcher's walk. Its result is never 0 there, and is 0 for the container:
   * the clone, as the launcher sleeps meanwhile, or a call that comes when it has waited.
   */
  get launchersLast(): Call {
    return this.#launchersLast!;
  }

  enclose(writer: ProgramWriter, clone: Call, firstProcess: Label): void {
    const { hasInit, state, launcherParts, cloneStep } = this.#plan;
    writer.section = "script";
    const add = (call: Call) => void writer.add(call, { onFailure: END });
    // While it is ignored, the kernel throws the exit codes of children away (sigaction(2)).
    add(rt_sigaction(SIGNALS.SIGCHLD, "SIG_DFL"));
    if (this.copiesMemory) {
      add(this.#me);
      add(this.#pidfd);
      // A structure holds a number that is known before. EINVAL: it has that number already.
      const numbered = dup3(new ResultOf(this.#pidfd, "launcher"), LAUNCHER_PIDFD, O_CLOEXEC);
      writer.add(numbered, { accept: ["EINVAL"], onFailure: END });
    } else add(call("set_tid_address", this.#word));
    if (state.exposed) add(prctl(PR_SET_DUMPABLE, 0));
    // ENOENT: the directory is gone, and the path stays empty.
    if (this.#cwd) writer.add(getcwd(this.#cwd), { accept: ["ENOENT"], onFailure: END });
    if (hasInit) this.#makeImage(add);
    for (const part of launcherParts) {
      if ("call" in part) writer.part({ ...part, onFailure: END });
      else writer.place(part);
    }
    add(rt_sigprocmask("all", null));
    this.#makeGroup(writer);
    this.#clock?.start(add);
    if (!this.vfork) add(socketpair(SYNC_SOCKETS));
    writer.section = "clone";
    writer.add(clone, { onZero: firstProcess, onFailure: END, stepIndex: cloneStep });
    if (this.vfork && this.#clock === undefined) {
      writer.end({ onZero: firstProcess });
      this.#launchersLast = clone;
      return;
    }
    writer.section = "script";
    if (!this.vfork) writeParentWork(writer, this.#plan, this.#pidText);
    this.#clock?.launched(add);
    this.#launchersLast = writer.add(getpid());
    writer.end();
  }

  #makeGroup(writer: ProgramWriter): void {
    writer.section = "limits";
    this.group?.make(writer);
    writer.section = "script";
  }

  /** The first of the calls that come when all is over, if there are any. */
  get after(): Call | undefined {
    return this.#after;
  }

  aside(writer: ProgramWriter): void {
    const { finalParts } = this.#plan;
    if (finalParts.length === 0 && this.group === undefined) return;
    writer.section = "script";
    this.#after = writer.add(getpid());
    for (const part of finalParts) writer.part(part);
    writer.section = "limits";
    this.group?.remove(writer);
    writer.add(getpid());
    writer.end();
  }

  #makeImage(add: (call: Call) => void): void {
    add(this.#memfd);
    add(write(this.initImage, this.#image, this.#image.length));
    // A container can open it as /proc/1/exe.
    const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    add(fcntl(this.initImage, F_ADD_SEALS, seals));
  }

  begin(writer: ProgramWriter): void {
    // A box has no handlers, and passes on what its caller ignores.
    if (this.vfork) return;
    writer.add(close(SCRIPT_SOCKET), CHILD_EDGES);
    // The launcher uses the pid as a text, and the memory is its own too.
    writer.add(readlinkat(at_fdcwd, "/proc/self", this.#pidText), CHILD_EDGES);
  }

  tie(writer: ProgramWriter): void {
    const { deathSignal } = this.#plan;
    if (deathSignal === 0) return;
    writer.add(prctl(PR_SET_PDEATHSIG, deathSignal), CHILD_EDGES);
    // No signal is sent if the parent died between the clone and this prctl.
    if (this.copiesMemory) {
      const gone = ppoll([{ fd: LAUNCHER_PIDFD, events: POLLIN }], 0);
      writer.add(gone, { ...CHILD_EDGES, onSuccess: EXIT_CHILD });
    } else {
      const alive = compareWord(this.#word, new Named(1, "1"));
      writer.add(alive, { ...CHILD_EDGES, accept: ["EAGAIN"], onAccepted: EXIT_CHILD });
    }
  }

  beforeExec(writer: ProgramWriter): void {
    // Changes of credentials have reset it.
    if (this.#plan.state.exposed) writer.add(prctl(PR_SET_DUMPABLE, 0), CHILD_EDGES);
    if (this.#plan.state.hasOwnRoot) this.#useOwnNull(writer);
    if (this.#cwd) this.#enterDirectory(writer, this.#cwd);
  }

  #enterDirectory(writer: ProgramWriter, path: Output): void {
    const missing = new Label("there is no such directory");
    const edges = {
      ...CHILD_EDGES,
      accept: ["ENOENT", "ENOTDIR", "EACCES", "ELOOP"],
      onAccepted: missing,
    } as const;
    const how = { flags: O_PATH | O_DIRECTORY | O_CLOEXEC, resolve: RESOLVE_NO_MAGICLINKS };
    const opened = writer.add(openat2(at_fdcwd, path, how), edges);
    writer.add(fchdir(new ResultOf(opened, "directory")), edges);
    writer.place(missing);
  }

  /**
   * Uses the container's own /dev/null for a stream that is the host's, whose mode its owner could
   * change. The code of the box has looked.
   */
  #useOwnNull(writer: ProgramWriter): void {
    const missing = new Label("there is no /dev/null");
    const opened = writer.add(openDevNull(), {
      ...CHILD_EDGES,
      accept: ["ENOENT", "ENOTDIR", "EACCES", "ELOOP"],
      onAccepted: missing,
    });
    this.nulls.forEach((word, fd) => {
      const other = new Label(`stream ${fd} is not /dev/null`);
      const compare = compareWord(word, new Named(1, "1"));
      writer.add(compare, { ...CHILD_EDGES, accept: ["EAGAIN"], onAccepted: other });
      writer.add(dup3(new ResultOf(opened, "null"), fd, 0), CHILD_EDGES);
      writer.place(other);
    });
    writer.place(missing);
  }

  exec(writer: ProgramWriter): readonly ExecCandidate[] {
    writer.endProcess();
    return [];
  }
}
