/**
 * The last part of a launch, after the steps: from the complete container to execve(2).
 *
 * @module
 */

import {
  type Argument,
  type Call,
  Named,
  Output,
  OutputField,
  pointerList,
  ResultOf,
  type Slot,
  Struct,
} from "../ffi/call.ts";
import {
  at_fdcwd,
  chdir,
  close,
  close_range,
  dup3,
  F_DUPFD_CLOEXEC,
  F_OK,
  faccessat,
  fchdir,
  fcntl,
  getcwd,
  ioctl,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOCTTY,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  openat,
  openat2,
  read,
  RESOLVE_NO_MAGICLINKS,
  TIOCGPTPEER,
  TIOCSCTTY,
  TIOCSPTLCK,
  TIOCSWINSZ,
  umask,
  write,
  X_OK,
} from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import { execve, execveat, rt_sigprocmask, setsid } from "../ffi/calls/processes.ts";
import { sendDescriptor } from "../ffi/calls/sockets.ts";
import { Label } from "../ffi/engine/program.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import type { Fixes } from "../ffi/fix.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { changeIds } from "../plan/change_ids.ts";
import { CONTAINER_SOCKET } from "../plan/parent_work.ts";
import { EXIT_CHILD, type PlannedCall } from "../plan/process.ts";
import type { Frame } from "./frame.ts";
import { CHILD_EDGES, type ProgramWriter } from "./program_writer.ts";
import type { LaunchShape } from "./shape.ts";
import {
  ARGV,
  CWD,
  ENVIRONMENT,
  GID,
  handedFd,
  IMAGE,
  programPath,
  RESERVED,
  SCRIPT_PIDFD,
  STDIO,
  TERMINAL,
  UID,
  WINDOW_SIZE,
} from "./slots.ts";

/** A path at which the program may be. */
export interface ExecCandidate {
  readonly execve: Call;
  /** The call that executes an image in its place; then `execve` only finds the program. */
  readonly image?: Call;
  /** Checks whether the file exists, after all attempts have failed. */
  readonly exists: Call;
  /** Reads the start of the file, after all attempts have failed, to explain the error. */
  readonly readHead: Call;
  readonly head: Output;
  /** Checks whether the mode of a file that was read, and its mount, let it be executed. */
  readonly executable: Call;
}

/** Opens /dev/null before the steps, which may hide the host's /dev. */
export const openNull: Call = openat(at_fdcwd, "/dev/null", O_RDWR | O_CLOEXEC, 0);

/** Writes the calls after the steps, and returns those that execute the program. */
export function writeExec(
  writer: ProgramWriter,
  plan: PlanBuilder,
  shape: LaunchShape,
  frame: Frame,
): readonly ExecCandidate[] {
  const add = (call: Call) => writer.add(call, CHILD_EDGES);
  if (plan.state.mounts.hasMounts) enterAgain(writer);
  if (shape.cwd) enterDirectory(writer, plan);
  if (shape.terminal === undefined) {
    connectStdio(add, shape);
    if (plan.state.terminals !== undefined) useOwnNull(writer, shape);
  } else {
    // setsid(2) fails for a session leader.
    if (!plan.state.sessionLeader) {
      const fixes = { EPERM: "the program is a session leader already" };
      writer.add(setsid(), { ...CHILD_EDGES, fixes });
    }
    connectTerminal(add, shape.terminal);
  }
  if (shape.uid || shape.gid) {
    const ids = { uid: shape.uid ? UID : undefined, gid: shape.gid ? GID : undefined };
    for (const { call, fixes } of changeIds(ids, plan.state)) {
      writer.add(call, { ...CHILD_EDGES, fixes });
    }
  }
  if (!plan.state.hasUmask) add(umask(plan.scriptUmask));
  frame.tie(writer);
  frame.beforeExec(writer);
  if (plan.listener !== undefined) sendListener(add, plan.listener);
  if (shape.held) waitToStart(writer);
  const { notifier } = plan;
  const { calls, socket, image } = closeOthers(writer, plan.beforeProgram, shape, {
    keepsSocket: !frame.vfork || notifier !== undefined,
  });
  add(rt_sigprocmask("none", null));
  for (const planned of calls) writer.part(planned);
  if (notifier !== undefined) sendNotifier(writer, notifier.call, socket!);
  return frame.exec(writer, shape, image);
}

