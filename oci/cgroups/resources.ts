/**
 * The object `linux.resources` as what is written to the files of control groups: one table for
 * each version of control groups.
 *
 * @module
 */

import type { ConfigResources, DeviceRate, DeviceWeight } from "../spec.ts";
import { unsupported } from "../errors.ts";
import type { GroupDirectory } from "./group.ts";

/** A text for a file of a group, and the field that it is from. */
interface Setting {
  readonly field: string;
  /** The controller, of version 1 or 2. */
  readonly controller: string;
  readonly file: string;
  readonly text: string;
}

/** Applies resources to the groups; devices are done by devices.ts. */
export function applyResources(
  groups: readonly GroupDirectory[],
  resources: ConfigResources,
): void {
  const unified = groups.find(({ hierarchy }) => hierarchy.version === 2);
  const old = groups.filter(({ hierarchy }) => hierarchy.version === 1);
  const settings = old.length > 0 ? settingsOf1(resources) : settingsOf2(resources);
  for (const setting of inOrder(settings, old)) {
    const { field, controller, file, text } = setting;
    const group = old.length > 0
      ? old.find(({ hierarchy }) => hierarchy.names.includes(controller))
      : unified;
    if (group === undefined) {
      unsupported(`linux.resources.${field}`, `there is no control group for ${controller}`);
    }
    write(`${group.path}/${file}`, text, field);
  }
  for (const [file, text] of Object.entries(resources.unified ?? {})) {
    if (unified === undefined) {
      unsupported("linux.resources.unified", "there is no hierarchy of version 2 here");
    }
    if (file.includes("/")) unsupported(`linux.resources.unified.${file}`, "it is no file's name");
    write(`${unified.path}/${file}`, text, `unified.${file}`);
  }
}

function write(file: string, text: string, field: string): void {
  try {
    Deno.writeTextFileSync(file, text, { create: false });
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "the controller is not here, or not given to this group: no such file or directory"
      : String(error instanceof Error ? error.message : error).replace(/ \(os error \d+\).*/, "")
        .toLowerCase();
    unsupported(`linux.resources.${field}`, `${file}: ${why}`);
  }
}

/**
 * The limit of memory and swap together may never be below that of memory (version 1), so which one
 * comes first depends on whether they grow.
 */
function inOrder(settings: readonly Setting[], groups: readonly GroupDirectory[]): Setting[] {
  const sum = settings.findIndex(({ file }) => file === "memory.memsw.limit_in_bytes");
  const memory = settings.findIndex(({ file }) => file === "memory.limit_in_bytes");
  if (sum === -1 || memory === -1) return [...settings];
  const group = groups.find(({ hierarchy }) => hierarchy.names.includes("memory"));
  const now = Number(readNumber(`${group?.path}/memory.limit_in_bytes`));
  const [first, second] = Number(settings[memory]!.text) > now && settings[memory]!.text !== "-1"
    ? [sum, memory]
    : [memory, sum];
  const others = settings.filter((_, index) => index !== sum && index !== memory);
  return [settings[first]!, settings[second]!, ...others];
}

function readNumber(file: string): string {
  try {
    return Deno.readTextFileSync(file).trim();
  } catch {
    return "0";
  }
}

/** A list of settings, to which only fields with a value are added. */
class Settings {
  readonly all: Setting[] = [];

  add(
    field: string,
    controller: string,
    file: string,
    value: number | string | undefined | null,
  ): void {
    if (value === undefined || value === null || value === "") return;
    this.all.push({ field, controller, file, text: String(value) });
  }
}

