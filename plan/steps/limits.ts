/**
 * Lowers the step `limits`.
 *
 * @module
 */

import { type DeviceLimits, type GroupLimits, parseList } from "../../ffi/cgroups/limits.ts";
import { at_fdcwd, S_IFBLK, S_IFMT } from "../../ffi/calls/files.ts";
import { readStatx, statx, STATX_BASIC_STATS, statxOutput } from "../../ffi/calls/statx.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { syscalls } from "../../ffi/syscalls.ts";
import { invalidField } from "../../recipe/schema.ts";
import { RecipeError } from "../../recipe/errors.ts";
import {
  bytesOf,
  limitFields,
  type Limits,
  type LimitsStep,
  type Size,
} from "../../recipe/steps/limits.ts";
import type { PlanBuilder } from "../builder.ts";

/** Lowers `limits`. */
export function lowerLimits(step: LimitsStep, plan: PlanBuilder): void {
  plan.limitTo(groupLimits(step, (why) => plan.refuse(why)));
}

/**
 * Limits that come from outside of a recipe, checked.
 *
 * @throws {RecipeError} where one is wrong
 */
export function checkLimits(limits: Limits): GroupLimits {
  const refuse = (why: string): never => {
    throw new RecipeError(why);
  };
  const wrong = invalidField({ ...limits }, limitFields());
  if (wrong !== undefined) refuse(`the limit "${wrong.field}" ${wrong.issue}`);
  return groupLimits(limits, refuse);
}

/** The limits in the kernel's units. */
function groupLimits(limits: Limits, refuse: (why: string) => never): GroupLimits {
  const { memory, memoryHigh, swap, cpus, cpuWeight, pids, io, cpuset } = limits;
  return present({
    memory: numberOf(memory),
    memoryHigh: numberOf(memoryHigh),
    swap: numberOf(swap),
    cpus: numberOf(cpus),
    cpuWeight,
    pids: numberOf(pids),
    io: io?.map((item): DeviceLimits => ({
      device: deviceNumbers(item.device, refuse),
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
  return value === "unlimited" ? Infinity : typeof value === "string" ? bytesOf(value) : value;
}

/** The numbers of a block device, which is what the kernel knows it by. */
function deviceNumbers(device: string, refuse: (why: string) => never): string {
  if (!device.startsWith("/")) return device;
  const told = statxOutput();
  try {
    const asked = { call: statx(at_fdcwd, device, 0, STATX_BASIC_STATS, told) };
    const view = syscalls([asked]).output(told);
    if ((readStatx(view).mode & S_IFMT) !== S_IFBLK) refuse(`${device} is no block device`);
    return `${view.getUint32(DEVICE.major, true)}:${view.getUint32(DEVICE.minor, true)}`;
  } catch (error) {
    if (error instanceof SyscallError) refuse(`${device} cannot be found: ${error.code}`);
    throw error;
  }
}

/** Where struct statx has the numbers of a device (linux/stat.h). */
const DEVICE = { major: 128, minor: 132 } as const;

/** The fields that have a value. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