/**
 * Closes all descriptors but those that are handed on, and those that the last calls use. execve(2)
 * closes the others only when it has looked up the program and its interpreter, and a link or a
 * `#!` line could lead over one of theirs to the host: /proc/self/fd/N/.. (CVE-2024-21626).
 *
 * @param options whether the sync socket is kept
 */
function closeOthers(
  writer: ProgramWriter,
  last: readonly PlannedCall[],
  { fds, image }: LaunchShape,
  { keepsSocket }: { readonly keepsSocket: boolean },
): LastCalls {
  const used = last.flatMap(({ call, accept = [] }) =>
    call.args.filter(isDescriptor).map((fd): UsedFd => ({ fd, accept }))
  );
  // By its end the script is told that the program runs.
  if (keepsSocket) used.push({ fd: CONTAINER_SOCKET, accept: [] });
  if (image) used.push({ fd: IMAGE, accept: [] });
  const numbers = freeNumbers(used.length, fds);
  const kept = [
    ...used.map((one, index) => ({ ...one, number: numbers[index]!, flags: O_CLOEXEC })),
    ...fds.map((number, index) => ({ fd: handedFd(index), accept: [], number, flags: 0 })),
  ].toSorted((one, other) => one.number - other.number);
  const beyond = (kept.at(-1)?.number ?? 2) + 1;
  const edges = { ...CHILD_EDGES, fixes: HANDED_FIXES };
  // By numbers behind all of these, so that none takes the place of another.
  const copies = kept.map(({ fd, accept }) =>
    new ResultOf(writer.add(fcntl(fd, F_DUPFD_CLOEXEC, beyond), { ...edges, accept }), "copy")
  );
  let first = 3;
  kept.forEach(({ number, accept, flags }, index) => {
    // Where there may be no descriptor to take its number, another one may have that.
    const last = accept.length > 0 ? number : number - 1;
    if (last >= first) writer.add(close_range(first, last, 0), CHILD_EDGES);
    writer.add(dup3(copies[index]!, number, flags), { ...edges, accept });
    first = number + 1;
  });
  writer.add(close_range(first, 0xffff_ffff, 0), CHILD_EDGES);
  const numberOf = new Map<Argument, number>(used.map(({ fd }, index) => [fd, numbers[index]!]));
  const calls = last.map((planned): PlannedCall => {
    // Others may refer to the result of such a call.
    if (!planned.call.args.some(isDescriptor)) return planned;
    const args = planned.call.args.map((argument) =>
      isDescriptor(argument) ? new Named(numberOf.get(argument)!, argument.text) : argument
    );
    return { ...planned, call: { ...planned.call, args } };
  });
  const socket = numberOf.get(CONTAINER_SOCKET);
  return {
    calls,
    socket: socket === undefined ? undefined : new Named(socket, "socket"),
    image: image ? numberOf.get(IMAGE) : undefined,
  };
}

/** The last calls, with the numbers that their descriptors have then. */
interface LastCalls {
  readonly calls: readonly PlannedCall[];
  /** The container's end of the sync sockets, if it is kept. */
  readonly socket: Named | undefined;
  /** The executable that runs in place of the program. */
  readonly image: number | undefined;
}

/** A descriptor that is used once more, and what its call accepts. */
interface UsedFd {
  readonly fd: ResultOf | OutputField | Slot;
  readonly accept: readonly ErrnoName[];
}

/** Whether the argument of a last call is a descriptor that an earlier one has opened. */
function isDescriptor(argument: Argument): argument is ResultOf | OutputField {
  return argument instanceof ResultOf || argument instanceof OutputField;
}

/** Returns the first numbers from 3 on that are not taken. */
function freeNumbers(count: number, taken: readonly number[]): readonly number[] {
  const numbers: number[] = [];
  for (let number = 3; numbers.length < count; number++) {
    if (!taken.includes(number)) numbers.push(number);
  }
  return numbers;
}

const BEYOND_LIMIT = "the number of a descriptor is beyond the limit of open files (rlimit nofile)";
const HANDED_FIXES: Fixes = { EBADF: BEYOND_LIMIT, EINVAL: BEYOND_LIMIT };

/** Has the complete container wait for the script, and exit if the script has closed its end. */
function waitToStart(writer: ProgramWriter): void {
  const byte = new Output(1, "&byte");
  writer.add(write(CONTAINER_SOCKET, byte, 1), CHILD_EDGES);
  writer.add(read(CONTAINER_SOCKET, byte, 1), { ...CHILD_EDGES, onZero: EXIT_CHILD });
}

/**
 * Sends a socket to the script. The message holds the descriptor's number, which has to be known
 * before, so the socket takes that of a descriptor that is no longer used.
 */
