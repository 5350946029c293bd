/**
 * Placeholders: empty directories on the host, which are mount points of a container. They keep a
 * name from being made there, as the kernel has mounts on files only, not on names.
 *
 * Containers share them. Each holds a lock as long as it runs, and the last one removes them: a
 * mount point that is removed outside takes the mount with it (rmdir(2), since Linux 3.18).
 *
 * @module
 */

import { type Call, type Fd, Output, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  AT_REMOVEDIR,
  close,
  flock,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  mkdirat,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  openat2,
  pread64,
  pwrite64,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  unlinkat,
} from "../ffi/calls/files.ts";
import {
  readStatx,
  statx,
  STATX_INO,
  STATX_NLINK,
  STATX_SIZE,
  STATX_TYPE,
  statxOutput,
} from "../ffi/calls/statx.ts";
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from "../ffi/calls/mounts.ts";
import { POLLIN, ppoll, setsid } from "../ffi/calls/processes.ts";
import type { RunResult } from "../ffi/engine/engine.ts";
import { Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { ERRNO } from "../ffi/errno.ts";
import { SyscallError } from "../ffi/errors.ts";
import { rest } from "../ffi/rest.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import type { Placeholder } from "../plan/parent_work.ts";
import { nameOf, parentOf } from "../recipe/path.ts";
import { isMiss, stepError } from "./explain.ts";
import { HELPER_ENDS, HelperProcess } from "./helper_process.ts";
import type { RunningService } from "./running_service.ts";
import { scriptPidfd } from "./runtime_fds.ts";

/** A placeholder that was made, or was there. */
interface Made {
  readonly placeholder: Placeholder;
  /** The open directory that it is in. */
  readonly parent: number;
  /** The placeholder, open and locked. */
  readonly fd: number;
}

/** The placeholders of one container. */
export class Placeholders implements RunningService {
  readonly #made: Made[] = [];
  /** The open directories that they are in. */
  readonly #parents = new Map<string, number>();
  #guard: HelperProcess | undefined;

  /**
   * Makes the placeholders of a plan; `undefined` if it has none.
   *
   * @throws {SyscallError} with the step; nothing is left of them
   */
  static make(plan: PlanBuilder): Placeholders | undefined {
    if (plan.placeholders.length === 0) return undefined;
    const all = new Placeholders();
    let { stepIndex } = plan.placeholders[0]!;
    try {
      for (const placeholder of plan.placeholders) {
        ({ stepIndex } = placeholder);
        all.#parent(placeholder);
      }
      all.#guard = all.#watchScript(plan.placeholders);
      for (const placeholder of plan.placeholders) {
        ({ stepIndex } = placeholder);
        all.#made.push(make(placeholder, all.#parent(placeholder)));
      }
    } catch (error) {
      all.end();
      // The directory around it has been found, or something has been made in its place.
      if (error instanceof SyscallError && isMiss(error.code)) plan.becomeMissed();
      throw stepError(error, plan, stepIndex);
    }
    return all;
  }

  /** Has a process remove them if the script is killed before there is a container. */
  #watchScript(placeholders: readonly Placeholder[]): HelperProcess {
    const descriptors = [...new Set([scriptPidfd(), ...this.#parents.values()])].sort(ascending);
    const numberOf = (fd: number) => descriptors.indexOf(fd);
    return new HelperProcess(descriptors, [
      { call: setsid(), onFailure: HELPER_ENDS },
      {
        call: ppoll([{ fd: numberOf(scriptPidfd()), events: POLLIN }], undefined),
        onFailure: HELPER_ENDS,
      },
      ...placeholders.filter(({ text }) => text === undefined)
        .flatMap((one) => removalByName(one, numberOf(this.#parent(one)))),
    ]);
  }

  #parent({ path }: Placeholder): number {
    const directory = parentOf(path);
    let parent = this.#parents.get(directory);
    if (parent === undefined) this.#parents.set(directory, parent = syscall(opening(directory)));
    return parent;
  }

  /** Has a process remove them if the script cannot, when the container has ended. */
  guard(pidfd: number): void {
    const earlier = this.#guard;
    this.#guard = this.#watchContainer(pidfd);
    earlier?.kill();
  }

  #watchContainer(pidfd: number): HelperProcess {
    const uses = [pidfd, ...this.#parents.values(), ...this.#made.map(({ fd }) => fd)];
    // In this order no number is needed after it is given to another file.
    const descriptors = [...new Set(uses)].sort(ascending);
    const numberOf = (fd: number) => descriptors.indexOf(fd);
    // A file may be somebody's own by then, and does no harm; only an empty directory is removed.
    const made = this.#made.filter(({ placeholder }) => placeholder.text === undefined)
      .map((one) => ({ ...one, parent: numberOf(one.parent), fd: numberOf(one.fd) }));
    return new HelperProcess(descriptors, [
      { call: setsid(), onFailure: HELPER_ENDS },
      {
        call: ppoll([{ fd: numberOf(pidfd), events: POLLIN }], undefined),
        onFailure: HELPER_ENDS,
      },
      ...made.flatMap(removal),
    ]);
  }

  /** Removes them, unless another container has them too. */
  end(): void {
    this.#guard?.kill();
    if (this.#made.length > 0) give(this.#made.toReversed());
    for (const parent of this.#parents.values()) syscall(close(parent));
    this.#made.length = 0;
    this.#parents.clear();
  }
}

const ascending = (one: number, other: number) => one - other;

/** Returns the calls by which the placeholders of a plan are made. */
export function placeholderCalls(plan: PlanBuilder): { call: Call; stepIndex: number }[] {
  const parents = new Map<string, Call>();
  return plan.placeholders.flatMap((placeholder) => {
    const directory = parentOf(placeholder.path);
    const calls: Call[] = [];
    let parent = parents.get(directory);
    if (parent === undefined) {
      parents.set(directory, parent = opening(directory));
      calls.push(parent);
    }
    const making = callsIn(placeholder, new ResultOf(parent, `<${directory}>`));
    calls.push(...Object.values(making).filter((call) => call !== undefined));
    return calls.map((call) => ({ call, stepIndex: placeholder.stepIndex }));
  });
}

/** Opens the directory that a placeholder is in. */
function opening(directory: string): Call {
  const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  return openat2(at_fdcwd, directory, { flags, resolve: RESOLVE_NO_SYMLINKS });
}

/** The calls by which a placeholder is made, in their order. */
interface Making {
  readonly directory: Call | undefined;
  readonly opened: Call;
  readonly locked: Call;
  readonly written: Call | undefined;
}

/** Nobody makes such a directory otherwise, so that one that was left behind is known again. */
const MODE = 0o555;

function callsIn({ path, text }: Placeholder, parent: Fd): Making {
  const name = nameOf(path);
  // What is there already is never written to: who may write beside it could have put it there.
  const opened = openIn(parent, name, text === undefined ? O_DIRECTORY : O_RDWR | O_CREAT | O_EXCL);
  const fd = new ResultOf(opened, `<${name}>`);
  const bytes = new TextEncoder().encode(text);
  return {
    directory: text === undefined ? mkdirat(parent, name, MODE) : undefined,
    opened,
    locked: flock(fd, LOCK_SH | LOCK_NB),
    written: bytes.length === 0 ? undefined : pwrite64(fd, bytes, bytes.length, 0),
  };
}

/** Opens a file in a directory; a pipe does not keep it waiting. */
function openIn(parent: Fd, name: string, flags: number): Call {
  return openat2(parent, name, {
    flags: flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
    mode: (flags & O_CREAT) === 0 ? 0 : 0o644,
    resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
  });
}

/** How often it is tried to make one, a millisecond apart: others may remove it meanwhile. */
const TRIES = 200;

function make(placeholder: Placeholder, parent: number): Made {
  for (let tries = 0; tries < TRIES; tries++) {
    const fd = openPlaceholder(placeholder, parent);
    if (fd !== undefined) {
      const made = { placeholder, parent, fd };
      if (isTaken(made)) return made;
      syscall(close(fd));
    }
    rest(1);
  }
  throw new SyscallError({
    syscall: "openat2",
    errno: ERRNO.EEXIST,
    call: `openat2(..., ${JSON.stringify(nameOf(placeholder.path))}, ...)`,
    hint: `${placeholder.path} has been made or locked by somebody else meanwhile; run it again`,
  });
}

/** Makes and opens it, or opens what is there; `undefined` if that is gone again. */
function openPlaceholder(placeholder: Placeholder, parent: number): number | undefined {
  const { directory, opened, written } = callsIn(placeholder, parent);
  const there = openIn(parent, nameOf(placeholder.path), O_RDONLY);
  const [end, exists] = [new Label("it is open"), new Label("it is there")];
  const failed = new Label("it cannot be written");
  const outcome = syscalls([
    ...(directory === undefined ? [] : [{ call: directory, accept: ["EEXIST"] as const }]),
    {
      call: opened,
      accept: ["ENOENT", "EEXIST"],
      onAccepted: exists,
      ...(written === undefined && { onSuccess: end }),
    },
    ...(written === undefined ? [] : [
      { call: written, onFailure: failed, onSuccess: end },
      failed,
      { call: unlinkat(parent, nameOf(placeholder.path), 0) },
      { call: close(new ResultOf(opened, "<placeholder>")), onSuccess: end },
    ]),
    exists,
    { call: there, accept: ["ENOENT", "ELOOP", "ENXIO"] },
    end,
  ]);
  const fd = Number(outcome.result(opened));
  if (fd > 0) return fd;
  const other = Number(outcome.result(there));
  return other > 0 ? other : undefined;
}

/** Takes a placeholder that is open, unless it is somebody else's. */
function isTaken(made: Made): boolean {
  try {
    const locked = flock(made.fd, LOCK_SH | LOCK_NB);
    const { records, isOurs } = looking(made);
    const outcome = syscalls([{ call: locked, accept: ["EAGAIN"] }, ...records]);
    return outcome.result(locked) === 0n && isOurs(outcome);
  } catch (error) {
    give([made]);
    throw error;
  }
}

/** Removes placeholders, unless others have them too, and closes them. */
function give(all: readonly Made[]): void {
  try {
    const looks = all.map((made) => ({ made, ...looking(made) }));
    const outcome = syscalls(looks.flatMap(({ records }) => records));
    const ours = looks.filter(({ isOurs }) => isOurs(outcome));
    syscalls(ours.flatMap(({ made }) => removal(made)));
  } catch {
    // They are left behind then, and the next container takes them over.
  } finally {
    syscalls(all.map(({ fd }) => ({ call: close(fd) })));
  }
}

/** How a placeholder is looked at. */
interface Looking {
  readonly records: readonly ProgramRecord[];
  /**
   * Whether it is still there, as others remove one under a lock, and is as placeholders are made: of
   * a file, that nobody has written to it.
   */
  isOurs(outcome: RunResult): boolean;
}

function looking({ placeholder: { path, text }, parent, fd }: Made): Looking {
  const [named, open] = [statxOutput(), statxOutput()];
  const look = statx(parent, nameOf(path), AT_SYMLINK_NOFOLLOW, STATX_INO, named);
  const mask = STATX_INO | STATX_TYPE | STATX_NLINK | STATX_SIZE;
  return {
    records: [
      // A program may have closed the directory around it.
      { call: look, accept: ["ENOENT", "EACCES"] },
      { call: statx(fd, "", AT_EMPTY_PATH, mask, open) },
    ],
    isOurs(outcome) {
      if (outcome.result(look) !== 0n) return false;
      const { ino, mode, nlink, size } = readStatx(outcome.output(open));
      if (readStatx(outcome.output(named)).ino !== ino) return false;
      if (text === undefined) return (mode & S_IFMT) === S_IFDIR;
      return (mode & S_IFMT) === S_IFREG && nlink === 1 && size === text.length && holds(fd, text);
    },
  };
}

/** Whether a file begins with a text. */
function holds(fd: number, text: string): boolean {
  const content = new Output(text.length + 1, "&content");
  const read = pread64(fd, content, content.size, 0);
  const { buffer, byteOffset } = syscalls([{ call: read }]).output(content);
  return new TextDecoder().decode(new Uint8Array(buffer, byteOffset, text.length)) === text;
}

/** What is left where it is: somebody has put something there, or may not remove it. */
const LEFT = [
  "ENOENT",
  "ENOTEMPTY",
  "ENOTDIR",
  "EISDIR",
  "EACCES",
  "EPERM",
  "EROFS",
  "EBUSY",
] as const;

/**
 * Removes a placeholder that may be missing, once nobody else has locked it: a container that ends
 * with the script has a copy of the script's descriptor for a moment.
 */
function removalByName(placeholder: Placeholder, parent: number): (ProgramRecord | Label)[] {
  const missing = new Label("it is not there");
  const name = nameOf(placeholder.path);
  const opening = () => openIn(parent, name, O_RDONLY | O_DIRECTORY);
  const [first, again] = [opening(), opening()];
  const [locked, fd] = [new ResultOf(first, "<locked>"), new ResultOf(again, "<placeholder>")];
  return [
    { call: first, onFailure: missing },
    { call: flock(locked, LOCK_EX), onFailure: missing },
    // By now it may be another one, which somebody else has made and locked.
    { call: close(locked) },
    { call: again, onFailure: missing },
    ...removal({ placeholder, parent, fd }),
    { call: close(fd) },
    missing,
  ];
}

/** Removes a placeholder that nobody else has locked; a directory with something in it stays. */
function removal(
  { placeholder: { path, text }, parent, fd }: Omit<Made, "fd"> & { readonly fd: Fd },
): (ProgramRecord | Label)[] {
  const shared = new Label("others have it too");
  const flags = text === undefined ? AT_REMOVEDIR : 0;
  return [
    { call: flock(fd, LOCK_EX | LOCK_NB), accept: ["EAGAIN"], onAccepted: shared },
    { call: unlinkat(parent, nameOf(path), flags), accept: LEFT, onFailure: shared },
    shared,
  ];
}
