/**
 * The step `limits`: how much of the machine the container may use. See cgroups(7).
 *
 * @module
 */

import { type DeviceLimits, type GroupLimits, parseList } from "../../ffi/cgroups/limits.ts";
import { at_fdcwd, S_IFBLK, S_IFMT } from "../../ffi/calls/files.ts";
import { readStatx, statx, STATX_BASIC_STATS, statxOutput } from "../../ffi/calls/statx.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { performAll } from "../../ffi/perform.ts";
import {
  either,
  type Field,
  integer,
  list,
  object,
  oneOf,
  optional,
  text,
  wrongField,
} from "../fields.ts";
import { RecipeError } from "../recipe_error.ts";
import type { StepDefinition } from "../step.ts";

/** A number of bytes, or a string with a unit, 1024 the next: `"512k"`, `"64m"`, `"2g"`, `"1t"`. */
export type Size = number | string;

/** How much of the machine a container may use; what is left out is not limited. */
export interface Limits {
  /** Memory, page cache included. A container that needs more loses a process: SIGKILL. */
  readonly memory?: Size | "unlimited";
  /** Memory above which the container is slowed down and has to give some back. cgroup v2 only. */
  readonly memoryHigh?: Size | "unlimited";
  /** Swap. cgroup v1 limits the sum with `memory`, which has to be there then. */
  readonly swap?: Size | "unlimited";
  /** Time on processors, by the second: 1.5 is that of one and a half. At least 0.01. */
  readonly cpus?: number | "unlimited";
  /** The share of the processors while others want them too: 1 to 10000; 100 is usual. */
  readonly cpuWeight?: number;
  /** How many processes and threads, the container's init included. */
  readonly pids?: number | "unlimited";
  /** Block devices. */
  readonly io?: readonly IoLimits[];
  /** Which processors: `"0-1,3"`. */
  readonly cpuset?: string;
}

/** How much of a block device a container may use; what is left out is not limited. */
export interface IoLimits {
  /** A whole disk: its file, `"/dev/sda"`, or its numbers, `"8:0"`. */
  readonly device: string;
  /** Bytes read in a second. */
  readonly readBps?: Size | "unlimited";
  /** Bytes written in a second. */
  readonly writeBps?: Size | "unlimited";
  /** Readings in a second. */
  readonly readIops?: number | "unlimited";
  /** Writings in a second. */
  readonly writeIops?: number | "unlimited";
}

/** Limits how much of the machine the container may use. */
export interface LimitsStep extends Limits {
  /** Which step it is. */
  readonly step: "limits";
}

/**
 * Gives the container a control group, with limits or without. It holds for the whole container
 * from its first moment on, wherever the step stands; with `unshare("cgroup")`, the container sees
 * its own group as the root.
 *
 * The group is what `usage()`, `pause()`, `resume()` and `update()` of a running container need. It
 * is removed when the program has ended, and what the program has left running is killed then. An
 * ordinary user needs a group that was delegated to them:
 * `systemd-run --user --scope -p Delegate=yes deno run --allow-ffi ...`.
 *
 * @throws {RecipeError} when it is planned behind another one, or for a device that is not there or
 * is no block device
 * @throws {UnsupportedError} when it is run where a limit cannot be set, with why and the mend
 * @throws {SyscallError} when it is run: `ENOMEM` where the memory is too little for the program to
 * begin
 *
 * @example
 * ```ts
 * import { limits, recipe, UnsupportedError } from "@ramekin/ramekin";
 *
 * const box = recipe(limits({ memory: "256m", pids: 100 }));
 * try {
 *   const container = box.command("true").spawn();
 *   console.log((await container.status).outOfMemory, container.usage().memoryPeak);
 * } catch (error) {
 *   if (!(error instanceof UnsupportedError)) throw error;
 *   console.log(error.message);
 * }
 * ```
 */
