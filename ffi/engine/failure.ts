/**
 * What has failed in a program, told as the one who wrote it thinks of it: a call, or what an
 * earlier call has asked for.
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
  /** The name of the call, or of what it has found refused. */
  readonly name: string;
  /** The call as C would write it, or what it has found refused. */
  readonly text: string;
  /** The kernel's own words for it, where there are any. */
  readonly words: string | undefined;
}

/**
 * What has failed, if anything has.
 *
 * @param show shows the slots of the call, where their values are known
 */
export function failureOf(outcome: RunResult, show?: ShowSlot): Failure | undefined {
  const { failed } = outcome;
  if (failed === undefined) return undefined;
  const { call, errno } = failed;
  const refusal = call.verdict?.read(outcome.output(call.verdict.answer));
  // Where nothing was refused, the call that has looked has failed itself.
  if (refusal === undefined || refusal.errno === 0) {
    return { call, errno, name: call.name, text: describeCall(call, show), words: undefined };
  }
  const { name, text } = call.verdict!;
  return { call, name, text, ...refusal };
}

/** What to do where the process or the machine has come to its limits, whatever the call. */
const SHORTAGES: Readonly<Partial<Record<ErrnoName, string>>> = {
  EMFILE: "this process has as many open files as it may; raise the limit (ulimit -n)",
  ENFILE: "this machine has as many open files as it may (sysctl fs.file-max)",
  ENOMEM: "memory is short, here or in this process's cgroup",
};

/** The mend of such a shortage, if it is one. */
export function shortageHint(code: ErrnoName | undefined): string | undefined {
  return code && SHORTAGES[code];
}

/** What the kernel says of a failure, then what to do about it. */
export function hintOf(words: string | undefined, mend: string | undefined): string | undefined {
  if (words === undefined) return mend;
  return mend === undefined ? words : `${words}; ${mend}`;
}
