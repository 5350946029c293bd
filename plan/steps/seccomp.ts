/**
 * Lowers the step `seccomp`.
 *
 * @module
 */

import type { Call } from "../../ffi/call.ts";
import {
  SECCOMP_FILTER_FLAGS,
  seccompSetFilter,
  seccompSetListener,
} from "../../ffi/calls/seccomp.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { observing } from "../../ffi/seccomp/observe.ts";
import { OBSERVED_CALLS } from "../../ffi/seccomp/path_calls.ts";
import { atLeast } from "../../host/host.ts";
import {
  compileFilter,
  OTHER_ABIS,
  RuleIndex,
  SECCOMP_RET,
  type SyscallFilter,
} from "../../ffi/seccomp/filter.ts";
import { deniesKernelCalls, deniesUnixSockets } from "../access/kernel_calls.ts";
import type { PlanBuilder } from "../builder.ts";
import { allowMore, DEFAULT_SECCOMP_PROFILE } from "../../recipe/seccomp_default.ts";
import { denyMore } from "../../recipe/seccomp_denials.ts";
import {
  abisOf,
  asksListener,
  filterOf,
  type SeccompFlag,
  type SeccompProfile,
} from "../../recipe/seccomp_profile.ts";
import type { SeccompStep } from "../../recipe/steps/seccomp.ts";
import { SECCOMP_FILTERS } from "./seccomp_filters.ts";

/** Lowers `seccomp`. */
export function lowerSeccomp(step: SeccompStep, plan: PlanBuilder): void {
  const flagBits = flagBitsOf(step.profile?.flags ?? []);
  const { program, isContained, deniesSockets, allowsSealed } = filterFor(step, plan);
  if (isContained) plan.access.filtered = true;
  if (deniesSockets) plan.access.deniesSockets = true;
  if (step.privileged !== true) plan.setNoNewPrivileges();
  const isAsked = step.profile !== undefined && asksListener(step.profile);
  const call = isAsked
    ? setAskingFilter(program, step.profile, plan)
    : setFilter(program, flagBits, plan);
  if (!allowsSealed) plan.lateFilters.add(call);
  plan.beforeExec(call, {
    EBUSY: "the filter of an outer container has a listener, and the kernel takes no second one",
    EINVAL: "this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)",
    EPERM: "an active filter does not allow another one",
    EACCES: "a filter under which privileges can be gained takes CAP_SYS_ADMIN",
    ENOMEM: "the active filters are too long together",
  });
  if (step.privileged === true) plan.finishes();
}

/** Sets the filter; the first one of an audited container tells the script of calls. */
function setFilter(
  program: Uint8Array<ArrayBuffer>,
  flagBits: number,
  plan: PlanBuilder,
): Call {
  if (plan.options.audit !== true || plan.notifier !== undefined) {
    return seccompSetFilter(program, flagBits);
  }
  const { architecture } = plan.host;
  const known = allSyscalls(architecture);
  const numbers = OBSERVED_CALLS.flatMap((name) => known.get(name) ?? []);
  const observed = observing(program, numbers, architecture);
  const waitsKillable = atLeast(plan.host.kernel(), { major: 5, minor: 19 });
  const call = seccompSetListener(observed, flagBits, waitsKillable);
  plan.notifier = { call, filter: program };
  return call;
}

