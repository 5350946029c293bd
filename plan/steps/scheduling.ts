/**
 * Lowers the steps `scheduler`, `ioPriority`, `cpuAffinity`, `memoryPolicy` and `personality`.
 *
 * @module
 */

import { type Call, type Pid, Struct } from "../../ffi/call.ts";
import {
  IOPRIO_CLASSES,
  MPOL_FLAGS,
  MPOL_MODES,
  PERSONALITY_DOMAINS,
  PERSONALITY_FLAGS,
  SCHED_FLAGS,
  SCHED_POLICIES,
} from "../../ffi/calls/constants/scheduling.ts";
import { sched_setaffinity } from "../../ffi/calls/processors.ts";
import {
  bitMask,
  ioprio_set,
  personality,
  sched_setattr,
  set_mempolicy,
} from "../../ffi/calls/scheduling.ts";
import type { Fixes } from "../../ffi/fix.ts";
import { numbersIn } from "../../recipe/number_list.ts";
import type {
  CpuAffinityStep,
  IoPriorityClass,
  IoPriorityStep,
  MemoryPolicyFlag,
  MemoryPolicyMode,
  MemoryPolicyStep,
  PersonalityDomain,
  PersonalityFlag,
  PersonalityStep,
  SchedulerFlag,
  SchedulerPolicy,
  SchedulerStep,
} from "../../recipe/steps/scheduling.ts";
import type { PlanBuilder } from "../builder.ts";

const POLICY: Readonly<Record<SchedulerPolicy, number>> = {
  other: SCHED_POLICIES.SCHED_OTHER,
  batch: SCHED_POLICIES.SCHED_BATCH,
  idle: SCHED_POLICIES.SCHED_IDLE,
  fifo: SCHED_POLICIES.SCHED_FIFO,
  rr: SCHED_POLICIES.SCHED_RR,
  deadline: SCHED_POLICIES.SCHED_DEADLINE,
};

const POLICY_FLAG: Readonly<Record<SchedulerFlag, number>> = {
  "reset-on-fork": SCHED_FLAGS.SCHED_FLAG_RESET_ON_FORK,
  "reclaim": SCHED_FLAGS.SCHED_FLAG_RECLAIM,
  "dl-overrun": SCHED_FLAGS.SCHED_FLAG_DL_OVERRUN,
  "keep-policy": SCHED_FLAGS.SCHED_FLAG_KEEP_POLICY,
  "keep-params": SCHED_FLAGS.SCHED_FLAG_KEEP_PARAMS,
};

const SCHEDULER_FIXES: Fixes = {
  EPERM: "to come before other programs takes CAP_SYS_NICE on the host itself, and in a control " +
    "group of version 1 time for it: cpu.rt_runtime_us",
  EBUSY: "the processors cannot promise that much time in each period",
  EOPNOTSUPP: "this kernel does not choose frequencies by utilization (CONFIG_UCLAMP_TASK)",
};

/** Lowers `scheduler`. */
export function lowerScheduler(step: SchedulerStep, plan: PlanBuilder): void {
  const { step: _, policy, flags = [], ...numbers } = step;
  const { utilMin, utilMax, nice = 0 } = numbers;
  const bits = sumOf(flags, POLICY_FLAG) +
    (utilMin === undefined ? 0 : SCHED_FLAGS.SCHED_FLAG_UTIL_CLAMP_MIN) +
    (utilMax === undefined ? 0 : SCHED_FLAGS.SCHED_FLAG_UTIL_CLAMP_MAX);
  const attributes = { policy: POLICY[policy], flags: bits, ...numbers };
  const isFirst = nice < 0 || ["fifo", "rr", "deadline"].includes(policy);
  callAs(plan, isFirst, (pid) => sched_setattr(pid, attributes), SCHEDULER_FIXES);
}

const IO_CLASS: Readonly<Record<IoPriorityClass, number>> = {
  realtime: IOPRIO_CLASSES.IOPRIO_CLASS_RT,
  "best-effort": IOPRIO_CLASSES.IOPRIO_CLASS_BE,
  idle: IOPRIO_CLASSES.IOPRIO_CLASS_IDLE,
};

/** Lowers `ioPriority`. */
export function lowerIoPriority(step: IoPriorityStep, plan: PlanBuilder): void {
  const set = (pid: Pid) => ioprio_set(pid, IO_CLASS[step.class], step.priority);
  callAs(plan, step.class === "realtime", set, {
    EPERM: '"realtime" takes CAP_SYS_NICE on the host itself',
  });
}

/**
 * Adds a call about the process. One that takes a capability on the host is the script's where the
 * container has a user namespace, which gives none.
 */
