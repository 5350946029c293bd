/**
 * The limits of a group, and the files that hold them in either version of control groups.
 *
 * @module
 */

import type { Controller } from "./hierarchies.ts";

/** The limits of a group; those that are left out stay as they are, and `Infinity` is no limit. */
export interface GroupLimits {
  /** Bytes of memory, page cache included. */
  readonly memory?: number;
  /** Bytes of memory above which the group is throttled, and its memory is reclaimed. */
  readonly memoryHigh?: number;
  /** Bytes of swap. */
  readonly swap?: number;
  /** Processor time in a second: 1.5 is that of one processor and a half. */
  readonly cpus?: number;
  /** The share of the processors when they are contended: 1 to 10000; the default is 100. */
  readonly cpuWeight?: number;
  /** The number of processes and threads. */
  readonly pids?: number;
  /** Limits of block devices. */
  readonly io?: readonly DeviceLimits[];
  /** The processors that may be used: `"0-1,3"`. */
  readonly cpuset?: string;
}

/** The limits of a block device. */
export interface DeviceLimits {
  /** Its numbers: `"8:0"`. */
  readonly device: string;
  /** Bytes read per second. */
  readonly readBps?: number;
  /** Bytes written per second. */
  readonly writeBps?: number;
  /** Read operations per second. */
  readonly readIops?: number;
  /** Write operations per second. */
  readonly writeIops?: number;
}

/** A line that sets a limit in a file of the group. */
export interface Setting {
  /** The limit that it sets. */
  readonly limit: keyof GroupLimits;
  readonly controller: Controller;
  readonly file: string;
  readonly value: string;
}

/** The period of the processor quota in microseconds: the kernel's default. */
const PERIOD = 100_000;

/** The controller that each limit needs. */
export const CONTROLLER_OF: Readonly<Record<keyof GroupLimits, Controller>> = {
  memory: "memory",
  memoryHigh: "memory",
  swap: "memory",
  cpus: "cpu",
  cpuWeight: "cpu",
  pids: "pids",
  io: "io",
  cpuset: "cpuset",
};

/** The limits that are set. */
export function limitsIn(limits: GroupLimits): readonly (keyof GroupLimits)[] {
  return (Object.keys(CONTROLLER_OF) as (keyof GroupLimits)[])
    .filter((limit) => limits[limit] !== undefined);
}

/** A limit's lines in the files of version 2 (Documentation/admin-guide/cgroup-v2.rst). */
export function settingsOf2(limit: keyof GroupLimits, limits: GroupLimits): readonly Setting[] {
  const controller = CONTROLLER_OF[limit];
  const setting = (file: string, value: string): Setting => ({ limit, controller, file, value });
  switch (limit) {
    case "memory":
      return [setting("memory.max", orMax(limits.memory))];
    case "memoryHigh":
      return [setting("memory.high", orMax(limits.memoryHigh))];
    case "swap":
      return [setting("memory.swap.max", orMax(limits.swap))];
    case "cpus":
      return [setting("cpu.max", `${orMax(quota(limits.cpus!))} ${PERIOD}`)];
    case "cpuWeight":
      return [setting("cpu.weight", String(limits.cpuWeight))];
    case "pids":
      return [setting("pids.max", orMax(limits.pids))];
    case "cpuset":
      return [setting("cpuset.cpus", limits.cpuset!)];
    case "io":
      return limits.io!.map(({ device, readBps, writeBps, readIops, writeIops }) => {
        const words = Object.entries({
          rbps: readBps,
          wbps: writeBps,
          riops: readIops,
          wiops: writeIops,
        })
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => `${name}=${orMax(value)}`);
        return setting("io.max", [device, ...words].join(" "));
      });
  }
}

/** A limit's lines in the files of version 1; `undefined` if they cannot express it. */
export function settingsOf1(
  limit: keyof GroupLimits,
  limits: GroupLimits,
): readonly Setting[] | undefined {
  const controller = CONTROLLER_OF[limit];
  const setting = (file: string, value: string): Setting => ({ limit, controller, file, value });
  switch (limit) {
    case "memory":
      return [setting("memory.limit_in_bytes", orMinus1(limits.memory))];
    case "memoryHigh":
      return undefined;
    case "swap": {
      // Version 1 limits only the sum of memory and swap.
      const { swap = Infinity, memory = Infinity } = limits;
      if (memory === Infinity && swap !== Infinity) return undefined;
      return [setting("memory.memsw.limit_in_bytes", orMinus1(memory + swap))];
    }
    case "cpus":
      return [
        setting("cpu.cfs_period_us", String(PERIOD)),
        setting("cpu.cfs_quota_us", orMinus1(quota(limits.cpus!))),
      ];
    case "cpuWeight":
      return [setting("cpu.shares", String(shares(limits.cpuWeight!)))];
    case "pids":
      return [setting("pids.max", orMax(limits.pids))];
    case "cpuset":
      return [setting("cpuset.cpus", limits.cpuset!)];
    case "io":
      return limits.io!.flatMap(({ device, readBps, writeBps, readIops, writeIops }) =>
        Object.entries({
          read_bps: readBps,
          write_bps: writeBps,
          read_iops: readIops,
          write_iops: writeIops,
        }).filter(([, value]) => value !== undefined).map(([name, value]) =>
          // In these files, 0 is no limit.
          setting(`blkio.throttle.${name}_device`, `${device} ${value === Infinity ? 0 : value}`)
        )
      );
  }
}

/** Parses a list of numbers as the kernel writes it: `"0-1,3"`. */
export function parseList(text: string): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const range of text.trim().split(",").filter(Boolean)) {
    const [first, last = first] = range.split("-").map(Number) as [number, number?];
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return numbers;
}

function quota(cpus: number): number {
  return Math.round(cpus * PERIOD);
}

/** The defaults are 100 and 1024; the scales are the same, but their ends differ. */
function shares(weight: number): number {
  return Math.min(262_144, Math.max(2, Math.round(weight * 1024 / 100)));
}

function orMax(value: number | undefined): string {
  return value === undefined || value === Infinity ? "max" : String(value);
}

function orMinus1(value: number | undefined): string {
  return value === undefined || value === Infinity ? "-1" : String(value);
}
