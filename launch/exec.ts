/**
 * The last part of a launch: from the container that the steps have made into the program.
 *
 * @module
 */

import { type Call, type Fd, Named, Output, pointerList, ResultOf, Struct } from "../ffi/call.ts";
import {
  at_fdcwd,
  chdir,
  close_range,
  CLOSE_RANGE_CLOEXEC,
  dup3,
  F_OK,
  faccessat,
  fchdir,
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
} from "../ffi/calls/files.ts";
import { compareWord } from "../ffi/calls/futex.ts";
import {
  execve,
  POLLIN,
  ppoll,
  PR_SET_DUMPABLE,
  PR_SET_PDEATHSIG,
  prctl,
  rt_sigprocmask,
  setsid,
} from "../ffi/calls/processes.ts";
import type { CgroupEntry } from "../ffi/cgroups/group.ts";
import { sendDescriptor } from "../ffi/calls/sockets.ts";
import { setgroups, setresgid, setresuid } from "../ffi/calls/users.ts";
import { Label } from "../ffi/engine/program.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { CONTAINER_SOCKET } from "../plan/parent_work.ts";
import { EXIT_CHILD } from "../plan/process.ts";
import { CHILD_EDGES, type ProgramWriter } from "./program_writer.ts";

/** What to run in the container, and with what. */
export interface ExecSpec {
  /** The program: a path, or a name that is looked for in `searchPath`. */
  readonly program: string;
  /** Its arguments, without its own name. */
  readonly args: readonly string[];
  /** Its environment, laid out. */
  readonly environment: Struct;
  /** The value of PATH. */
  readonly searchPath: string;
  /** Its working directory, in the container. */
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Its standard input, output and error. */
  readonly stdio: readonly Stdio[];
  /** Its controlling terminal, in place of the three. */
  readonly terminal: Terminal | undefined;
  readonly resources: Resources;
  /** The way into the container's control group, where it has one. */
  readonly cgroupEntry?: CgroupEntry;
}

/** What a standard stream is: the script's own, /dev/null, or a descriptor of the script's. */
export type Stdio = "inherit" | "null" | { readonly fd: Fd };

/** A terminal of the program's own. */
export type Terminal =
  /** One that the script has opened: its descriptor. */
  | { readonly place: "script"; readonly fd: number }
  /**
   * One of the container's own /dev/pts. Its other side is sent to the script; `reserved` is a
   * descriptor number that is free to be reused for it in the container.
   */
  | { readonly place: "container"; readonly reserved: number; readonly size: Struct };

/** Descriptors that the script keeps for all its launches. */
export interface Resources {
  /** A pidfd of the script, by which a container sees whether the script is still there. */
  readonly script: number;
  /** The memfd of the init's image. */
  readonly init: number;
  /**
   * The signals that the script ignores, where clone3(2) resets all others; without it, every signal
   * is reset by a call of its own.
   */
  readonly ignored?: readonly number[] | undefined;
  /** Where a container sees whether the script's thread is still there, if that can be known. */
  readonly thread?: ThreadWord | undefined;
}

/** A word of a thread's memory that has its id until it ends. */
export interface ThreadWord {
  readonly address: bigint;
  readonly id: number;
}

/** One place where the program may be. */
export interface ExecCandidate {
  readonly path: string;
  readonly execve: Call;
  /** Asks once every attempt has failed whether there is such a file, as far as can be told. */
  readonly exists: Call;
  /** Reads the beginning of the file once every attempt has failed, to tell why. */
  readonly readHead: Call;
  readonly head: Output;
}

/** Opens /dev/null while the host's /dev is still in sight. */
export const openNull: Call = openDevNull();

function openDevNull(): Call {
  return openat(at_fdcwd, "/dev/null", O_RDWR | O_CLOEXEC, 0);
}

/** Ends the container when the script ends, or at once when it has ended already. */
export function tieToScript(writer: ProgramWriter, plan: PlanBuilder, order: ExecSpec): void {
  if (plan.deathSignal === 0) return;
  writer.add(prctl(PR_SET_PDEATHSIG, plan.deathSignal), CHILD_EDGES);
  // Who ended between the clone and this has told nobody.
  const { script, thread } = order.resources;
  if (thread !== undefined && !plan.processes.some((stage) => stage.ownMemory)) {
    const alive = compareWord(new Named(thread.address, "&tid"), new Named(thread.id, "tid"));
    writer.add(alive, { ...CHILD_EDGES, accept: ["EAGAIN"], onAccepted: EXIT_CHILD });
  } else {
    // Readable once the last thread is gone; who gives children away a moment before, goes unseen.
    writer.add(ppoll([{ fd: script, events: POLLIN }], 0), {
      ...CHILD_EDGES,
      onSuccess: EXIT_CHILD,
    });
  }
}

