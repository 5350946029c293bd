/**
 * `limits()` as directives of a unit, which hold for all that belongs to it
 * (systemd.resource-control(5)).
 *
 * @module
 */

import { type Limits, numberOf, type Size } from "../recipe/steps/limits.ts";

/** A line of a section of a unit. */
export type Directive = readonly [name: string, value: string];

/** Returns the directives, or why a limit cannot be said. */
export function limitDirectives(limits: Limits): readonly Directive[] | string {
  const { memory, memoryHigh, swap, cpus, cpuWeight, pids, io = [], cpuset } = limits;
  const share = cpus === undefined ? undefined : percentOf(numberOf(cpus));
  if (share !== undefined && Math.abs(share - numberOf(cpus!) * 100) > 1e-9) {
    return `CPUQuota= has two digits behind the point: ${share}% for ${cpus} processors`;
  }
  const given = (name: string, value: Size | undefined): readonly Directive[] =>
    value === undefined ? [] : [[name, orInfinity(value)]];
  return [
    ...given("MemoryMax", memory),
    ...given("MemoryHigh", memoryHigh),
    ...given("MemorySwapMax", swap),
    ...(share === undefined ? [] : [["CPUQuota", share === Infinity ? "" : `${share}%`] as const]),
    ...given("CPUWeight", cpuWeight),
    ...given("TasksMax", pids),
    ...(cpuset === undefined ? [] : [["AllowedCPUs", cpuset] as const]),
    ...io.flatMap(({ device, readBps, writeBps, readIops, writeIops }) => {
      const path = device.startsWith("/") ? device : `/dev/block/${device}`;
      const rate = (name: string, value: Size | undefined): readonly Directive[] =>
        value === undefined ? [] : [[name, `${path} ${orInfinity(value)}`]];
      return [
        ...rate("IOReadBandwidthMax", readBps),
        ...rate("IOWriteBandwidthMax", writeBps),
        ...rate("IOReadIOPSMax", readIops),
        ...rate("IOWriteIOPSMax", writeIops),
      ];
    }),
  ];
}

/** A share of processors as `CPUQuota=` has it, with two digits behind the point. */
function percentOf(cpus: number): number {
  return Math.round(cpus * 1e4) / 1e2;
}

function orInfinity(value: Size): string {
  const number = numberOf(value);
  return number === Infinity ? "infinity" : String(number);
}