function settingsOf1(resources: ConfigResources): readonly Setting[] {
  const { memory, cpu, pids, blockIO, hugepageLimits, network, rdma } = resources;
  const settings = new Settings();
  const add = settings.add.bind(settings);
  add("memory.limit", "memory", "memory.limit_in_bytes", given(memory?.limit));
  add("memory.swap", "memory", "memory.memsw.limit_in_bytes", given(memory?.swap));
  add("memory.reservation", "memory", "memory.soft_limit_in_bytes", given(memory?.reservation));
  add("memory.kernel", "memory", "memory.kmem.limit_in_bytes", given(memory?.kernel));
  add("memory.kernelTCP", "memory", "memory.kmem.tcp.limit_in_bytes", given(memory?.kernelTCP));
  add("memory.swappiness", "memory", "memory.swappiness", memory?.swappiness);
  if (memory?.disableOOMKiller === true) {
    add("memory.disableOOMKiller", "memory", "memory.oom_control", 1);
  }
  add("cpu.shares", "cpu", "cpu.shares", given(cpu?.shares));
  add("cpu.period", "cpu", "cpu.cfs_period_us", given(cpu?.period));
  add("cpu.quota", "cpu", "cpu.cfs_quota_us", given(cpu?.quota));
  add("cpu.burst", "cpu", "cpu.cfs_burst_us", cpu?.burst);
  add("cpu.realtimePeriod", "cpu", "cpu.rt_period_us", given(cpu?.realtimePeriod));
  add("cpu.realtimeRuntime", "cpu", "cpu.rt_runtime_us", given(cpu?.realtimeRuntime));
  add("cpu.idle", "cpu", "cpu.idle", cpu?.idle);
  add("cpu.cpus", "cpuset", "cpuset.cpus", cpu?.cpus);
  add("cpu.mems", "cpuset", "cpuset.mems", cpu?.mems);
  add("pids.limit", "pids", "pids.max", pidsLimit(pids?.limit));
  add("blockIO.weight", "blkio", "blkio.weight", given(blockIO?.weight));
  add("blockIO.leafWeight", "blkio", "blkio.leaf_weight", given(blockIO?.leafWeight));
  for (const device of blockIO?.weightDevice ?? []) {
    add("blockIO.weightDevice", "blkio", "blkio.weight_device", weightText(device, "weight"));
    add(
      "blockIO.weightDevice",
      "blkio",
      "blkio.leaf_weight_device",
      weightText(device, "leafWeight"),
    );
  }
  for (const [field, file] of THROTTLES) {
    for (const rate of blockIO?.[field] ?? []) {
      add(`blockIO.${field}`, "blkio", `blkio.throttle.${file.old}_device`, rateText(rate));
    }
  }
  for (const { pageSize, limit } of hugepageLimits ?? []) {
    add("hugepageLimits", "hugetlb", `hugetlb.${pageSize}.limit_in_bytes`, limit);
  }
  add("network.classID", "net_cls", "net_cls.classid", network?.classID);
  for (const { name, priority } of network?.priorities ?? []) {
    add("network.priorities", "net_prio", "net_prio.ifpriomap", `${name} ${priority}`);
  }
  for (const text of rdmaTexts(rdma)) add("rdma", "rdma", "rdma.max", text);
  return settings.all;
}

