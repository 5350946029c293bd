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
  fchdir,
  fcntl,
  getcwd,
  ioctl,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOCTTY,
  O_PATH,
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
} from "../ffi/calls/files.ts";
import { rt_sigprocmask, setsid } from "../ffi/calls/processes.ts";
import { sendDescriptor } from "../ffi/calls/sockets.ts";
import { Label } from "../ffi/engine/program.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import type { Fixes } from "../ffi/fix.ts";
import { unobserved } from "../ffi/seccomp/observe.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { changeIds } from "../plan/change_ids.ts";
import type { ConsoleTerminal } from "../plan/console.ts";
import { CONTAINER_SOCKET } from "../plan/parent_work.ts";
import { EXIT_CHILD, type PlannedCall } from "../plan/process.ts";
import type { ExecCandidate } from "./exec_candidates.ts";
import type { Frame } from "./frame.ts";
import { CHILD_EDGES, type ProgramWriter } from "./program_writer.ts";
import { executeSealed, lateCalls, type SealedLayout } from "./sealed_program.ts";
import { addNotifySocket } from "./notify_socket.ts";
import type { LaunchShape } from "./shape.ts";
import {
  CWD,
  GID,
  handedFd,
  IMAGE,
  RESERVED,
  SCRIPT_PIDFD,
  STDIO,
  TERMINAL,
  UID,
  WINDOW_SIZE,
} from "./slots.ts";

/** Opens /dev/null before the steps, which may hide the host's /dev. */
export const openNull: Call = openat(at_fdcwd, "/dev/null", O_RDWR | O_CLOEXEC, 0);

/** How a launch ends: by the calls that execute the program. */
export interface ProgramEnd {
  readonly candidates: readonly ExecCandidate[];
  /** The calls that do not return, one of them, once all is well. */
  readonly executes: readonly Call[];
  /** The program of the executable that executes the program, if one does. */
  readonly sealed?: SealedLayout;
}

/** Writes the calls after the steps, and returns those that execute the program. */
export function writeExec(
  writer: ProgramWriter,
  plan: PlanBuilder,
  shape: LaunchShape,
  frame: Frame,
): ProgramEnd {
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
    connectTerminal(add, shape.terminal, plan.console);
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
  if (plan.listener !== undefined) sendSocket(add, plan.listener);
  if (shape.notify === true) sendSocket(add, addNotifySocket(add));
  if (shape.held) waitToStart(writer);
  const { notifier } = plan;
  const observed = notifier?.take === undefined ? notifier : undefined;
  const entry = shape.entersTime === true ? plan.timeEntry : undefined;
  const last = [...(entry?.later ?? []), ...plan.beforeProgram];
  const { calls, socket, image, free } = closeOthers(writer, last, shape, {
    keepsSocket: !frame.vfork || notifier !== undefined,
    sealed: entry?.file,
  });
  add(rt_sigprocmask("none", null));
  const late = [
    ...calls.slice(0, entry?.later.length ?? 0),
    ...(shape.sealed === true ? lateCalls(calls, plan) : []),
  ];
  for (const [index, planned] of calls.entries()) {
    if (late.includes(planned)) continue;
    // Nobody answers yet for what the filter with the listener denies.
    const isObserved = calls.slice(0, index).some(({ call }) => call === observed?.call);
    writer.part(isObserved ? { ...planned, call: unobserved(planned.call) } : planned);
    // Who takes it at once may be asked about the next call.
    if (notifier?.take !== undefined && planned.call === notifier.call) {
      sendListener(writer, notifier.call, socket!, free);
    }
  }
  if (observed !== undefined) sendNotifier(writer, observed.call, socket!);
  if (shape.sealed === true) {
    const marked = observed === undefined ? undefined : unobserved;
    const { paths } = shape;
    return executeSealed(writer, { image: image!, socket: socket!, paths, late, marked });
  }
  const candidates = frame.exec(writer, shape, image);
  return { candidates, executes: candidates.map(({ execve, image = execve }) => image) };
}

/**
 * Closes all descriptors but those that are handed on, and those that the last calls use. execve(2)
 * closes the others only when it has looked up the program and its interpreter, and a link or a
 * `#!` line could lead over one of theirs to the host: /proc/self/fd/N/.. (CVE-2024-21626).
 *
 * @param options whether the sync socket is kept, and what the sealed executable uses of the others
 */
