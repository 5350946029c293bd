/**
 * What limits a group, and the files that say so in either version of control groups.
 *
 * @module
 */

import type { Controller } from "./hierarchies.ts";

/** The limits of a group; what is left out stays as it is, and `Infinity` is no limit. */
export interface GroupLimits {
  /** Bytes of memory, page cache included. */
  readonly memory?: number;
  /** Bytes of memory above which the group is slowed down and has to give some back. */
  readonly memoryHigh?: number;
  /** Bytes of swap. */
  readonly swap?: number;
  /** Time on processors, by the second: 1.5 is that of one and a half. */
  readonly cpus?: number;
  /** The share of the processors when others want them too: 1 to 10000, where 100 is usual. */
  readonly cpuWeight?: number;
  /** How many processes and threads. */
  readonly pids?: number;
  /** Limits of block devices. */
  readonly io?: readonly DeviceLimits[];
  /** Which processors: `"0-1,3"`. */
  readonly cpuset?: string;
}

/** The limits of a block device. */
export interface DeviceLimits {
  /** Its numbers: `"8:0"`. */
  readonly device: string;
  /** Bytes read in a second. */
  readonly readBps?: number;
  /** Bytes written in a second. */
  readonly writeBps?: number;
  /** Readings in a second. */
  readonly readIops?: number;
  /** Writings in a second. */
  readonly writeIops?: number;
}

/** A limit, as a line that is written to a file of the group. */
export interface Setting {
  /** What it limits. */
  readonly limit: keyof GroupLimits;
  readonly controller: Controller;
  readonly file: string;
  readonly value: string;
}

/** In how many microseconds a group may use its time; the kernel's own default. */
const PERIOD = 100_000;

/** Which controller each limit needs. */
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

/** A limit's lines in the files of version 1; `undefined` where that cannot be said. */
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
      // Version 1 knows the sum only.
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
          // Here 0 is no limit.
          setting(`blkio.throttle.${name}_device`, `${device} ${value === Infinity ? 0 : value}`)
        )
      );
  }
}

/** A list of processors or the like, as the kernel writes it: `"0-1,3"`. */
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

/** Both have a usual value, 100 and 1024; the scale is the same, its ends are not. */
function shares(weight: number): number {
  return Math.min(262_144, Math.max(2, Math.round(weight * 1024 / 100)));
}

function orMax(value: number | undefined): string {
  return value === undefined || value === Infinity ? "max" : String(value);
}

function orMinus1(value: number | undefined): string {
  return value === undefined || value === Infinity ? "-1" : String(value);
}
