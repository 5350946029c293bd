/**
 * Processes: programs, signals, waiting, limits. See execve(2), waitid(2), prctl(2), signal(7).
 *
 * @module
 */

import {
  type Call,
  call,
  constant,
  type Fd,
  flags,
  Named,
  Output,
  type Pid,
  type Slot,
  Struct,
} from "../call.ts";
import { at } from "./at.ts";
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from "./constants/at.ts";
import {
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAPBSET_DROP,
  PR_CAPBSET_READ,
  PR_SET_PDEATHSIG,
  PR_SET_SECUREBITS,
} from "./constants/prctl.ts";
import { AMBIENT_OPERATIONS, PRCTL_OPERATIONS, SECUREBITS } from "./names/prctl.ts";
import { CAPABILITIES } from "./constants/capabilities.ts";
import { SIGNALS, SIGRTMAX, SIGRTMIN } from "./constants/signals.ts";

export * from "./limits.ts";
export * from "./polling.ts";
export * from "./constants/prctl.ts";
export * from "./constants/signals.ts";
export * from "./waiting.ts";

/** A signal, by its name. */
function signalName(signal: number): Named {
  if (signal < SIGRTMIN) return constant(signal, SIGNALS);
  return new Named(signal, () => `SIGRTMIN+${signal - SIGRTMIN}`);
}

/** Sends a signal; 0 only checks whether it could be sent. See kill(2). */
export function kill(pid: Pid, signal: number): Call {
  return call("kill", pid, signalName(signal));
}

/** Sends a signal to a thread of a process; with SIGKILL the process ends. See tgkill(2). */
export function tgkill(process: Pid, thread: Pid, signal: number): Call {
  return call("tgkill", process, thread, signalName(signal));
}

/** Opens a pidfd: a descriptor of a process. See pidfd_open(2). */
export function pidfd_open(pid: Pid, flagBits: number): Call {
  return call("pidfd_open", pid, flagBits);
}

/** Sends a signal to the process of a descriptor. See pidfd_send_signal(2). */
export function pidfd_send_signal(pidfd: Fd, signal: number): Call {
  return call("pidfd_send_signal", pidfd, signalName(signal), null, 0);
}

/** Copies a descriptor of another process. See pidfd_getfd(2). */
export function pidfd_getfd(pidfd: Fd, target: number): Call {
  return call("pidfd_getfd", pidfd, target, 0);
}

/** Sets the action of a signal, unless it is `null`, and stores the old one. See rt_sigaction(2). */
export function rt_sigaction(
  signal: number,
  action: "SIG_DFL" | "SIG_IGN" | null,
  old: Output | null = null,
): Call {
  const bytes = action === null ? null : action === "SIG_DFL" ? DEFAULT_ACTION : IGNORE_ACTION;
  return call("rt_sigaction", signalName(signal), bytes, old, SIGSET_SIZE);
}

/** The signals whose action can be changed: all but SIGKILL and SIGSTOP. */
export const CHANGEABLE_SIGNALS: readonly number[] = Array.from(
  { length: SIGRTMAX },
  (_, index) => index + 1,
).filter((signal) => signal !== SIGNALS.SIGKILL && signal !== SIGNALS.SIGSTOP);

/** Memory for the action of a signal: struct kernel_sigaction. */
export function sigactionOutput(): Output {
  return new Output(32, "&old");
}

/** Whether the action that rt_sigaction(2) returned is to ignore the signal. */
export function isIgnored(action: DataView): boolean {
  return action.getBigUint64(0, true) === 1n;
}

const SIGSET_SIZE = 8;
// struct kernel_sigaction: handler, flags, restorer, mask.
const DEFAULT_ACTION = new Struct(new Uint8Array(32), "SIG_DFL");
const IGNORE_ACTION = new Struct(new Uint8Array([1, ...new Array(31).fill(0)]), "SIG_IGN");

/** Sets the mask of blocked signals, and stores the old one. See sigprocmask(2). */
export function rt_sigprocmask(mask: "all" | "none" | Output, old: Output | null): Call {
  const how = new Named(2, "SIG_SETMASK");
  return call(
    "rt_sigprocmask",
    how,
    typeof mask === "string" ? MASKS[mask] : mask,
    old,
    SIGSET_SIZE,
  );
}

/** Waits for a signal that is blocked, and returns its number. See sigwaitinfo(2). */
export function rt_sigtimedwait(signal: number): Call {
  const set = new Uint8Array(SIGSET_SIZE);
  set[(signal - 1) >> 3] = 1 << ((signal - 1) & 7);
  return call("rt_sigtimedwait", new Struct(set, "&set"), null, null, SIGSET_SIZE);
}

const MASKS = {
  all: new Struct(new Uint8Array(SIGSET_SIZE).fill(255), "~[]"),
  none: new Struct(new Uint8Array(SIGSET_SIZE), "[]"),
} as const;

/** A list of strings for a program: laid out, or the address where it lies. */
export type StringList = Struct | number | bigint | Slot;

/** Executes a program. See execve(2). */
export function execve(path: string | Slot, argv: StringList, envp: StringList): Call {
  return call("execve", path, argv, envp);
}

/** Executes a program by its descriptor, or by its path from a directory. See execveat(2). */
export function execveat(
  directory: Fd,
  path: string,
  argv: StringList,
  envp: StringList,
  flagBits: number,
): Call {
  const named = flags(flagBits, { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW });
  return call("execveat", at(directory), path, argv, envp, named);
}

/** Ends the process. See exit_group(2). */
export function exit_group(code: number): Call {
  return call("exit_group", code);
}

/** Returns the process's id. See getpid(2). */
export function getpid(): Call {
  return call("getpid");
}

/** Returns the parent's id. See getppid(2). */
export function getppid(): Call {
  return call("getppid");
}

/** Returns the thread's id. See gettid(2). */
export function gettid(): Call {
  return call("gettid");
}

/** Returns the session of a process. See getsid(2). */
export function getsid(pid: Pid): Call {
  return call("getsid", pid);
}

/** Makes the process the leader of a new session. See setsid(2). */
export function setsid(): Call {
  return call("setsid");
}

/** Performs an operation on the process or the thread. See prctl(2). */
export function prctl(
  operation: number,
  argument2: Fd | string | Output = 0,
  argument3 = 0,
  argument4 = 0,
  argument5 = 0,
): Call {
  const named = constant(operation, PRCTL_OPERATIONS);
  const second = typeof argument2 === "number" ? nameSecond(operation, argument2) : argument2;
  const third = operation === PR_CAP_AMBIENT && argument2 !== PR_CAP_AMBIENT_CLEAR_ALL
    ? constant(argument3, CAPABILITIES)
    : argument3;
  return call("prctl", named, second, third, argument4, argument5);
}

/** The argument of an operation, with its name if it has one. */
function nameSecond(operation: number, argument: number): number | Named {
  switch (operation) {
    case PR_SET_PDEATHSIG:
      return signalName(argument);
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
      return constant(argument, CAPABILITIES);
    case PR_CAP_AMBIENT:
      return constant(argument, AMBIENT_OPERATIONS);
    case PR_SET_SECUREBITS:
      return flags(argument, SECUREBITS);
    default:
      return argument;
  }
}
