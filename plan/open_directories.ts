/**
 * The directories that a plan has opened, for lookups beneath them, and the working directory of the
 * calls.
 *
 * @module
 */

import type { Fd } from "../ffi/call.ts";
import { ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  chdir,
  close,
  fchdir,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openat,
} from "../ffi/calls/files.ts";
import { Label } from "../ffi/engine/program.ts";
import type { PlanBuilder } from "./builder.ts";
import type { PlannedMount } from "./mount_table.ts";
import { unexpanded } from "../recipe/unexpanded.ts";

/** An open directory, and the mount that it is on. */
interface OpenDirectory {
  readonly mount: PlannedMount;
  readonly fd: ResultOf;
}

/** The open directories at the current call. */
export class OpenDirectories {
  readonly #plan: PlanBuilder;
  readonly #open = new Map<string, OpenDirectory>();
  /** The directories that calls which may be skipped have opened, and the entries they replace. */
  #opened: [path: string, before: OpenDirectory | undefined][] | undefined;
  /** The open working directory; `"lost"` if no later call needs it. */
  #working: ResultOf | "lost" | undefined;
  #isElsewhere = false;

  /**
   * Those of a plan.
   *
   * @param begun those that the first steps have opened
   */
  constructor(plan: PlanBuilder, begun?: OpenDirectories) {
    this.#plan = plan;
    if (begun === undefined) return;
    for (const [path, directory] of begun.#open) this.#open.set(path, directory);
    this.#working = begun.#working;
    this.#isElsewhere = begun.#isElsewhere;
  }

  /** Opens a directory of the container for lookups beneath it, unless it is open already. */
  at(path: string): ResultOf {
    const plan = this.#plan;
    const mount = plan.state.mounts.mountOf(path);
    const known = this.#open.get(path);
    if (known?.mount === mount) return known.fd;
    const fd = plan.path(path).open(O_PATH | O_DIRECTORY, {
      fixes: () => ({
        ENOENT: `the directory ${path} does not exist${unexpanded(path) || "; mkdir() makes it"}`,
        ENOTDIR: `${path} is not a directory`,
      }),
    });
    this.#opened?.push([path, known]);
    this.#open.set(path, { mount, fd });
    return fd;
  }

  /** Whether the calls that are added now may be skipped. */
  get maySkip(): boolean {
    return this.#opened !== undefined;
  }

  /** Forgets the directories that are opened by calls which may be skipped. */
  whereSkippable(write: () => void): void {
    this.rememberWorking();
    const outer = this.#opened;
    const opened: [path: string, before: OpenDirectory | undefined][] = this.#opened = [];
    write();
    for (const [path, before] of opened.reverse()) {
      const { fd } = this.#open.get(path) ?? {};
      if (this.#plan.closesAtOnce && fd !== undefined) this.#plan.call(close(fd));
      if (before === undefined) this.#open.delete(path);
      else this.#open.set(path, before);
    }
    this.#opened = outer;
  }

  /** Closes all of them, which would keep a mount busy (umount(2)). */
  closeAll(): readonly Fd[] {
    const { state } = this.#plan;
    const proc = [state.proc, state.outerProc].filter((one) => one !== undefined);
    const open = new Set([...this.#open.values(), ...proc].map(({ fd }) => fd));
    for (const fd of open) this.#plan.call(close(fd));
    this.forget();
    state.proc = state.outerProc = undefined;
    return [...open];
  }

  /** Forgets them: the root has changed. */
  forget(): void {
    this.#open.clear();
  }

  /**
   * Adds calls with an open directory as the working directory, because mount(2) takes `"."` but no
   * descriptor. The process stays there until {@linkcode returnToWorking}.
   */
  inside(directory: Fd, write: () => void): void {
    if (!this.#isElsewhere) this.rememberWorking();
    this.#isElsewhere = true;
    this.#plan.call(fchdir(directory));
    write();
  }

  /** Restores the working directory from before {@linkcode inside}. */
  returnToWorking(): void {
    if (!this.#isElsewhere) return;
    this.#isElsewhere = false;
    if (this.#working instanceof ResultOf) this.#plan.call(fchdir(this.#working));
  }

  /** Notes that calls have set another working directory, so the old one is not restored. */
  enteredWorking(): void {
    this.#isElsewhere = false;
    this.#working = undefined;
  }

  /** Forgets what is open in the present mount namespace, which the container leaves. */
  leaveMountNamespace(): void {
    this.returnToWorking();
    this.#working = undefined;
    this.forget();
  }

  /** Opens the working directory, unless no later call needs it. */
  rememberWorking(): void {
    if (this.#working !== undefined) return;
    const plan = this.#plan;
    // A new root sets the working directory to "/"; without a chdir step no program sees this one.
    if (plan.cursor.nextRoot !== undefined && !plan.cursor.comesLater("chdir")) {
      this.#working = "lost";
      return;
    }
    const opened = openat(at_fdcwd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    const [again, unsearchable, done] = [
      new Label("again"),
      new Label("unsearchable"),
      new Label("the working directory is open"),
    ];
    plan.place(again);
    this.#working = plan.open(opened, "<working directory>", {
      accept: ["EACCES"],
      onAccepted: unsearchable,
      onSuccess: done,
    });
    // The container has less rights than the script: root of a user namespace may not enter another
    // user's home.
    plan.place(unsearchable);
    plan.call(chdir("/"), { onZero: again });
    plan.place(done);
  }
}
