/**
 * The step `limits`: how much of the machine the container may use. See cgroups(7).
 *
 * @module
 */

import { isNumberList, NUMBER_LIST } from "../number_list.ts";
import {
  either,
  integer,
  type JsonSchema,
  lazy,
  list,
  object,
  oneOf,
  optional,
  type Schema,
  schema,
  type Schemas,
  text,
} from "../schema.ts";
import { quoted, shown } from "../shown.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** A number of bytes, or a string with a unit, of 1024 each: `"512k"`, `"64m"`, `"2g"`, `"1t"`. */
export type Size = number | string;

/** How much of the machine a container may use. Whatever is left out is not limited. */
export interface Limits {
  /** Memory with the page cache. When a container needs more, one of its processes is killed. */
  readonly memory?: Size | "unlimited";
  /** Memory above which the container is slowed down and has to free some. cgroup v2 only. */
  readonly memoryHigh?: Size | "unlimited";
  /** Swap. cgroup v1 limits the sum with `memory`, and then needs `memory` too. */
  readonly swap?: Size | "unlimited";
  /** The number of processors whose time it may use: 1.5, for one and a half. At least 0.01. */
  readonly cpus?: number | "unlimited";
  /** The share of the processors when others need them too: 1 to 10000; 100 is the default. */
  readonly cpuWeight?: number;
  /** The number of processes and threads, the container's init included. */
  readonly pids?: number | "unlimited";
  /** The use of block devices. */
  readonly io?: readonly IoLimits[];
  /** The processors by their numbers: `"0-1,3"`. */
  readonly cpuset?: string;
}

/** How much of a block device a container may use. Whatever is left out is not limited. */
export interface IoLimits {
  /** A whole disk, by its file, `"/dev/sda"`, or by its numbers, `"8:0"`. */
  readonly device: string;
  /** Bytes read per second. */
  readonly readBps?: Size | "unlimited";
  /** Bytes written per second. */
  readonly writeBps?: Size | "unlimited";
  /** Read operations per second. */
  readonly readIops?: number | "unlimited";
  /** Write operations per second. */
  readonly writeIops?: number | "unlimited";
}

/** Limits how much of the machine the container may use. */
export interface LimitsStep extends Limits {
  /** The name of the step. */
  readonly step: "limits";
}

/**
 * Gives the container a control group, with limits or without. It applies to the whole container
 * from the start, wherever the step is in the recipe; with `unshare("cgroup")`, the container sees
 * its own group as the root.
 *
 * The methods `usage()`, `pause()`, `resume()` and `update()` of a running container need the
 * group. It is removed when the program has ended; processes that the program has left running are
 * killed. An ordinary user needs a group that was delegated to them: `systemd-run --user --scope -p
 * Delegate=yes deno run --allow-ffi ...`.
 *
 * @throws {RecipeError} when it is planned after another one, or for a device that does not exist
 * or is not a block device
 * @throws {UnsupportedError} when it is run where a limit cannot be set, with the reason and a fix
 * @throws {SyscallError} when it is run: `ENOMEM` where the memory is too little for the program to
 * start
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

/** The bytes that each unit of a size stands for. */
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

/** The number of bytes that a string with a unit means; `undefined` for any other string. */
export function bytesOf(size: string): number | undefined {
  const [, digits, unit] = /^(\d+)([kmgt]?)$/i.exec(size) ?? [];
  return digits === undefined ? undefined : Number(digits) * UNITS[unit!.toLowerCase()]!;
}

/** Returns the number of a limit that was checked; infinity for `"unlimited"`. */
export function numberOf(value: Size | "unlimited"): number {
  if (typeof value === "number") return value;
  return value === "unlimited" ? Infinity : bytesOf(value)!;
}

function isSize(value: unknown, min: number): boolean {
  const bytes = typeof value === "string" ? bytesOf(value) : value;
  return typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= min;
}

function isCpus(value: unknown): boolean {
  return typeof value === "number" && value >= 0.01 && value <= 1e6;
}

/** A value that passes the check, or `"unlimited"`. */
function limit(
  expected: string,
  holds: (value: unknown) => boolean,
  ...json: readonly JsonSchema[]
): Schema {
  const whole = `${expected}, or "unlimited"`;
  return optional(schema(
    whole,
    (value) =>
      value === "unlimited" || holds(value) ? undefined : `should be ${whole}, not ${shown(value)}`,
    () => ({ anyOf: [{ enum: ["unlimited"] }, ...json] }),
  ));
}

/** A number of bytes, from `min` on. */
function sizeFrom(min: number): Schema {
  const bytes = min === 0 ? "a number of bytes" : "a number of bytes from 1 on";
  return limit(
    `${bytes}, or a string with a unit: "512k", "64m", "2g", "1t"`,
    (value) => isSize(value, min),
    integer(min).jsonSchema(),
    { type: "string", pattern: "^\\d+[kmgtKMGT]?$" },
  );
}

/** A string that passes the check. */
function textThat(expected: string, holds: (text: string) => boolean, pattern: string): Schema {
  return text({
    expected,
    min: 1,
    pattern,
    issue: (text) => holds(text) ? undefined : `should be ${expected}, not ${quoted(text)}`,
  });
}

/** What each limit may be. */
export const limitFields: () => Schemas<Limits> = lazy(() => {
  const size = sizeFrom(0);
  const count = optional(either(integer(1), oneOf(["unlimited"])));
  const io = object({
    device: textThat(
      'a block device: "/dev/sda" or "8:0"',
      (device) => /^(\d+:\d+|\/.+)$/.test(device),
      "^(\\d+:\\d+|/.+)$",
    ),
    readBps: size,
    writeBps: size,
    readIops: count,
    writeIops: count,
  });
  return {
    // A group without any memory ends each process as it enters.
    memory: sizeFrom(1),
    memoryHigh: size,
    swap: size,
    cpus: limit("a number of processors from 0.01 on", isCpus, {
      type: "number",
      minimum: 0.01,
      maximum: 1e6,
    }),
    cpuWeight: optional(integer(1, 10_000)),
    pids: count,
    io: optional(list(io)),
    cpuset: optional(
      textThat(
        'a list of processors: "0-1,3"',
        (list) => isNumberList(list, 65_535),
        NUMBER_LIST,
      ),
    ),
  };
});

/** What the data of `limits` may be. */
export const limitsSchema: StepSchema<LimitsStep> = stepSchema("limits", limitFields);
