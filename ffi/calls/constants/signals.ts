/**
 * The signals. See signal(7) and asm-generic/signal.h.
 *
 * @module
 */

/**
 * The numbers of the signals, which x86_64 and aarch64 share. See signal(7).
 *
 * @example The exit code that a shell reports for a program that a signal killed
 * ```ts
 * import { recipe, SIGNALS } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const { signal, code } = await recipe().command("sh", { args: ["-c", "kill -9 $$"] }).output();
 * assertEquals([signal, code], ["SIGKILL", 128 + SIGNALS.SIGKILL]);
 * ```
 */
export const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

/** The name of a signal: `"SIGTERM"`. */
export type SignalName = keyof typeof SIGNALS;

/** The first real-time signal of the kernel; libc reserves the first two. */
export const SIGRTMIN = 32;
/** The last signal. */
export const SIGRTMAX = 64;
