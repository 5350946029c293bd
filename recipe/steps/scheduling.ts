/**
 * The steps about what a program gets of the machine, and how it sees it: `scheduler`,
 * `ioPriority`, `cpuAffinity`, `memoryPolicy` and `personality`.
 *
 * @module
 */

import { isNumberList, NUMBER_LIST } from "../number_list.ts";
import { integer, list, oneOf, optional, type Schema, text, withDefault } from "../schema.ts";
import { quoted } from "../shown.ts";
import { type StepSchema, stepSchema } from "../step_schema.ts";

/** A policy of the scheduler, by the name that chrt(1) has for it. */
export type SchedulerPolicy = "other" | "batch" | "idle" | "fifo" | "rr" | "deadline";

/** A flag of sched_setattr(2). */
export type SchedulerFlag =
  | "reset-on-fork"
  | "reclaim"
  | "dl-overrun"
  | "keep-policy"
  | "keep-params";

const POLICIES: readonly SchedulerPolicy[] = ["other", "batch", "idle", "fifo", "rr", "deadline"];

const FLAGS: readonly SchedulerFlag[] = [
  "reset-on-fork",
  "reclaim",
  "dl-overrun",
  "keep-policy",
  "keep-params",
];

/** Sets how the program is scheduled. */
export interface SchedulerStep extends SchedulerOptions {
  /** The name of the step. */
  readonly step: "scheduler";
  /** The policy. */
  readonly policy: SchedulerPolicy;
}

/** Options of {@linkcode scheduler}. */
export interface SchedulerOptions {
  /**
   * With `"other"` and `"batch"`: from -20, for more of the processors than others get, to 19.
   *
   * @default {0}
   */
  readonly nice?: number;
  /** With `"fifo"` and `"rr"`, which need it: from 1 to 99, which is first. */
  readonly priority?: number;
  /** With `"deadline"`: how long the program runs in each period, in nanoseconds. */
  readonly runtime?: number;
  /** With `"deadline"`: in which time of each period it has run so long, in nanoseconds. */
  readonly deadline?: number;
  /**
   * With `"deadline"`: how long a period is, in nanoseconds.
   *
   * @default {the `deadline`}
   */
  readonly period?: number;
  /** Flags of sched_setattr(2): `"reset-on-fork"` keeps what the program starts out of it. */
  readonly flags?: readonly SchedulerFlag[];
  /** The least utilization that the processor's frequency is chosen for: to 1024, which is all. */
  readonly utilMin?: number;
  /** The greatest one. */
  readonly utilMax?: number;
}

/**
 * Sets how the program is scheduled, and what it starts, as chrt(1) and nice(1) do:
 * `scheduler("idle")` runs it when no other program wants the processor, `scheduler("batch")` and a
 * `nice` value of up to 19 behind others. A `nice` value below the script's own, and the policies
 * `"fifo"`, `"rr"` and `"deadline"`, which come before all others, need CAP_SYS_NICE on the host, or
 * for the first three an rlimit (`"nice"`, `"rtprio"`). In a user namespace the script does it, if
 * it is root. See sched(7).
 *
 * A program of the policy `"deadline"` cannot start others without the flag `"reset-on-fork"`.
 *
 * @throws {RecipeError} where the policy lacks what it needs, or has what belongs to another
 * @throws {SyscallError} when it is run: `EPERM` without CAP_SYS_NICE on the host, and where the
 * control group has no time for such programs (cpu.rt_runtime_us); `EBUSY` where the processors
 * cannot promise the time of `"deadline"`; `EOPNOTSUPP` for `utilMin` and `utilMax` where the kernel
 * does not have them
 *
 * @example
 * ```ts
 * import { recipe, scheduler } from "@ramekin/ramekin";
 *
 * const { stdout } = await recipe(scheduler("batch", { nice: 5 })).command("nice").output();
 * console.log(new TextDecoder().decode(stdout)); // 5
 * ```
 */
export function scheduler(policy: SchedulerPolicy, options: SchedulerOptions = {}): SchedulerStep {
  return { step: "scheduler", policy, ...options };
}

/** What the data of `scheduler` may be. */
export const schedulerSchema: StepSchema<SchedulerStep> = stepSchema("scheduler", () => {
  // Less is refused, and the first bit is the kernel's (sched(7)).
  const time = optional(integer(1024));
  return {
    policy: oneOf(POLICIES),
    nice: optional(integer(-20, 19)),
    priority: optional(integer(1, 99)),
    runtime: time,
    deadline: time,
    period: time,
    flags: optional(list(oneOf(FLAGS))),
    utilMin: optional(integer(0, 1024)),
    utilMax: optional(integer(0, 1024)),
  };
}, schedulerIssue);

