/**
 * What a process gets of the machine, and how it sees it: `process.scheduler`, `process.ioPriority`,
 * `process.execCPUAffinity`, `linux.memoryPolicy` and `linux.personality`, as steps.
 *
 * @module
 */

import { isNumberList } from "../../recipe/number_list.ts";
import {
  cpuAffinity,
  ioPriority,
  type IoPriorityClass,
  memoryPolicy,
  type MemoryPolicyFlag,
  type MemoryPolicyMode,
  personality,
  type PersonalityDomain,
  type PersonalityFlag,
  scheduler,
  type SchedulerFlag,
  type SchedulerPolicy,
} from "../../recipe/steps/scheduling.ts";
import type { Step } from "../../recipe/steps.ts";
import { unsupported } from "../errors.ts";
import type { ConfigLinux, ConfigProcess, ConfigScheduler } from "../spec.ts";

/** The policies of `process.scheduler`, by their names in steps. */
export const SCHEDULER_POLICIES: Readonly<Record<SchedulerPolicy, string>> = {
  other: "SCHED_OTHER",
  batch: "SCHED_BATCH",
  idle: "SCHED_IDLE",
  fifo: "SCHED_FIFO",
  rr: "SCHED_RR",
  deadline: "SCHED_DEADLINE",
};

/** Its flags. */
export const SCHEDULER_FLAGS: Readonly<Record<SchedulerFlag, string>> = {
  "reset-on-fork": "SCHED_FLAG_RESET_ON_FORK",
  "reclaim": "SCHED_FLAG_RECLAIM",
  "dl-overrun": "SCHED_FLAG_DL_OVERRUN",
  "keep-policy": "SCHED_FLAG_KEEP_POLICY",
  "keep-params": "SCHED_FLAG_KEEP_PARAMS",
};

/** The flags for values that config.json has no fields for: they are 0. */
const CLAMPS: Readonly<Record<"utilMin" | "utilMax", string>> = {
  utilMin: "SCHED_FLAG_UTIL_CLAMP_MIN",
  utilMax: "SCHED_FLAG_UTIL_CLAMP_MAX",
};

/** The classes of `process.ioPriority`. */
export const IO_CLASSES: Readonly<Record<IoPriorityClass, string>> = {
  "realtime": "IOPRIO_CLASS_RT",
  "best-effort": "IOPRIO_CLASS_BE",
  "idle": "IOPRIO_CLASS_IDLE",
};

/** The modes of `linux.memoryPolicy`. */
export const MEMORY_MODES: Readonly<Record<MemoryPolicyMode, string>> = {
  "default": "MPOL_DEFAULT",
  "bind": "MPOL_BIND",
  "interleave": "MPOL_INTERLEAVE",
  "weighted-interleave": "MPOL_WEIGHTED_INTERLEAVE",
  "preferred": "MPOL_PREFERRED",
  "preferred-many": "MPOL_PREFERRED_MANY",
  "local": "MPOL_LOCAL",
};

/** Its flags. */
export const MEMORY_FLAGS: Readonly<Record<MemoryPolicyFlag, string>> = {
  "numa-balancing": "MPOL_F_NUMA_BALANCING",
  "relative-nodes": "MPOL_F_RELATIVE_NODES",
  "static-nodes": "MPOL_F_STATIC_NODES",
};

/** The domains of `linux.personality`. */
export const DOMAINS: Readonly<Record<PersonalityDomain, string>> = {
  linux: "LINUX",
  linux32: "LINUX32",
};

/** Its flags, of which the specification names none: the kernel's names. */
export const PERSONALITY_FLAGS: Readonly<Record<PersonalityFlag, string>> = {
  "uname-2.6": "UNAME26",
  "addr-no-randomize": "ADDR_NO_RANDOMIZE",
  "fdpic-funcptrs": "FDPIC_FUNCPTRS",
  "mmap-page-zero": "MMAP_PAGE_ZERO",
  "addr-compat-layout": "ADDR_COMPAT_LAYOUT",
  "read-implies-exec": "READ_IMPLIES_EXEC",
  "32bit": "ADDR_LIMIT_32BIT",
  "short-inode": "SHORT_INODE",
  "whole-seconds": "WHOLE_SECONDS",
  "sticky-timeouts": "STICKY_TIMEOUTS",
  "3gb": "ADDR_LIMIT_3GB",
};

/** Returns the steps for how a process and its input and output are scheduled. */
export function schedulingSteps({ scheduler: given, ioPriority: io }: ConfigProcess): Step[] {
  return [
    ...(given ? [schedulerStep(given)] : []),
    ...(io
      ? [ioPriority(
        named(IO_CLASSES, io.class, "process.ioPriority.class", "class"),
        inRange(io.priority ?? 0, 0, 7, "process.ioPriority.priority"),
      )]
      : []),
  ];
}

