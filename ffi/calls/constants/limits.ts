/**
 * The resources of a process that have limits. See asm-generic/resource.h.
 *
 * @module
 */

/**
 * The resources of setrlimit(2), by their names without `RLIMIT_`.
 *
 * @example The resources without a hard limit
 * ```ts
 * import { linux, RLIMITS } from "@ramekin/ramekin";
 *
 * const names = Object.keys(RLIMITS) as (keyof typeof RLIMITS)[];
 * const free = names.filter((name) => linux.prlimit(0, name).hard === linux.RLIM_INFINITY);
 * console.log(free);
 * ```
 */
export const RLIMITS = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  RSS: 5,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  AS: 9,
  LOCKS: 10,
  SIGPENDING: 11,
  MSGQUEUE: 12,
  NICE: 13,
  RTPRIO: 14,
  RTTIME: 15,
} as const;

/** The name of a resource, without `RLIMIT_`: `"NOFILE"`. */
export type ResourceName = keyof typeof RLIMITS;

/** No limit. */
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;
