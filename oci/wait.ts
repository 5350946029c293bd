/**
 * Waits for a program, and passes signals on to it meanwhile.
 *
 * @module
 */

import { kill, SIGNALS } from "../ffi/calls/processes.ts";
import { reactor } from "../ffi/reactor.ts";
import { syscalls } from "../ffi/syscalls.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import { reapStatus } from "../launch/status.ts";

/** The signals that are passed on. */
const PASSED: readonly Deno.Signal[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGCONT",
  "SIGWINCH",
];

/** Waits for the end of a program, and returns its exit status. */
export async function waitForEnd({ pid, pidfd }: LaunchedProcess): Promise<number> {
  const stop = PASSED.map((name) => {
    const pass = () =>
      syscalls([{ call: kill(pid, SIGNALS[name as keyof typeof SIGNALS]), accept: ["ESRCH"] }]);
    Deno.addSignalListener(name, pass);
    return () => Deno.removeSignalListener(name, pass);
  });
  const watch = reactor().watch(pidfd);
  try {
    for (;;) {
      await watch.ready("readable");
      const end = reapStatus(pidfd, false);
      if (end !== undefined) return end.code;
    }
  } finally {
    watch.close();
    for (const each of stop) each();
  }
}