function closeOthers(
  writer: ProgramWriter,
  last: readonly PlannedCall[],
  { fds, image: isInPlace, sealed = false }: LaunchShape,
  options: { readonly keepsSocket: boolean; readonly sealed: ResultOf | undefined },
): LastCalls {
  const used: UsedFd[] = [];
  for (const { call, accept = [] } of last) {
    for (const fd of call.args.filter(isDescriptor)) {
      const isKept = used.some((one) => one.fd === fd && one.accept.length === 0);
      if (!isKept || accept.length > 0) used.push({ fd, accept });
    }
  }
  const image = isInPlace || sealed;
  // By its end the script is told that the program runs.
  if (options.keepsSocket) used.push({ fd: CONTAINER_SOCKET, accept: [] });
  if (image) used.push({ fd: IMAGE, accept: [] });
  const numbers = freeNumbers(used.length, fds);
  const kept = [
    ...used.map((one, index) => {
      // The sealed executable reports by the socket.
      const isItsOwn = one.fd === CONTAINER_SOCKET || one.fd === options.sealed;
      const flags = sealed && isItsOwn ? 0 : O_CLOEXEC;
      return { ...one, number: numbers[index]!, flags };
    }),
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
    free: beyond + 1,
  };
}

/** The last calls, with the numbers that their descriptors have then. */
interface LastCalls {
  readonly calls: readonly PlannedCall[];
  /** The container's end of the sync sockets, if it is kept. */
  readonly socket: Named | undefined;
  /** The executable that runs in place of the program. */
  readonly image: number | undefined;
  /** A number that no descriptor has, nor the next one that is opened. */
  readonly free: number;
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

const AUDIT_FILTERED =
  "the filter (seccomp) denies a call by which an audit begins: allow dup3 and " +
  "sendmsg in it, or run without an audit";

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
function sendSocket(add: (call: Call) => Call, listener: ResultOf): void {
  add(dup3(listener, SCRIPT_PIDFD, O_CLOEXEC));
  add(sendDescriptor(CONTAINER_SOCKET, SCRIPT_PIDFD));
}

/** Sends the listener of a filter, by a number that is free again. */
function sendNotifier(writer: ProgramWriter, notifier: Call, socket: Named): void {
  const edges = { ...CHILD_EDGES, fixes: { ...HANDED_FIXES, EPERM: AUDIT_FILTERED } };
  // By then the filter is in force, and the listener is nobody's yet.
  const copied = dup3(new ResultOf(notifier, "listener"), SCRIPT_PIDFD, O_CLOEXEC);
  for (const call of [copied, sendDescriptor(socket, SCRIPT_PIDFD)]) {
    writer.add(unobserved(call), edges);
  }
}

/** Sends the listener of a filter to whoever takes it at once. */
function sendListener(writer: ProgramWriter, notifier: Call, socket: Named, free: number): void {
  const edges = { ...CHILD_EDGES, fixes: HANDED_FIXES };
  writer.add(dup3(new ResultOf(notifier, "listener"), free, O_CLOEXEC), edges);
  writer.add(sendDescriptor(socket, free), edges);
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
function connectTerminal(
  add: (call: Call) => Call,
  place: "script" | "container",
  opened?: ConsoleTerminal,
): void {
  const slave = place === "script" ? TERMINAL : sendTerminal(add, opened ?? openTerminal(add));
  add(ioctl(slave, TIOCSCTTY, 0));
  for (const fd of [0, 1, 2]) add(dup3(slave, fd, 0));
}

/** Opens a terminal in the container. */
function openTerminal(add: (call: Call) => Call): ConsoleTerminal {
  const how = { flags: O_RDWR | O_NOCTTY | O_CLOEXEC, resolve: RESOLVE_NO_MAGICLINKS };
  const opened = add(openat2(at_fdcwd, "/dev/ptmx", how));
  const master = new ResultOf(opened, "master");
  add(ioctl(master, TIOCSPTLCK, new Struct(new Uint8Array(4), "&0")));
  const slave = add(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  return { master, slave: new ResultOf(slave, "slave") };
}

/** Sets the size of a terminal, sends its master to the script, and returns the other side. */
function sendTerminal(add: (call: Call) => Call, { master, slave }: ConsoleTerminal): ResultOf {
  const size = new Struct(new Uint8Array(8), "&size", [], [{ offset: 0, slot: WINDOW_SIZE }]);
  add(ioctl(master, TIOCSWINSZ, size));
  // The message holds the descriptor's number, which has to be known before the launch.
  add(dup3(master, RESERVED, O_CLOEXEC));
  add(sendDescriptor(CONTAINER_SOCKET, RESERVED));
  return slave;
}