function sendListener(add: (call: Call) => Call, listener: ResultOf): void {
  add(dup3(listener, SCRIPT_PIDFD, O_CLOEXEC));
  add(sendDescriptor(CONTAINER_SOCKET, SCRIPT_PIDFD));
}

/** Sends the listener of a filter, by a number that is free again. */
function sendNotifier(writer: ProgramWriter, notifier: Call, socket: Named): void {
  const edges = { ...CHILD_EDGES, fixes: HANDED_FIXES };
  writer.add(dup3(new ResultOf(notifier, "listener"), SCRIPT_PIDFD, O_CLOEXEC), edges);
  writer.add(sendDescriptor(socket, SCRIPT_PIDFD), edges);
}

/**
 * Enters the working directory again by its name, or / if it is gone: a mount over it hides it from
 * new lookups only. See getcwd(2).
 */
function enterAgain(writer: ProgramWriter): void {
  const path = new Output(4096, "&path");
  const [lost, done] = [new Label("the directory is gone"), new Label("the directory is entered")];
  const otherwise = {
    ...CHILD_EDGES,
    accept: ["ENOENT", "ENOTDIR", "EACCES", "ELOOP"],
    onAccepted: lost,
  } as const;
  writer.add(getcwd(path), otherwise);
  const directory = new ResultOf(writer.add(openDirectory(path), otherwise), "directory");
  writer.add(fchdir(directory), { ...otherwise, onZero: done });
  writer.place(lost);
  writer.add(chdir("/"), CHILD_EDGES);
  writer.place(done);
}

/**
 * Opens a directory without magic links of /proc, which lead out of the container (CVE-2024-21626).
 */
function openDirectory(path: Output | Slot): Call {
  const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  return openat2(at_fdcwd, path, { flags, resolve: RESOLVE_NO_MAGICLINKS });
}

function enterDirectory(writer: ProgramWriter, { state }: PlanBuilder): void {
  const fixes: Fixes = {
    ENOENT: `the directory does not exist ${state.filesAt}; a shell expands ~ and $HOME, Ramekin ` +
      "does not",
    ENOTDIR: "it is not a directory",
    ELOOP: "a link in /proc on the way leads out of the container, or there are too many links",
    EACCES: "the directory, or one on the way to it, may not be searched by this user (chmod +x)",
  };
  const opened = writer.add(openDirectory(CWD), { ...CHILD_EDGES, fixes });
  const directory = new ResultOf(opened, "directory");
  writer.add(fchdir(directory), { ...CHILD_EDGES, fixes });
  writer.add(close(directory), CHILD_EDGES);
}

function connectStdio(add: (call: Call) => Call, { stdio }: LaunchShape): void {
  stdio.forEach((kind, fd) => {
    if (kind === "inherit") return;
    add(dup3(kind === "null" ? new ResultOf(openNull, "null") : STDIO[fd]!, fd, 0));
  });
}

/** Uses /dev/null of the container's own /dev, because root could change the mode of the host's. */
function useOwnNull(writer: ProgramWriter, { stdio }: LaunchShape): void {
  const fds = stdio.flatMap((kind, fd) => kind === "null" ? [fd] : []);
  if (fds.length === 0) return;
  const missing = new Label("there is no /dev/null");
  const opened = writer.add(openDevNull(), {
    ...CHILD_EDGES,
    accept: ["ENOENT", "ENOTDIR", "EACCES", "ELOOP"],
    onAccepted: missing,
  });
  for (const fd of fds) writer.add(dup3(new ResultOf(opened, "null"), fd, 0), CHILD_EDGES);
  writer.place(missing);
}

/** Opens the container's /dev/null, which may be a link, but not one over the launch's files. */
export function openDevNull(): Call {
  const how = { flags: O_RDWR | O_CLOEXEC, resolve: RESOLVE_NO_MAGICLINKS };
  return openat2(at_fdcwd, "/dev/null", how);
}

/** Makes the terminal the controlling one of the program's session (tty(4)). */
function connectTerminal(add: (call: Call) => Call, place: "script" | "container"): void {
  const slave = place === "script" ? TERMINAL : openTerminal(add);
  add(ioctl(slave, TIOCSCTTY, 0));
  for (const fd of [0, 1, 2]) add(dup3(slave, fd, 0));
}

