/**
 * Lowers the step `limits`.
 *
 * @module
 */

import { type DeviceLimits, type GroupLimits, parseList } from "../../ffi/cgroups/limits.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { invalidField } from "../../recipe/schema.ts";
import { RecipeError } from "../../recipe/errors.ts";
import {
  limitFields,
  type Limits,
  type LimitsStep,
  numberOf as knownNumberOf,
  type Size,
} from "../../recipe/steps/limits.ts";
import type { Host } from "../../host/host.ts";
import type { PlanBuilder } from "../builder.ts";

/** Lowers `limits`. */
export function lowerLimits(step: LimitsStep, plan: PlanBuilder): void {
  const refuse = (why: string) => plan.refuse(why);
  if (step.io?.some(({ device }) => device.startsWith("/"))) plan.isMomentary = true;
  plan.limitTo(groupLimits(step, plan.host, refuse));
}

/**
 * Checks limits that are not from a recipe, and returns them in the kernel's units.
 *
 * @throws {RecipeError} if one is invalid
 */
export function checkLimits(limits: Limits, host: Host): GroupLimits {
  const refuse = (why: string): never => {
    throw new RecipeError(why);
  };
  const wrong = invalidField({ ...limits }, limitFields());
  if (wrong !== undefined) refuse(`the limit "${wrong.field}" ${wrong.issue}`);
  return groupLimits(limits, host, refuse);
}

/** Returns the limits in the kernel's units. */
function groupLimits(
  limits: Limits,
  host: Host,
  refuse: (why: string) => never,
): GroupLimits {
  const { memory, memoryHigh, swap, cpus, cpuWeight, pids, io, cpuset } = limits;
  return present({
    memory: numberOf(memory),
    memoryHigh: numberOf(memoryHigh),
    swap: numberOf(swap),
    cpus: numberOf(cpus),
    cpuWeight,
    pids: numberOf(pids),
    io: io?.map((item): DeviceLimits => ({
      device: deviceNumbers(item.device, host, refuse),
      ...present({
        readBps: numberOf(item.readBps),
        writeBps: numberOf(item.writeBps),
        readIops: numberOf(item.readIops),
        writeIops: numberOf(item.writeIops),
      }),
    })),
    cpuset: cpuset && [...parseList(cpuset)].join(","),
  });
}

function numberOf(value: Size | undefined): number | undefined {
  return value === undefined ? undefined : knownNumberOf(value);
}

/** Returns the numbers of a block device, such as `"8:0"`. */
function deviceNumbers(device: string, host: Host, refuse: (why: string) => never): string {
  if (!device.startsWith("/")) return device;
  try {
    return host.blockDevice(device) ?? refuse(`${device} is not a block device`);
  } catch (error) {
    if (error instanceof SyscallError) refuse(`${device} cannot be found: ${error.code}`);
    throw error;
  }
}

/** Returns the fields that have a value. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