function schedulerStep(given: ConfigScheduler): Step {
  const field = "process.scheduler";
  const policy = named(SCHEDULER_POLICIES, given.policy, `${field}.policy`, "policy");
  const { flags = [], nice, priority, runtime, deadline, period } = given;
  const clamps = Object.entries(CLAMPS).filter(([, name]) => flags?.includes(name));
  const words = (flags ?? []).filter((name) => !Object.values(CLAMPS).includes(name))
    .map((name) => named(SCHEDULER_FLAGS, name, `${field}.flags`, "flag"));
  const isFixed = policy === "fifo" || policy === "rr";
  if (!isFixed && priority) {
    unsupported(`${field}.priority`, `only SCHED_FIFO and SCHED_RR have one; it has to be 0`);
  }
  if (policy === "deadline") checkDeadline(given, field);
  const isFair = policy === "other" || policy === "batch";
  return scheduler(policy, {
    // As the kernel does; the other policies do not look at it.
    ...(isFair && nice !== undefined && { nice: Math.max(-20, Math.min(19, nice)) }),
    ...(isFixed && { priority: inRange(priority ?? 0, 1, 99, `${field}.priority`) }),
    ...(policy === "deadline" && { runtime: runtime!, deadline: deadline! }),
    ...(policy === "deadline" && period && { period }),
    ...(words.length > 0 && { flags: words }),
    ...Object.fromEntries(clamps.map(([name]) => [name, 0])),
  });
}

/** The times that sched(7) wants of SCHED_DEADLINE, in nanoseconds. */
function checkDeadline({ runtime = 0, deadline = 0, period = 0 }: ConfigScheduler, field: string) {
  for (const [name, value] of Object.entries({ runtime, deadline, ...(period && { period }) })) {
    inRange(value, 1024, Number.MAX_SAFE_INTEGER, `${field}.${name}`);
  }
  if (runtime > deadline) unsupported(`${field}.runtime`, "it is more than the deadline");
  if (period && deadline > period) unsupported(`${field}.deadline`, "it is more than the period");
}

/** Returns the steps for the memory of a container, and for how it sees the kernel. */
export function memorySteps({ memoryPolicy: memory, personality: given }: ConfigLinux): Step[] {
  const steps: Step[] = [];
  if (given) {
    const domain = named(DOMAINS, given.domain ?? "", "linux.personality.domain", "domain");
    const flags = (given.flags ?? []).map((name) =>
      named(PERSONALITY_FLAGS, name, "linux.personality.flags", "flag")
    );
    steps.push(personality(domain, flags.length > 0 ? { flags } : {}));
  }
  if (memory) {
    const field = "linux.memoryPolicy";
    const mode = named(MEMORY_MODES, memory.mode, `${field}.mode`, "mode");
    const nodes = numbers(memory.nodes, `${field}.nodes`, 1023);
    const flags = (memory.flags ?? []).map((name) =>
      named(MEMORY_FLAGS, name, `${field}.flags`, "flag")
    );
    steps.push(memoryPolicy(mode, {
      ...(nodes !== undefined && { nodes }),
      ...(flags.length > 0 && { flags }),
    }));
  }
  return steps;
}

/** Returns the step for the processors of what `exec` starts, in or before the control group. */
export function affinitySteps(
  { execCPUAffinity }: ConfigProcess,
  when: "initial" | "final",
): Step[] {
  const cpus = numbers(execCPUAffinity?.[when], `process.execCPUAffinity.${when}`, 8191);
  return cpus === undefined ? [] : [cpuAffinity(cpus)];
}

/** Returns a list of numbers without the spaces and the empty parts that it may have. */
function numbers(list: string | undefined, field: string, greatest: number): string | undefined {
  const whole = (list ?? "").replaceAll(/\s+/g, "").split(",").filter(Boolean).join(",");
  if (whole === "") return undefined;
  return isNumberList(whole, greatest)
    ? whole
    : unsupported(field, `${JSON.stringify(list)} is no list of numbers, such as "0-3,7"`);
}

/** Returns the step's word for a name. */
function named<Word extends string>(
  names: Readonly<Record<Word, string>>,
  name: string,
  field: string,
  kind: string,
): Word {
  const entry = Object.entries(names).find(([, known]) => known === name);
  return (entry?.[0] as Word | undefined) ??
    unsupported(field, `linux has no ${kind} ${JSON.stringify(name)}`);
}

function inRange(value: number, least: number, greatest: number, field: string): number {
  const holds = Number.isInteger(value) && value >= least && value <= greatest;
  return holds ? value : unsupported(field, `${value} is not from ${least} to ${greatest}`);
}