/** Sets a filter whose listener goes to whoever launches, and on from there. */
function setAskingFilter(
  program: Uint8Array<ArrayBuffer>,
  { flags = [], ...profile }: SeccompProfile,
  plan: PlanBuilder,
): Call {
  const { takeListener } = plan.options;
  if (takeListener === undefined || plan.notifier !== undefined) {
    plan.refuse(
      "SCMP_ACT_NOTIFY asks a listener, which only containers of the OCI runtime have " +
        "(linux.seccomp.listenerPath), and one of it",
    );
  }
  const early = disallowed(filterOf(profile), PASSING);
  if (early !== undefined) {
    plan.refuse(`the profile does not allow ${early}, by which its listener is passed on`);
  }
  const waitsKillable = flags.includes("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
  const call = seccompSetListener(program, flagBitsOf(flags), waitsKillable);
  plan.notifier = { call, filter: program, take: takeListener };
  return call;
}

function flagBitsOf(flags: readonly SeccompFlag[]): number {
  return Object.entries(SECCOMP_FILTER_FLAGS)
    .reduce((bits, [name, bit]) => flags.includes(name as SeccompFlag) ? bits | bit : bits, 0);
}

/** A compiled filter. */
interface CompiledFilter {
  readonly program: Uint8Array<ArrayBuffer>;
  /** Whether it denies all calls that reach out of every namespace. */
  readonly isContained: boolean;
  /** Whether it denies all unix sockets that can be connected. */
  readonly deniesSockets: boolean;
  /** Whether it allows what executes the sealed executable of a launch among others' files. */
  readonly allowsSealed: boolean;
}

function filterFor(step: SeccompStep, plan: PlanBuilder): CompiledFilter {
  const { architecture } = plan.host;
  const { profile, allow, deny } = step;
  const abis = abisOf([...step.architectures ?? [], ...profile?.architectures ?? []]);
  const others = OTHER_ABIS[architecture].filter((abi) => abis.includes(abi));
  // Compiling a filter takes longer than a launch.
  const key = JSON.stringify({ architecture, others, profile, allow, deny });
  return plan.host.remember(`seccomp ${key}`, () => {
    const made = profile === undefined && allow === undefined && others.length === 0
      ? SECCOMP_FILTERS[architecture][(deny ?? []).join()]
      : undefined;
    if (made !== undefined) {
      return {
        program: Uint8Array.fromBase64(made),
        isContained: true,
        deniesSockets: deny?.includes("@unix-sockets") === true,
        allowsSealed: true,
      };
    }
    const filter = filterOfStep(step);
    try {
      checkLaunch(filter, plan);
      const program = compileFilter(filter, architecture, others);
      return {
        program,
        isContained: deniesKernelCalls(filter, others),
        deniesSockets: deniesUnixSockets(filter, others),
        allowsSealed: disallowed(filter, SEALED) === undefined,
      };
    } catch (error) {
      if (error instanceof RangeError) plan.refuse(`the profile is too long: ${error.message}`);
      throw error;
    }
  });
}

/** The rules of a step. */
export function filterOfStep({ profile, allow, deny }: SeccompStep): SyscallFilter {
  const allowed = allowMore(profile ?? DEFAULT_SECCOMP_PROFILE, allow ?? []);
  return filterOf(denyMore(allowed, deny ?? []));
}

/**
 * The calls that a launch makes under the filter: to execute the program, and to exit if it fails.
 */
const LAUNCHING: readonly string[] = ["execve", "exit_group"];

/** The calls by which a listener is sent, before anybody can be asked. */
const PASSING: readonly string[] = ["dup3", "sendmsg"];

/** Those of a sealed executable, which are made before its own filters: see launch/sealed_program.ts. */
const SEALED: readonly string[] = ["execveat", "fcntl"];

function checkLaunch(filter: SyscallFilter, plan: PlanBuilder): void {
  // Who is asked may allow them: by then there is a listener.
  const asked = plan.options.takeListener === undefined ? [] : [SECCOMP_RET.USER_NOTIF];
  const name = disallowed(filter, LAUNCHING, asked);
  if (name === undefined) return;
  plan.refuse(`the profile does not allow ${name}, without which no program can be started`);
}

/** Returns the first of these calls that a filter does not allow, whatever its arguments are. */
function disallowed(
  filter: SyscallFilter,
  names: readonly string[],
  more: readonly number[] = [],
): string | undefined {
  const rules = new RuleIndex(filter, new Set(names));
  return names.find((name) =>
    !rules.for(name).every(({ action }) =>
      action === SECCOMP_RET.ALLOW || action === SECCOMP_RET.LOG || more.includes(action)
    )
  );
}
