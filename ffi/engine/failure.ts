/**
 * The failure of a program, in the terms of its author: a call that failed, or a request of an earlier
 * call that the kernel refused.
 *
 * @module
 */

import { type Call, describeCall, type ShowSlot } from "../call.ts";
import type { RunResult } from "./engine.ts";
import type { ErrnoName } from "../errno.ts";

/** The first failure of a program. */
export interface Failure {
  /** The call that failed. */
  readonly call: Call;
  readonly errno: number;
  /** The name of the call, or of the request that was refused. */
  readonly name: string;
  /** The call as C would write it, or the description of the request. */
  readonly text: string;
  /** The kernel's own message, if there is one. */
  readonly words: string | undefined;
}

/**
 * The failure of a program, if it failed.
 *
 * @param show shows the slots of the call, where their values are known
 */
export function failureOf(result: RunResult, show?: ShowSlot): Failure | undefined {
  const { failed } = result;
  if (failed === undefined) return undefined;
  const { call, errno } = failed;
  const refusal = call.verdict?.read(result.output(call.verdict.answer));
  // If the response is not an error, the check itself failed.
  if (refusal === undefined || refusal.errno === 0) {
    return { call, errno, name: call.name, text: describeCall(call, show), words: undefined };
  }
  const { name, text } = call.verdict!;
  return { call, name, text, ...refusal };
}

/** What to do when the process or the machine is at a limit, whatever the call. */
const SHORTAGES: Readonly<Partial<Record<ErrnoName, string>>> = {
  EMFILE: "this process has as many open files as it may; raise the limit (ulimit -n)",
  ENFILE: "this machine has as many open files as it may (sysctl fs.file-max)",
  ENOMEM: "memory is short, here or in this process's cgroup",
};

/** The hint of such a shortage, if it is one. */
export function shortageHint(code: ErrnoName | undefined): string | undefined {
  return code && SHORTAGES[code];
}

/** The kernel's message about a failure, followed by what to do about it. */
export function hintOf(message: string | undefined, fix: string | undefined): string | undefined {
  if (message === undefined) return fix;
  return fix === undefined ? message : `${message}; ${fix}`;
}