function schedulerIssue(step: SchedulerStep): string | undefined {
  const { policy, nice, priority, runtime, deadline, period } = step;
  const isFixed = policy === "fifo" || policy === "rr";
  if (isFixed && priority === undefined) return `"${policy}" needs a "priority", from 1 to 99`;
  if (!isFixed && priority !== undefined) {
    return `"priority" is for "fifo" and "rr"; "other" and "batch" have "nice"`;
  }
  if (nice !== undefined && policy !== "other" && policy !== "batch") {
    return `"nice" is for "other" and "batch"`;
  }
  if (policy !== "deadline") {
    const isGiven = [runtime, deadline, period].some((time) => time !== undefined);
    return isGiven ? `"runtime", "deadline" and "period" are for "deadline"` : undefined;
  }
  if (runtime === undefined || deadline === undefined) {
    return `"deadline" needs "runtime" and "deadline", in nanoseconds`;
  }
  const isOrdered = runtime <= deadline && deadline <= (period ?? deadline);
  return isOrdered ? undefined : `"runtime" is at most "deadline", and that at most "period"`;
}

/** A class of input and output, by the name that ionice(1) has for it. */
export type IoPriorityClass = "realtime" | "best-effort" | "idle";

const IO_CLASSES: readonly IoPriorityClass[] = ["realtime", "best-effort", "idle"];

/** Sets which input and output comes first. */
export interface IoPriorityStep {
  /** The name of the step. */
  readonly step: "ioPriority";
  /** The class. */
  readonly class: IoPriorityClass;
  /** The priority within it: from 0, which is first, to 7. `"idle"` has none. */
  readonly priority: number;
}

/**
 * Sets when the program's input and output of disks has its turn, and that of what it starts, as
 * ionice(1) does: `ioPriority("idle")` when nobody else wants the disk, `ioPriority("best-effort", 7)`
 * behind others. `"realtime"`, before all others, needs CAP_SYS_NICE or CAP_SYS_ADMIN on the host; in
 * a user namespace the script does it, if it is root. Only some schedulers of disks look at it (bfq,
 * mq-deadline). See ioprio_set(2).
 *
 * @throws {SyscallError} when it is run: `EPERM` for `"realtime"` without CAP_SYS_NICE on the host
 *
 * @example
 * ```ts
 * import { ioPriority, recipe } from "@ramekin/ramekin";
 *
 * const { stdout } = await recipe(ioPriority("idle")).command("ionice").output();
 * console.log(new TextDecoder().decode(stdout)); // idle
 * ```
 */
export function ioPriority(ioClass: IoPriorityClass, priority = 0): IoPriorityStep {
  return { step: "ioPriority", class: ioClass, priority };
}

/** What the data of `ioPriority` may be. */
export const ioPrioritySchema: StepSchema<IoPriorityStep> = stepSchema("ioPriority", () => ({
  class: oneOf(IO_CLASSES),
  priority: withDefault(integer(0, 7), 0),
}));

/** Sets the processors that the program may run on. */
export interface CpuAffinityStep {
  /** The name of the step. */
  readonly step: "cpuAffinity";
  /** The processors: `"0-3,7"`. */
  readonly cpus: string;
}

/** The kernel knows at most 8192 processors (NR_CPUS). */
const GREATEST_CPU = 8191;

/**
 * Sets the processors that the program runs on, and what it starts, as taskset(1) does:
 * `cpuAffinity("0-3,7")`. It can choose others itself; those that it cannot have otherwise are the
 * limit `cpuset` of `limits()`. Needs no privilege. See sched_setaffinity(2).
 *
 * @throws {SyscallError} when it is run: `EINVAL` where the machine, or the control group, has none
 * of these processors
 *
 * @example
 * ```ts
 * import { cpuAffinity, recipe } from "@ramekin/ramekin";
 *
 * const { stdout } = await recipe(cpuAffinity("0")).command("nproc").output();
 * console.log(new TextDecoder().decode(stdout)); // 1
 * ```
 */
export function cpuAffinity(cpus: string): CpuAffinityStep {
  return { step: "cpuAffinity", cpus };
}

/** What the data of `cpuAffinity` may be. */
export const cpuAffinitySchema: StepSchema<CpuAffinityStep> = stepSchema("cpuAffinity", () => ({
  cpus: numberList('a list of processors: "0-3,7"', GREATEST_CPU),
}));

function numberList(expected: string, greatest: number): Schema {
  return text({
    expected,
    min: 1,
    pattern: NUMBER_LIST,
    issue: (words) =>
      isNumberList(words, greatest) ? undefined : `should be ${expected}, not ${quoted(words)}`,
  });
}

/** A mode of set_mempolicy(2). */
export type MemoryPolicyMode =
  | "default"
  | "preferred"
  | "bind"
  | "interleave"
  | "local"
  | "preferred-many"
  | "weighted-interleave";

/** A flag of set_mempolicy(2). */
export type MemoryPolicyFlag = "numa-balancing" | "relative-nodes" | "static-nodes";

const MODES: readonly MemoryPolicyMode[] = [
  "default",
  "preferred",
  "bind",
  "interleave",
  "local",
  "preferred-many",
  "weighted-interleave",
];

const MEMORY_FLAGS: readonly MemoryPolicyFlag[] = [
  "numa-balancing",
  "relative-nodes",
  "static-nodes",
];

/** Sets which memory the program gets. */
export interface MemoryPolicyStep extends MemoryPolicyOptions {
  /** The name of the step. */
  readonly step: "memoryPolicy";
  /** The mode. */
  readonly mode: MemoryPolicyMode;
}

