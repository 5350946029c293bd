/**
 * The verb `update`.
 *
 * @module
 */

import { applyDevices } from "../cgroups/devices.ts";
import type { GroupDirectory } from "../cgroups/group.ts";
import { mountedHierarchies } from "../cgroups/hierarchies.ts";
import { applyResources } from "../cgroups/resources.ts";
import { type FlagTable, type Given, valueOf } from "../command_line.ts";
import type { ConfigResources } from "../spec.ts";
import { OciError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ContainerRecord } from "../state.ts";
import { idOf } from "../create_options.ts";

/** The flags for single limits, by the group and the name in `resources`. */
const LIMITS: Readonly<Record<string, readonly [group: string, name: string]>> = {
  "blkio-weight": ["blockIO", "weight"],
  "cpu-burst": ["cpu", "burst"],
  "cpu-idle": ["cpu", "idle"],
  "cpu-period": ["cpu", "period"],
  "cpu-quota": ["cpu", "quota"],
  "cpu-rt-period": ["cpu", "realtimePeriod"],
  "cpu-rt-runtime": ["cpu", "realtimeRuntime"],
  "cpu-share": ["cpu", "shares"],
  "cpuset-cpus": ["cpu", "cpus"],
  "cpuset-mems": ["cpu", "mems"],
  "kernel-memory": ["memory", "kernel"],
  "kernel-memory-tcp": ["memory", "kernelTCP"],
  memory: ["memory", "limit"],
  "memory-reservation": ["memory", "reservation"],
  "memory-swap": ["memory", "swap"],
  "pids-limit": ["pids", "limit"],
};

export const flags: FlagTable = {
  values: ["resources", ...Object.keys(LIMITS)],
  switches: [],
  letters: { r: "resources" },
};

/** Changes the limits of a container. */
export async function run(runtime: Runtime, given: Given): Promise<number> {
  const record = ContainerRecord.open(runtime, idOf(given));
  if (record.status === "stopped") throw new OciError("container not running");
  const resources = await resourcesOf(given);
  const groups = groupsOf(record);
  applyResources(groups, resources);
  applyDevices(groups, resources.devices ?? [], "defaults");
  return 0;
}

async function resourcesOf(given: Given): Promise<ConfigResources> {
  const file = valueOf(given, "resources");
  if (file !== undefined) {
    const text = file === "-"
      ? await new Response(Deno.stdin.readable).text()
      : Deno.readTextFileSync(file);
    return JSON.parse(text) as ConfigResources;
  }
  const resources: Record<string, Record<string, number | string>> = {};
  for (const [flag, [group, name]] of Object.entries(LIMITS)) {
    const value = valueOf(given, flag);
    if (value === undefined) continue;
    (resources[group] ??= {})[name] = name === "cpus" || name === "mems" ? value : numberOf(value);
  }
  return resources as ConfigResources;
}

/** Numbers may have a unit, as those of memory do. */
function numberOf(value: string): number {
  const [, digits, unit = ""] = /^(-?\d+)([kmgt]?)b?$/i.exec(value) ?? [];
  if (digits === undefined) throw new OciError(`${value} is not a number`);
  return Number(digits) * 1024 ** (unit === "" ? 0 : "kmgt".indexOf(unit.toLowerCase()) + 1);
}

/** Returns the groups of a container with their hierarchies. */
function groupsOf({ groups }: ContainerRecord): readonly GroupDirectory[] {
  const hierarchies = mountedHierarchies();
  return groups.flatMap((path) => {
    const hierarchy = hierarchies.find(({ top }) => path.startsWith(`${top}/`));
    return hierarchy === undefined ? [] : [{ hierarchy, path }];
  });
}
