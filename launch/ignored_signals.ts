/**
 * The signals that the script ignores: those that its caller had it ignore (nohup(1), a shell's `&`),
 * which its programs ignore too, and those of the runtime, which they do not.
 *
 * @module
 */

import {
  CHANGEABLE_SIGNALS,
  isIgnored,
  rt_sigaction,
  sigactionOutput,
  SIGNALS,
  SIGRTMIN,
} from "../ffi/calls/processes.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";

/** The signals that the script ignores. */
export interface IgnoredSignals {
  /** Those that its caller had it ignore. */
  readonly ignored: readonly number[];
  /** Those of the runtime: Deno ignores SIGPIPE, and C libraries use real-time signals. */
  readonly ignoredByRuntime: readonly number[];
}

/**
 * Returns the signals that the script ignores. Deno puts handlers in the place of some half a second
 * after its start, and with each listener, so this is asked early, and once.
 */
export const ignoredSignals: () => IgnoredSignals = perEngine(() => {
  const queries = CHANGEABLE_SIGNALS.map((signal) => {
    const action = sigactionOutput();
    return { signal, action, call: rt_sigaction(signal, null, action) };
  });
  const outcome = syscalls(queries.map(({ call }) => ({ call })));
  const all = queries.filter(({ action }) => isIgnored(outcome.output(action)))
    .map(({ signal }) => signal);
  // While it is ignored, the kernel throws the exit codes of children away (sigaction(2)).
  if (all.includes(SIGNALS.SIGCHLD)) syscall(rt_sigaction(SIGNALS.SIGCHLD, "SIG_DFL"));
  const isRuntimes = (signal: number) => signal === SIGNALS.SIGPIPE || signal >= SIGRTMIN;
  return {
    ignored: all.filter((signal) => signal !== SIGNALS.SIGCHLD && !isRuntimes(signal)),
    ignoredByRuntime: all.filter(isRuntimes),
  };
});