/** Options of {@linkcode memoryPolicy}. */
export interface MemoryPolicyOptions {
  /** The nodes of memory: `"0-1,3"`. `"default"` and `"local"` have none. */
  readonly nodes?: string;
  /** What the nodes mean where the program may not use all: flags of set_mempolicy(2). */
  readonly flags?: readonly MemoryPolicyFlag[];
}

/** The kernel knows at most 1024 nodes (MAX_NUMNODES). */
const GREATEST_NODE = 1023;

/**
 * Sets from which nodes of memory the program's comes, and that of what it starts, on machines that
 * have several (NUMA), as numactl(8) does: `memoryPolicy("bind", { nodes: "0" })`. It can choose
 * others itself. Needs no privilege. See set_mempolicy(2).
 *
 * @throws {RecipeError} where the mode has nodes that it does not take, or lacks those that it needs
 * @throws {SyscallError} when it is run: `EINVAL` where the machine, or the control group, has none
 * of these nodes, or the kernel does not know the mode; `ENOSYS` for a kernel without NUMA
 *
 * @example
 * ```ts
 * import { memoryPolicy, recipe } from "@ramekin/ramekin";
 *
 * const box = recipe(memoryPolicy("bind", { nodes: "0" }));
 * const { stdout } = await box.command("head", { args: ["-n", "1", "/proc/self/numa_maps"] })
 *   .output();
 * console.log(/ bind:0 /.test(new TextDecoder().decode(stdout))); // true
 * ```
 */
export function memoryPolicy(
  mode: MemoryPolicyMode,
  options: MemoryPolicyOptions = {},
): MemoryPolicyStep {
  return { step: "memoryPolicy", mode, ...options };
}

/** What the data of `memoryPolicy` may be. */
export const memoryPolicySchema: StepSchema<MemoryPolicyStep> = stepSchema(
  "memoryPolicy",
  () => ({
    mode: oneOf(MODES),
    nodes: optional(numberList('a list of nodes: "0-1,3"', GREATEST_NODE)),
    flags: optional(list(oneOf(MEMORY_FLAGS))),
  }),
  ({ mode, nodes }) => {
    const takesNone = mode === "default" || mode === "local";
    if (takesNone && nodes !== undefined) return `"${mode}" takes no "nodes"`;
    // Without nodes "preferred" is "local".
    const needsSome = !takesNone && mode !== "preferred";
    return needsSome && nodes === undefined ? `"${mode}" needs "nodes"` : undefined;
  },
);

/** How the program sees the kernel: as on a machine of 64 bits, or of 32. */
export type PersonalityDomain = "linux" | "linux32";

/** A flag of personality(2), by the name that setarch(8) has for it. */
export type PersonalityFlag =
  | "uname-2.6"
  | "addr-no-randomize"
  | "fdpic-funcptrs"
  | "mmap-page-zero"
  | "addr-compat-layout"
  | "read-implies-exec"
  | "32bit"
  | "short-inode"
  | "whole-seconds"
  | "sticky-timeouts"
  | "3gb";

const PERSONALITY_FLAGS: readonly PersonalityFlag[] = [
  "uname-2.6",
  "addr-no-randomize",
  "fdpic-funcptrs",
  "mmap-page-zero",
  "addr-compat-layout",
  "read-implies-exec",
  "32bit",
  "short-inode",
  "whole-seconds",
  "sticky-timeouts",
  "3gb",
];

/** Sets how the program sees the kernel. */
export interface PersonalityStep extends PersonalityOptions {
  /** The name of the step. */
  readonly step: "personality";
  /** The domain. */
  readonly domain: PersonalityDomain;
}

/** Options of {@linkcode personality}. */
export interface PersonalityOptions {
  /** Flags of personality(2): `"addr-no-randomize"` gives a program the same addresses each time. */
  readonly flags?: readonly PersonalityFlag[];
}

/**
 * Sets how the program, and what it starts, sees the kernel, as setarch(8) does:
 * `personality("linux32")` makes uname(2) tell a machine of 32 bits, for builds of such programs, and
 * `personality("linux", { flags: ["addr-no-randomize"] })` gives it the same addresses each time, for
 * debuggers. Some flags make a program easier to attack. Needs no privilege. See personality(2).
 *
 * @throws {SyscallError} when it is run: `EINVAL` for `"linux32"` on a machine whose processor runs
 * no programs of 32 bits
 *
 * @example
 * ```ts
 * import { personality, recipe } from "@ramekin/ramekin";
 *
 * const box = recipe(personality("linux", { flags: ["addr-no-randomize"] }));
 * const { stdout } = await box.command("cat", { args: ["/proc/self/personality"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // 00040000
 * ```
 */
export function personality(
  domain: PersonalityDomain,
  options: PersonalityOptions = {},
): PersonalityStep {
  return { step: "personality", domain, ...options };
}

/** What the data of `personality` may be. */
export const personalitySchema: StepSchema<PersonalityStep> = stepSchema("personality", () => ({
  domain: oneOf(["linux", "linux32"]),
  flags: optional(list(oneOf(PERSONALITY_FLAGS))),
}));