function settingsOf2(resources: ConfigResources): readonly Setting[] {
  const { memory, cpu, pids, blockIO, hugepageLimits, network, rdma } = resources;
  const settings = new Settings();
  const add = settings.add.bind(settings);
  add("memory.limit", "memory", "memory.max", maximum(memory?.limit));
  add("memory.swap", "memory", "memory.swap.max", swapAlone(memory?.swap, memory?.limit));
  add("memory.reservation", "memory", "memory.low", maximum(memory?.reservation));
  add("cpu.shares", "cpu", "cpu.weight", weightOf(given(cpu?.shares)));
  add("cpu.quota", "cpu", "cpu.max", cpuMaximum(cpu?.quota, cpu?.period));
  add("cpu.burst", "cpu", "cpu.max.burst", cpu?.burst);
  add("cpu.idle", "cpu", "cpu.idle", cpu?.idle);
  add("cpu.cpus", "cpuset", "cpuset.cpus", cpu?.cpus);
  add("cpu.mems", "cpuset", "cpuset.mems", cpu?.mems);
  add("pids.limit", "pids", "pids.max", pidsLimit(pids?.limit));
  add("blockIO.weight", "io", "io.weight", ioWeight(given(blockIO?.weight)));
  for (const device of blockIO?.weightDevice ?? []) {
    add("blockIO.weightDevice", "io", "io.weight", weightText(device, "weight"));
  }
  for (const [field, file] of THROTTLES) {
    for (const { major, minor, rate } of blockIO?.[field] ?? []) {
      add(`blockIO.${field}`, "io", "io.max", `${major}:${minor} ${file.unified}=${rate}`);
    }
  }
  for (const { pageSize, limit } of hugepageLimits ?? []) {
    add("hugepageLimits", "hugetlb", `hugetlb.${pageSize}.max`, limit);
  }
  for (const text of rdmaTexts(rdma)) add("rdma", "rdma", "rdma.max", text);
  for (
    const [field, value] of [
      ["memory.swappiness", memory?.swappiness],
      ["network.classID", network?.classID],
      ["cpu.realtimeRuntime", given(cpu?.realtimeRuntime)],
    ] as const
  ) {
    if (value !== undefined) {
      unsupported(`linux.resources.${field}`, "control groups of version 2 have no such limit");
    }
  }
  return settings.all;
}

/** The rates of block devices, by the names of their files. */
const THROTTLES = [
  ["throttleReadBpsDevice", { old: "read_bps", unified: "rbps" }],
  ["throttleWriteBpsDevice", { old: "write_bps", unified: "wbps" }],
  ["throttleReadIOPSDevice", { old: "read_iops", unified: "riops" }],
  ["throttleWriteIOPSDevice", { old: "write_iops", unified: "wiops" }],
] as const;

/** 0 stands for "not given" where engines write all numbers. */
function given(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function maximum(value: number | undefined): number | string | undefined {
  return value === undefined || value === 0 ? undefined : value < 0 ? "max" : value;
}

function pidsLimit(limit: number | undefined): number | string | undefined {
  return limit === undefined ? undefined : limit <= 0 ? "max" : limit;
}

/** Version 2 limits swap alone, and config.json both together. */
function swapAlone(sum: number | undefined, limit = 0): number | string | undefined {
  if (sum === undefined || sum === 0) return undefined;
  if (sum < 0) return "max";
  if (limit <= 0) return unsupported("linux.resources.memory.swap", "it needs memory.limit");
  if (sum < limit) {
    return unsupported("linux.resources.memory.swap", "it is below memory.limit: invalid argument");
  }
  return sum - limit;
}

/** From 2 to 262144 of version 1 to 1 to 10000 of version 2, as all runtimes do. */
function weightOf(shares: number | undefined): number | undefined {
  if (shares === undefined) return undefined;
  const clamped = Math.min(Math.max(shares, 2), 262144);
  return 1 + Math.floor((clamped - 2) * 9999 / 262142);
}

function ioWeight(weight: number | undefined): number | undefined {
  return weight === undefined ? undefined : 1 + Math.floor((weight - 10) * 9999 / 990);
}

function cpuMaximum(quota: number | undefined, period: number | undefined): string | undefined {
  if (given(quota) === undefined && given(period) === undefined) return undefined;
  const amount = quota === undefined || quota <= 0 ? "max" : String(quota);
  return given(period) === undefined ? amount : `${amount} ${period}`;
}

function weightText(
  { major, minor, ...weights }: DeviceWeight,
  field: "weight" | "leafWeight",
): string | undefined {
  const weight = weights[field];
  return weight === undefined ? undefined : `${major}:${minor} ${weight}`;
}

function rateText({ major, minor, rate }: DeviceRate): string {
  return `${major}:${minor} ${rate}`;
}

function rdmaTexts(rdma: ConfigResources["rdma"]): string[] {
  return Object.entries(rdma ?? {}).map(([device, { hcaHandles, hcaObjects }]) =>
    `${device} hca_handle=${hcaHandles ?? "max"} hca_object=${hcaObjects ?? "max"}`
  );
}
