/**
 * Filters of system calls. See seccomp(2).
 *
 * @module
 */

import { type Call, call, flags, Named, Struct } from "../call.ts";
import { INSTRUCTION_SIZE } from "../seccomp/bpf.ts";

/** Installs a filter. */
const SECCOMP_SET_MODE_FILTER = new Named(1, "SECCOMP_SET_MODE_FILTER");

/** The flags of a filter, by name. */
export const SECCOMP_FILTER_FLAGS = {
  SECCOMP_FILTER_FLAG_LOG: 0x2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 0x4,
} as const;

/** The flags of a filter that tells a listener of calls, by name. */
const NOTIFYING_FLAGS = {
  ...SECCOMP_FILTER_FLAGS,
  SECCOMP_FILTER_FLAG_NEW_LISTENER: 0x8,
  // Linux 5.19: a call that the listener has taken is not begun anew by a signal.
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 0x20,
} as const;

/** The size of struct sock_fprog. */
const PROGRAM_SIZE = 16;

/** Installs a BPF program that decides about every later call of the thread. See seccomp(2). */
export function seccompSetFilter(program: Uint8Array<ArrayBuffer>, flagBits: number): Call {
  return setFilter(program, flags(flagBits, SECCOMP_FILTER_FLAGS));
}

/** Installs a filter, and returns the descriptor of its listener. See seccomp_unotify(2). */
export function seccompSetListener(
  program: Uint8Array<ArrayBuffer>,
  flagBits: number,
  waitsKillable: boolean,
): Call {
  const { SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV } =
    NOTIFYING_FLAGS;
  const more = waitsKillable ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0;
  return setFilter(
    program,
    flags(flagBits | SECCOMP_FILTER_FLAG_NEW_LISTENER | more, NOTIFYING_FLAGS),
  );
}

function setFilter(program: Uint8Array<ArrayBuffer>, bits: Named): Call {
  const length = program.length / INSTRUCTION_SIZE;
  const bytes = new Uint8Array(PROGRAM_SIZE);
  new DataView(bytes.buffer).setUint16(0, length, true);
  const struct = new Struct(bytes, `{${length} instructions}`, [{ offset: 8, to: program }]);
  return call("seccomp", SECCOMP_SET_MODE_FILTER, bits, struct);
}