/** Opens a terminal in the container and sends its master to the script. */
function openTerminal(add: (call: Call) => Call): ResultOf {
  const how = { flags: O_RDWR | O_NOCTTY | O_CLOEXEC, resolve: RESOLVE_NO_MAGICLINKS };
  const opened = add(openat2(at_fdcwd, "/dev/ptmx", how));
  const master = new ResultOf(opened, "master");
  const size = new Struct(new Uint8Array(8), "&size", [], [{ offset: 0, slot: WINDOW_SIZE }]);
  add(ioctl(master, TIOCSPTLCK, new Struct(new Uint8Array(4), "&0")));
  add(ioctl(master, TIOCSWINSZ, size));
  const slave = add(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  // The message holds the descriptor's number, which has to be known before the launch.
  add(dup3(master, RESERVED, O_CLOEXEC));
  add(sendDescriptor(CONTAINER_SOCKET, RESERVED));
  return new ResultOf(slave, "slave");
}

/** Tries to execute the program at each path, as execvp(3) does. */
export function tryExec(
  writer: ProgramWriter,
  count: number,
  marked: (call: Call) => Call = (call) => call,
): readonly ExecCandidate[] {
  const paths = Array.from({ length: count }, (_, index) => programPath(index));
  const findOut = new Label("find out why");
  const attempts = paths.map((path, index) => {
    const isLast = index === paths.length - 1;
    const edges = isLast ? { onFailure: findOut } : { accept: NOT_HERE, onFailure: findOut };
    return { path, execve: writer.add(marked(execve(path, ARGV, ENVIRONMENT)), edges) };
  });
  writer.section = "failure";
  writer.place(findOut);
  return attempts.map(({ path, execve }) => ({ execve, ...writeFindingOut(writer, path, marked) }));
}

/** Writes the calls that find out why a file could not be executed. */
function writeFindingOut(
  writer: ProgramWriter,
  path: Slot,
  marked: (call: Call) => Call = (call) => call,
): Omit<ExecCandidate, "execve" | "image"> {
  const next = new Label(`after ${path.text}`);
  const look = (call: Call) => writer.add(marked(call), { onFailure: next });
  const exists = look(faccessat(at_fdcwd, path, F_OK));
  const opened = look(openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC, 0));
  const head = new Output(256, "&head");
  const readHead = writer.add(read(new ResultOf(opened, "fd"), head, 256), { onFailure: next });
  const executable = look(faccessat(at_fdcwd, path, X_OK));
  writer.place(next);
  return { exists, readHead, head, executable };
}

/**
 * Finds the program as {@linkcode tryExec} does, and executes an image in its place. What a filter
 * hides from the launch is left to the image to find out.
 */
export function findThenExec(
  writer: ProgramWriter,
  count: number,
  image: number,
): readonly ExecCandidate[] {
  const paths = Array.from({ length: count }, (_, index) => programPath(index));
  const [found, findOut] = [new Label("the program is found"), new Label("find out why")];
  const attempts = paths.map((path, index) => {
    const isLast = index === paths.length - 1;
    const next = new Label(`after ${path.text}`);
    const here = new Label(`${path.text} may be executed`);
    const look = faccessat(at_fdcwd, path, X_OK);
    const edges = isLast
      ? { accept: ["EPERM", "ENOSYS"], onAccepted: here } as const
      : { accept: NOT_HERE, onAccepted: next };
    writer.add(look, { ...edges, onFailure: findOut });
    writer.place(here);
    const directory = openat(at_fdcwd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    writer.add(directory, { accept: ["ENOTDIR", "EPERM", "ENOSYS"], onAccepted: found });
    // A directory may not be opened for writing, by anybody.
    const refused = openat(at_fdcwd, path, O_RDWR | O_CLOEXEC, 0);
    writer.add(refused, { ...CHILD_EDGES, fixes: { EISDIR: "the program is a directory" } });
    writer.place(next);
    return { path, execve: look };
  });
  writer.place(found);
  const name = pointerList(["ramekin-wait"], '["ramekin-wait"]');
  const none = pointerList([], "[]");
  const started = writer.add(execveat(image, "", name, none, AT_EMPTY_PATH), {
    ...CHILD_EDGES,
    fixes: { EACCES: "memory files may not be executed here (sysctl vm.memfd_noexec)" },
  });
  writer.section = "failure";
  writer.place(findOut);
  return attempts.map(({ path, execve }) => ({
    execve,
    image: started,
    ...writeFindingOut(writer, path),
  }));
}

/** The errors after which execvp(3) tries the next directory of PATH. */
const NOT_HERE = ["ENOENT", "ENOTDIR", "EACCES"] as const;
