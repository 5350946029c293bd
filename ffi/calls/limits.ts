/**
 * The limits of a process. See prlimit(2).
 *
 * @module
 */

import { type Call, call, constant, Named, Output, type Pid, Struct } from "../call.ts";
import { RLIM_INFINITY, RLIMITS } from "./constants/limits.ts";

export * from "./constants/limits.ts";

/** The limits of a resource: struct rlimit64. */
export interface Rlimit {
  /** What the process may use up; it can raise it to the hard limit. */
  readonly soft: number | bigint;
  /** The most that the soft limit can be. */
  readonly hard: number | bigint;
}

/** Sets a limit, and tells what it was. See prlimit(2). */
export function prlimit64(
  pid: Pid,
  resource: number,
  limit: Rlimit | null,
  old: Output | null,
): Call {
  const known = constant(resource, RLIMITS);
  const named = new Named(resource, () => `RLIMIT_${known.text}`);
  if (limit === null) return call("prlimit64", pid, named, null, old);
  const text = (value: bigint) => value === RLIM_INFINITY ? "RLIM_INFINITY" : String(value);
  const words = [BigInt(limit.soft), BigInt(limit.hard)] as const;
  const bytes = new Uint8Array(new BigUint64Array(words).buffer);
  const struct = new Struct(bytes, `{${text(words[0])}, ${text(words[1])}}`);
  return call("prlimit64", pid, named, struct, old);
}

/** Memory for what prlimit(2) tells. */
export function rlimitOutput(): Output {
  return new Output(16, "&rlimit");
}

/** What prlimit(2) has told. */
export function readRlimit(told: DataView): Record<keyof Rlimit, bigint> {
  return { soft: told.getBigUint64(0, true), hard: told.getBigUint64(8, true) };
}
