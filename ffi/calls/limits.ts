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
  /** The limit in force, which the process can raise to the hard limit. */
  readonly soft: number | bigint;
  /** The ceiling of the soft limit. */
  readonly hard: number | bigint;
}

/** Sets a limit, and returns the old one. See prlimit(2). */
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

/** Memory for what prlimit(2) returns. */
export function rlimitOutput(): Output {
  return new Output(16, "&rlimit");
}

/** What prlimit(2) returned. */
export function readRlimit(limit: DataView): Record<keyof Rlimit, bigint> {
  return { soft: limit.getBigUint64(0, true), hard: limit.getBigUint64(8, true) };
}
