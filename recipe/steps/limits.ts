/**
 * The step `limits`: how much of the machine the container may use. See cgroups(7).
 *
 * @module
 */

import { either, integer, list, object, oneOf, optional, type Schema, text } from "../schema.ts";
import type { StepDefinition } from "../check.ts";

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

const size: Schema = {
  expected: 'a number of bytes, or a string with a unit: "512k", "64m", "2g", "1t"',
  optional: false,
  schema: {
    anyOf: [integer().schema, { type: "string", pattern: "^\\d+[kmgtKMGT]?$" }],
  },
  issue(value) {
    const bytes = typeof value === "string" ? bytesOf(value) : value;
    if (typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= 0) return undefined;
    const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
    return `should be ${size.expected}, or "unlimited", not ${shown}`;
  },
};

const sizeOrNone: Schema = {
  ...size,
  schema: { anyOf: [{ enum: ["unlimited"] }, size.schema] },
  issue: (value) => value === "unlimited" ? undefined : size.issue(value),
};

const cpus: Schema = {
  expected: 'a number of processors from 0.01 on, or "unlimited"',
  optional: false,
  schema: {
    anyOf: [{ enum: ["unlimited"] }, { type: "number", minimum: 0.01, maximum: 1e6 }],
  },
  issue(value) {
    if (value === "unlimited") return undefined;
    if (typeof value === "number" && value >= 0.01 && value <= 1e6) return undefined;
    return `should be ${cpus.expected}, not ${JSON.stringify(value)}`;
  },
};

/** Whole numbers and ranges of them, as cpuset(7) lists them. */
const cpuset: Schema = {
  expected: 'a list of processors: "0-1,3"',
  optional: false,
  schema: { type: "string", pattern: "^\\d+(-\\d+)?(,\\d+(-\\d+)?)*$" },
  issue(value) {
    const issue = text({ min: 1 }).issue(value);
    if (issue !== undefined) return issue;
    const ranges = (value as string).split(",").map((range) => /^(\d+)(?:-(\d+))?$/.exec(range));
    const wrong = ranges.some((range) =>
      range === null || Number(range[2] ?? range[1]) < Number(range[1]) || Number(range[1]) > 65535
    );
    return wrong ? `should be ${cpuset.expected}, not "${value}"` : undefined;
  },
};

const device: Schema = {
  expected: 'a block device: "/dev/sda" or "8:0"',
  optional: false,
  schema: { type: "string", pattern: "^(\\d+:\\d+|/.+)$" },
  issue(value) {
    const issue = text({ min: 1 }).issue(value);
    if (issue !== undefined) return issue;
    return /^(\d+:\d+|\/.+)$/.test(value as string)
      ? undefined
      : `should be ${device.expected}, not "${value}"`;
  },
};

const count = () => either(integer(1), oneOf(["unlimited"]));

/** What each limit may hold. */
export const limitFields = (): Readonly<Record<keyof Limits, Schema>> => ({
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
});

/** How `limits` is checked and planned. */
export const limitsDefinition: StepDefinition<LimitsStep> = {
  step: "limits",
  get fields() {
    return limitFields();
  },
};

/** Shared with the lowering. */
export function bytesOf(value: string): number | undefined {
  const [, digits, unit] = SIZE.exec(value) ?? [];
  return digits === undefined ? undefined : Number(digits) * UNITS[unit!.toLowerCase()]!;
}