/** Writes what is left to do once the steps are done; answers the attempts at the program. */
export function writeOrder(
  writer: ProgramWriter,
  plan: PlanBuilder,
  order: ExecSpec,
): readonly ExecCandidate[] {
  const add = (call: Call) => writer.add(call, CHILD_EDGES);
  if (plan.state.mounts.hasMounts) enterAgain(writer);
  if (order.cwd !== undefined) enterDirectory(add, order.cwd);
  if (order.terminal === undefined) {
    connectStdio(add, order.stdio);
    if (plan.state.terminals !== undefined) useOwnNull(writer, order.stdio);
  } else {
    // Who leads a session already cannot lead another.
    if (!plan.state.sessionLeader) add(setsid());
    connectTerminal(add, order.terminal);
  }
  if (order.uid !== undefined || order.gid !== undefined) {
    if (!plan.state.setgroupsDenied) add(setgroups([]));
    if (order.gid !== undefined) add(setresgid(order.gid, order.gid, order.gid));
    if (order.uid !== undefined) add(setresuid(order.uid, order.uid, order.uid));
  }
  tieToScript(writer, plan, order);
  // The process that has made this one goes on for a moment on the script's memory, in the program's
  // sight where that is its init.
  if (plan.processes.length > 1) add(prctl(PR_SET_DUMPABLE, 0));
  if (plan.listener !== undefined) sendListener(add, plan.listener, order);
  add(close_range(3, 0xffff_ffff, CLOSE_RANGE_CLOEXEC));
  add(rt_sigprocmask("none", null));
  for (const { call } of plan.beforeProgram) add(call);
  return writeExecCandidates(writer, order);
}

/** Sends a socket to the script, by the number of a descriptor that is needed no more. */
function sendListener(
  add: (call: Call) => Call,
  listener: ResultOf,
  { resources }: ExecSpec,
): void {
  add(dup3(listener, resources.script, O_CLOEXEC));
  add(sendDescriptor(CONTAINER_SOCKET, resources.script));
}

/**
 * What is mounted on a working directory, or above it, covers it for all but those who stand in it:
 * the directory of its name is entered again, or the root where there is none. See getcwd(2).
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

function connectStdio(add: (call: Call) => Call, stdio: ExecSpec["stdio"]): void {
  stdio.forEach((kind, fd) => {
    if (kind === "inherit") return;
    add(dup3(kind === "null" ? new ResultOf(openNull, "null") : kind.fd, fd, 0));
  });
}

/** Where the container has devices of its own, the host's /dev/null is not handed in (chmod(2)). */
function useOwnNull(writer: ProgramWriter, stdio: ExecSpec["stdio"]): void {
  const places = stdio.flatMap((kind, fd) => kind === "null" ? [fd] : []);
  if (places.length === 0) return;
  const missing = new Label("there is no /dev/null");
  const opened = writer.add(openDevNull(), {
    ...CHILD_EDGES,
    accept: ["ENOENT", "ENOTDIR", "EACCES"],
    onAccepted: missing,
  });
  for (const fd of places) writer.add(dup3(new ResultOf(opened, "null"), fd, 0), CHILD_EDGES);
  writer.place(missing);
}

/** The program's session gets the terminal as its controlling one (tty(4)). */
function connectTerminal(add: (call: Call) => Call, terminal: Terminal): void {
  const slave = terminal.place === "script" ? terminal.fd : openTerminal(add, terminal);
  add(ioctl(slave, TIOCSCTTY, 0));
  for (const fd of [0, 1, 2]) add(dup3(slave, fd, 0));
}

/** Opens a terminal in the container and sends the other side to the script. */
function openTerminal(
  add: (call: Call) => Call,
  { reserved, size }: Terminal & { place: "container" },
): ResultOf {
  const opened = add(openat(at_fdcwd, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0));
  const master = new ResultOf(opened, "master");
  add(ioctl(master, TIOCSPTLCK, new Struct(new Uint8Array(4), "&0")));
  add(ioctl(master, TIOCSWINSZ, size));
  const slave = add(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  // The message holds the number of the descriptor, so it has to be known beforehand.
  add(dup3(master, reserved, O_CLOEXEC));
  add(sendDescriptor(CONTAINER_SOCKET, reserved));
  return new ResultOf(slave, "slave");
}

/** Tries the program wherever it may be, as execvp(3) does. */
function writeExecCandidates(writer: ProgramWriter, order: ExecSpec): readonly ExecCandidate[] {
  const paths = candidates(order.program, order.searchPath);
  const argv = pointerList(
    [order.program, ...order.args],
    `[${[order.program, ...order.args].map((arg) => JSON.stringify(arg)).join(", ")}]`,
  );
  const tellWhy = new Label("tell why");
  const attempts = paths.map((path, index) => {
    const last = index === paths.length - 1;
    const call = writer.add(
      execve(path, argv, order.environment),
      last ? { onFailure: tellWhy } : { accept: NOT_HERE, onFailure: tellWhy },
    );
    return { path, execve: call };
  });
  writer.chapter = "failure";
  writer.place(tellWhy);
  return attempts.map(({ path, execve }) => {
    const next = new Label(`after ${path}`);
    const exists = writer.add(faccessat(at_fdcwd, path, F_OK), { onFailure: next });
    const opened = writer.add(openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC, 0), { onFailure: next });
    const head = new Output(256, "&head");
    const readHead = writer.add(read(new ResultOf(opened, "fd"), head, 256), { onFailure: next });
    writer.place(next);
    return { path, execve, exists, readHead, head };
  });
}

/** The errors after which execvp(3) goes on to the next directory of PATH. */
const NOT_HERE = ["ENOENT", "ENOTDIR", "EACCES"] as const;

function candidates(program: string, searchPath: string): readonly string[] {
  if (program.includes("/")) return [program];
  return searchPath.split(":").map((directory) =>
    directory === "" ? program : `${directory}/${program}`
  );
}

/** Opens a directory that is to be the working directory, and follows no link out by /proc. */
function openDirectory(path: string | Output): Call {
  const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  return openat2(at_fdcwd, path, { flags, resolve: RESOLVE_NO_MAGICLINKS });
}

/** Makes a directory the working directory. */
function enterDirectory(add: (call: Call) => Call, path: string): void {
  const directory = new ResultOf(add(openDirectory(path)), `<${path}>`);
  add(fchdir(directory));
}
