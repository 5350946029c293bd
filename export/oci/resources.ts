/**
 * `limits()` as `linux.resources` of config.json, and back.
 *
 * @module
 */

import type { ConfigResources, DeviceRate } from "../../oci/spec.ts";
import { type IoLimits, type Limits, numberOf, type Size } from "../../recipe/steps/limits.ts";

/** The period of the processor quota, in microseconds: the kernel's default. */
const PERIOD = 100_000;

/**
 * Returns limits as resources.
 *
 * @param refuse called with what resources cannot say
 */
export function resourcesOf(limits: Limits, refuse: (why: string) => void): ConfigResources {
  const { memory, memoryHigh, swap, cpus, cpuWeight, pids, io, cpuset } = limits;
  const unified = {
    ...(memoryHigh !== undefined && { "memory.high": orMax(memoryHigh) }),
    ...(cpuWeight !== undefined && { "cpu.weight": String(cpuWeight) }),
  };
  const processor = {
    ...(cpus !== undefined && { quota: orMinus1(numberOf(cpus) * PERIOD), period: PERIOD }),
    ...(cpuset !== undefined && { cpus: cpuset }),
  };
  const space = {
    ...(memory !== undefined && { limit: orMinus1(numberOf(memory)) }),
    ...(swap !== undefined && { swap: sumOf(memory, swap, refuse) }),
  };
  return {
    ...(hasFields(space) && { memory: space }),
    ...(hasFields(processor) && { cpu: processor }),
    ...(pids !== undefined && { pids: { limit: orMinus1(numberOf(pids)) } }),
    ...(io !== undefined && { blockIO: rates(io, refuse) }),
    ...(hasFields(unified) && { unified }),
  };
}

/** `memory.swap` of config.json is that of memory and swap together. */
function sumOf(memory: Limits["memory"], swap: Size | "unlimited", refuse: (why: string) => void) {
  if (numberOf(swap) === Infinity) return -1;
  if (memory !== undefined && numberOf(memory) !== Infinity) {
    return numberOf(memory) + numberOf(swap);
  }
  refuse('"swap" is limited together with "memory" in config.json; give that, too');
  return -1;
}

/** The lists of `blockIO`, by the names in a recipe. */
const RATES = {
  readBps: "throttleReadBpsDevice",
  writeBps: "throttleWriteBpsDevice",
  readIops: "throttleReadIOPSDevice",
  writeIops: "throttleWriteIOPSDevice",
} as const satisfies Readonly<
  Record<keyof Omit<IoLimits, "device">, keyof NonNullable<ConfigResources["blockIO"]>>
>;

const RATE_NAMES = Object.keys(RATES) as (keyof typeof RATES)[];

function rates(io: readonly IoLimits[], refuse: (why: string) => void) {
  const lists: Record<string, DeviceRate[]> = {};
  for (const item of io) {
    const [, major, minor] = /^(\d+):(\d+)$/.exec(item.device) ?? [];
    if (major === undefined) {
      refuse(`config.json names devices by their numbers: "8:0" in the place of "${item.device}"`);
      continue;
    }
    for (const name of RATE_NAMES) {
      const rate = item[name];
      if (rate === undefined) continue;
      const list = lists[RATES[name]] ??= [];
      // In version 1 of control groups, 0 is no limit.
      const number = numberOf(rate);
      list.push({
        major: Number(major),
        minor: Number(minor),
        rate: number === Infinity ? 0 : number,
      });
    }
  }
  return lists;
}

/**
 * Returns resources as limits.
 *
 * @param refuse called with each field that limits cannot say
 */
export function limitsOf(
  resources: ConfigResources,
  refuse: (path: string, why: string) => void,
): Limits {
  const { memory, cpu, pids, blockIO, unified, ...others } = resources;
  const { limit, swap, ...otherMemory } = memory ?? {};
  const { quota, period, cpus, ...otherCpu } = cpu ?? {};
  const { "memory.high": high, "cpu.weight": weight, ...otherFiles } = unified ?? {};
  const ratesOf = Object.fromEntries(
    RATE_NAMES.map((name) => [name, blockIO?.[RATES[name]] ?? []]),
  ) as Record<keyof typeof RATES, readonly DeviceRate[]>;
  const otherBlock = Object.entries(blockIO ?? {}).filter(([name]) =>
    !Object.values<string>(RATES).includes(name)
  );
  const rest = {
    ...others,
    ...prefixed("memory", otherMemory),
    ...prefixed("cpu", otherCpu),
    ...prefixed("blockIO", Object.fromEntries(otherBlock)),
    ...prefixed("unified", otherFiles),
  };
  for (const [field, value] of Object.entries(rest)) {
    if (isEmpty(value)) continue;
    refuse(`linux.resources.${field}`, "no step says it");
  }
  if (isLimit(swap) && swap !== -1 && !(isLimit(limit) && limit !== -1)) {
    refuse("linux.resources.memory.swap", "it is the sum with memory.limit, and that is not given");
  }
  const io = ioOf(ratesOf);
  return {
    ...(isLimit(limit) && { memory: orUnlimited(limit) }),
    ...(high !== undefined && { memoryHigh: high === "max" ? "unlimited" : Number(high) }),
    ...(isLimit(swap) && { swap: swap === -1 ? "unlimited" : Math.max(0, swap - (limit ?? 0)) }),
    ...(isLimit(quota) && { cpus: quota === -1 ? "unlimited" : quota / (period || PERIOD) }),
    ...(weight !== undefined && { cpuWeight: Number(weight) }),
    ...(isLimit(pids?.limit) && { pids: orUnlimited(pids.limit) }),
    ...(io.length > 0 && { io }),
    ...(cpus !== undefined && cpus !== "" && { cpuset: cpus }),
  };
}

function ioOf(lists: Record<keyof typeof RATES, readonly DeviceRate[]>): IoLimits[] {
  const devices = new Map<string, IoLimits>();
  for (const name of RATE_NAMES) {
    for (const { major, minor, rate } of lists[name]) {
      const device = `${major}:${minor}`;
      const known = devices.get(device) ?? { device };
      devices.set(device, { ...known, [name]: rate === 0 ? "unlimited" : rate });
    }
  }
  return [...devices.values()];
}

function prefixed(name: string, fields: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [`${name}.${field}`, value]),
  );
}

/** Whether a field says as much as its being left out. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.values(value).every(isEmpty);
}

/** For engines, 0 is no limit. */
function isLimit(value: number | undefined): value is number {
  return value !== undefined && value !== null && value !== 0;
}

function orUnlimited(value: number): number | "unlimited" {
  return value < 0 ? "unlimited" : value;
}

function orMinus1(value: number): number {
  return value === Infinity ? -1 : Math.round(value);
}

function orMax(value: Size | "unlimited"): string {
  const number = numberOf(value);
  return number === Infinity ? "max" : String(number);
}

function hasFields(value: object): boolean {
  return Object.keys(value).length > 0;
}