export function limits(limits: Limits): LimitsStep {
  return { step: "limits", ...limits };
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

const SIZE = /^(\d+)([kmgt]?)$/i;

const size: Field = {
  expected: 'a number of bytes, or a string with a unit: "512k", "64m", "2g", "1t"',
  optional: false,
  schema: {
    anyOf: [integer().schema, { type: "string", pattern: "^\\d+[kmgtKMGT]?$" }],
  },
  complaint(value) {
    const bytes = typeof value === "string" ? bytesOf(value) : value;
    if (typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= 0) return undefined;
    const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
    return `should be ${size.expected}, or "unlimited", not ${shown}`;
  },
};

const sizeOrNone: Field = {
  ...size,
  schema: { anyOf: [{ enum: ["unlimited"] }, size.schema] },
  complaint: (value) => value === "unlimited" ? undefined : size.complaint(value),
};

const cpus: Field = {
  expected: 'a number of processors from 0.01 on, or "unlimited"',
  optional: false,
  schema: {
    anyOf: [{ enum: ["unlimited"] }, { type: "number", minimum: 0.01, maximum: 1e6 }],
  },
  complaint(value) {
    if (value === "unlimited") return undefined;
    if (typeof value === "number" && value >= 0.01 && value <= 1e6) return undefined;
    return `should be ${cpus.expected}, not ${JSON.stringify(value)}`;
  },
};

/** Whole numbers and ranges of them, as cpuset(7) lists them. */
const cpuset: Field = {
  expected: 'a list of processors: "0-1,3"',
  optional: false,
  schema: { type: "string", pattern: "^\\d+(-\\d+)?(,\\d+(-\\d+)?)*$" },
  complaint(value) {
    const complaint = text({ min: 1 }).complaint(value);
    if (complaint !== undefined) return complaint;
    const ranges = (value as string).split(",").map((range) => /^(\d+)(?:-(\d+))?$/.exec(range));
    const wrong = ranges.some((range) =>
      range === null || Number(range[2] ?? range[1]) < Number(range[1]) || Number(range[1]) > 65535
    );
    return wrong ? `should be ${cpuset.expected}, not "${value}"` : undefined;
  },
};

const device: Field = {
  expected: 'a block device: "/dev/sda" or "8:0"',
  optional: false,
  schema: { type: "string", pattern: "^(\\d+:\\d+|/.+)$" },
  complaint(value) {
    const complaint = text({ min: 1 }).complaint(value);
    if (complaint !== undefined) return complaint;
    return /^(\d+:\d+|\/.+)$/.test(value as string)
      ? undefined
      : `should be ${device.expected}, not "${value}"`;
  },
};

const count = () => either(integer(1), oneOf(["unlimited"]));

const limitFields = () => ({
  memory: optional(sizeOrNone),
  memoryHigh: optional(sizeOrNone),
  swap: optional(sizeOrNone),
  cpus: optional(cpus),
  cpuWeight: optional(integer(1, 10_000)),
  pids: optional(count()),
  io: optional(list(object({
    device,
    readBps: optional(sizeOrNone),
    writeBps: optional(sizeOrNone),
    readIops: optional(count()),
    writeIops: optional(count()),
  }))),
  cpuset: optional(cpuset),
} satisfies Record<keyof Limits, Field>);

/** How `limits` is checked and planned. */
export const limitsDefinition: StepDefinition<LimitsStep> = {
  step: "limits",
  get fields() {
    return limitFields();
  },
  plan(step, draft) {
    draft.limitTo(groupLimits(step, (why) => draft.refuse(why)));
  },
};

/**
 * Limits that come from outside of a recipe, checked.
 *
 * @throws {RecipeError} where one is wrong
 */
export function checkLimits(limits: Limits): GroupLimits {
  const refuse = (why: string): never => {
    throw new RecipeError(why);
  };
  const wrong = wrongField({ ...limits }, limitFields());
  if (wrong !== undefined) refuse(`the limit "${wrong.field}" ${wrong.complaint}`);
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

function bytesOf(value: string): number | undefined {
  const [, digits, unit] = SIZE.exec(value) ?? [];
  return digits === undefined ? undefined : Number(digits) * UNITS[unit!.toLowerCase()]!;
}

/** The numbers of a block device, which is what the kernel knows it by. */
function deviceNumbers(device: string, refuse: (why: string) => never): string {
  if (!device.startsWith("/")) return device;
  const told = statxOutput();
  try {
    const asked = { call: statx(at_fdcwd, device, 0, STATX_BASIC_STATS, told) };
    const view = performAll([asked]).output(told);
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