function callAs(
  plan: PlanBuilder,
  isPrivileged: boolean,
  make: (pid: Pid) => Call,
  fixes: Fixes,
): void {
  const { caller, inUserNamespace } = plan.state;
  // An ordinary user may have it by an rlimit.
  if (isPrivileged) plan.access.recordPriority();
  if (isPrivileged && caller.euid === 0 && inUserNamespace) {
    return plan.syncWithParent(({ number }) => [{ calls: [{ call: make(number), fixes }] }]);
  }
  plan.call(make(0), { fixes });
}

/** Lowers `cpuAffinity`. */
export function lowerCpuAffinity({ cpus }: CpuAffinityStep, plan: PlanBuilder): void {
  const mask = new Struct(bitMask(numbersIn(cpus)), `[${cpus}]`);
  plan.call(sched_setaffinity(0, mask), {
    fixes: { EINVAL: `neither the machine nor the control group has a processor of ${cpus}` },
  });
}

const MODE: Readonly<Record<MemoryPolicyMode, number>> = {
  default: MPOL_MODES.MPOL_DEFAULT,
  preferred: MPOL_MODES.MPOL_PREFERRED,
  bind: MPOL_MODES.MPOL_BIND,
  interleave: MPOL_MODES.MPOL_INTERLEAVE,
  local: MPOL_MODES.MPOL_LOCAL,
  "preferred-many": MPOL_MODES.MPOL_PREFERRED_MANY,
  "weighted-interleave": MPOL_MODES.MPOL_WEIGHTED_INTERLEAVE,
};

const MODE_FLAG: Readonly<Record<MemoryPolicyFlag, number>> = {
  "numa-balancing": MPOL_FLAGS.MPOL_F_NUMA_BALANCING,
  "relative-nodes": MPOL_FLAGS.MPOL_F_RELATIVE_NODES,
  "static-nodes": MPOL_FLAGS.MPOL_F_STATIC_NODES,
};

/** Lowers `memoryPolicy`. */
export function lowerMemoryPolicy(step: MemoryPolicyStep, plan: PlanBuilder): void {
  const { mode, nodes, flags = [] } = step;
  const numbers = nodes === undefined ? [] : numbersIn(nodes);
  plan.call(set_mempolicy(MODE[mode], sumOf(flags, MODE_FLAG), numbers), {
    fixes: {
      EINVAL: "the machine has none of these nodes, or the kernel does not know this mode with " +
        "these flags",
      ENOSYS: "this kernel knows no nodes of memory (CONFIG_NUMA)",
    },
  });
}

const DOMAIN: Readonly<Record<PersonalityDomain, number>> = {
  linux: PERSONALITY_DOMAINS.PER_LINUX,
  linux32: PERSONALITY_DOMAINS.PER_LINUX32,
};

const PERSONALITY_FLAG: Readonly<Record<PersonalityFlag, number>> = {
  "uname-2.6": PERSONALITY_FLAGS.UNAME26,
  "addr-no-randomize": PERSONALITY_FLAGS.ADDR_NO_RANDOMIZE,
  "fdpic-funcptrs": PERSONALITY_FLAGS.FDPIC_FUNCPTRS,
  "mmap-page-zero": PERSONALITY_FLAGS.MMAP_PAGE_ZERO,
  "addr-compat-layout": PERSONALITY_FLAGS.ADDR_COMPAT_LAYOUT,
  "read-implies-exec": PERSONALITY_FLAGS.READ_IMPLIES_EXEC,
  "32bit": PERSONALITY_FLAGS.ADDR_LIMIT_32BIT,
  "short-inode": PERSONALITY_FLAGS.SHORT_INODE,
  "whole-seconds": PERSONALITY_FLAGS.WHOLE_SECONDS,
  "sticky-timeouts": PERSONALITY_FLAGS.STICKY_TIMEOUTS,
  "3gb": PERSONALITY_FLAGS.ADDR_LIMIT_3GB,
};

/** Lowers `personality`. */
export function lowerPersonality(step: PersonalityStep, plan: PlanBuilder): void {
  const { domain, flags = [] } = step;
  plan.call(personality(DOMAIN[domain], sumOf(flags, PERSONALITY_FLAG)), {
    fixes: { EINVAL: "the processor runs no programs of 32 bits" },
  });
}

/** Adds up the flags of these names. */
function sumOf<Name extends string>(
  names: readonly Name[],
  values: Readonly<Record<Name, number>>,
): number {
  return [...new Set(names)].reduce((sum, name) => sum + values[name], 0);
}
