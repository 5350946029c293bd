/**
 * Profiles for seccomp(2) in the shape of the OCI runtime specification (config-linux.md#seccomp),
 * and the filters that they describe.
 *
 * @module
 */

import { ERRNO } from "../ffi/errno.ts";
import type { Abi } from "../ffi/seccomp/all_syscalls.ts";
import { SECCOMP_RET } from "../ffi/seccomp/returns.ts";
import type { Comparison, Condition, FilterRule, SyscallFilter } from "../ffi/seccomp/filter.ts";
import {
  integer,
  lazy,
  list,
  object,
  oneOf,
  optional,
  type Schema,
  schema,
  text,
} from "./schema.ts";
import { quoted, shown } from "./shown.ts";

/**
 * The system calls that a program may make: a profile in the shape of the OCI runtime
 * specification, as container engines take it.
 *
 * Of several rules for a call, the first with matching arguments applies. Names that the
 * architecture does not have are ignored.
 */
export interface SeccompProfile {
  /** The action for calls without a rule. */
  readonly defaultAction: SeccompAction;
  /**
   * The errno of `SCMP_ACT_ERRNO` as the default action. Calls that are newer than Ramekin's tables
   * fail with `ENOSYS` instead, so that programs do without them.
   *
   * @default {1}
   */
  readonly defaultErrnoRet?: number;
  /**
   * The architectures of programs beside the machine's own, by libseccomp's names: `SCMP_ARCH_X86`
   * for 32-bit programs on x86_64, `SCMP_ARCH_X32` there, `SCMP_ARCH_ARM` on aarch64. Those that
   * the machine does not have are ignored. A program that makes a call of one that is not in the list
   * is killed (SIGSYS).
   *
   * 32-bit programs may make sockets by socketcall(2), the arguments of which no filter sees: what is
   * allowed on conditions is denied by it, unless a rule allows `socketcall` itself.
   *
   * @default {[]}
   */
  readonly architectures?: readonly SeccompArchitecture[];
  /**
   * Flags of the filter. Those about threads are ignored, as a container starts with one thread, and
   * those about a listener where there is none.
   */
  readonly flags?: readonly SeccompFlag[];
  /** The rules. */
  readonly syscalls?: readonly SeccompRule[];
}

/** A rule for some calls. */
export interface SeccompRule {
  /** The names of the calls. */
  readonly names: readonly string[];
  /** The action for them. */
  readonly action: SeccompAction;
  /**
   * The errno of `SCMP_ACT_ERRNO`, or the number that `SCMP_ACT_TRACE` passes to a tracer.
   *
   * @default {1}
   */
  readonly errnoRet?: number;
  /**
   * Conditions on the arguments: all have to hold, or any of them where two are on the same one.
   */
  readonly args?: readonly SeccompArgument[];
}

/** A condition on an argument. */
export interface SeccompArgument {
  /** The index of the argument, from 0 to 5. */
  readonly index: number;
  /**
   * The value to compare with, an unsigned 64-bit number; beyond 2^53 a string,
   * `"0xffffffffffffffff"`. For `SCMP_CMP_MASKED_EQ`, the mask.
   */
  readonly value: number | string;
  /**
   * For `SCMP_CMP_MASKED_EQ`, the value of the masked bits.
   *
   * @default {0}
   */
  readonly valueTwo?: number | string;
  /** The comparison. */
  readonly op: SeccompComparison;
}

/** An architecture, by libseccomp's name. */
export type SeccompArchitecture =
  | "SCMP_ARCH_X86"
  | "SCMP_ARCH_X86_64"
  | "SCMP_ARCH_X32"
  | "SCMP_ARCH_ARM"
  | "SCMP_ARCH_AARCH64"
  | "SCMP_ARCH_LOONGARCH64"
  | "SCMP_ARCH_M68K"
  | "SCMP_ARCH_MIPS"
  | "SCMP_ARCH_MIPS64"
  | "SCMP_ARCH_MIPS64N32"
  | "SCMP_ARCH_MIPSEL"
  | "SCMP_ARCH_MIPSEL64"
  | "SCMP_ARCH_MIPSEL64N32"
  | "SCMP_ARCH_PARISC"
  | "SCMP_ARCH_PARISC64"
  | "SCMP_ARCH_PPC"
  | "SCMP_ARCH_PPC64"
  | "SCMP_ARCH_PPC64LE"
  | "SCMP_ARCH_RISCV64"
  | "SCMP_ARCH_S390"
  | "SCMP_ARCH_S390X"
  | "SCMP_ARCH_SH"
  | "SCMP_ARCH_SHEB";

/**
 * An action of a filter, by libseccomp's name. `SCMP_ACT_NOTIFY` asks a listener, which containers of
 * the OCI runtime alone have.
 */
export type SeccompAction =
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY";

/** A comparison of an argument, by libseccomp's name. */
export type SeccompComparison =
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

/** A flag of a filter, by the kernel's name. */
export type SeccompFlag =
  | "SECCOMP_FILTER_FLAG_TSYNC"
  | "SECCOMP_FILTER_FLAG_LOG"
  | "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
  | "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

const ACTIONS: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SECCOMP_RET.KILL_PROCESS,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_TRAP: SECCOMP_RET.TRAP,
  SCMP_ACT_ERRNO: SECCOMP_RET.ERRNO,
  SCMP_ACT_TRACE: SECCOMP_RET.TRACE,
  SCMP_ACT_ALLOW: SECCOMP_RET.ALLOW,
  SCMP_ACT_LOG: SECCOMP_RET.LOG,
  SCMP_ACT_NOTIFY: SECCOMP_RET.USER_NOTIF,
};

const COMPARISONS: Readonly<Record<Exclude<SeccompComparison, "SCMP_CMP_MASKED_EQ">, Comparison>> =
  {
    SCMP_CMP_NE: "unequal",
    SCMP_CMP_LT: "less",
    SCMP_CMP_LE: "lessOrEqual",
    SCMP_CMP_EQ: "equal",
    SCMP_CMP_GE: "greaterOrEqual",
    SCMP_CMP_GT: "greater",
  };

/** The architectures of the OCI runtime specification, and the ABIs of the machines that are supported. */
const ARCHITECTURES: Readonly<Record<SeccompArchitecture, Abi | undefined>> = {
  SCMP_ARCH_X86: "i386",
  SCMP_ARCH_X86_64: "x86_64",
  SCMP_ARCH_X32: "x32",
  SCMP_ARCH_ARM: "arm",
  SCMP_ARCH_AARCH64: "aarch64",
  SCMP_ARCH_LOONGARCH64: undefined,
  SCMP_ARCH_M68K: undefined,
  SCMP_ARCH_MIPS: undefined,
  SCMP_ARCH_MIPS64: undefined,
  SCMP_ARCH_MIPS64N32: undefined,
  SCMP_ARCH_MIPSEL: undefined,
  SCMP_ARCH_MIPSEL64: undefined,
  SCMP_ARCH_MIPSEL64N32: undefined,
  SCMP_ARCH_PARISC: undefined,
  SCMP_ARCH_PARISC64: undefined,
  SCMP_ARCH_PPC: undefined,
  SCMP_ARCH_PPC64: undefined,
  SCMP_ARCH_PPC64LE: undefined,
  SCMP_ARCH_RISCV64: undefined,
  SCMP_ARCH_S390: undefined,
  SCMP_ARCH_S390X: undefined,
  SCMP_ARCH_SH: undefined,
  SCMP_ARCH_SHEB: undefined,
};

const FLAGS: readonly SeccompFlag[] = [
  "SECCOMP_FILTER_FLAG_TSYNC",
  "SECCOMP_FILTER_FLAG_LOG",
  "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
  "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
];

/** Whether a listener is asked about some calls. */
export function asksListener({ defaultAction, syscalls = [] }: SeccompProfile): boolean {
  return [defaultAction, ...syscalls.map(({ action }) => action)].includes("SCMP_ACT_NOTIFY");
}

/** An unsigned 64-bit number; one that a JavaScript number cannot hold exactly is a string. */
function word(): Schema {
  const expected = "an unsigned 64-bit number";
  return schema(
    expected,
    (value) => {
      if (typeof value === "string") {
        // The longest is 20 digits, or 16 hexadecimal ones and "0x".
        return /^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(value) && BigInt(value) < 2n ** 64n
          ? undefined
          : `${quoted(value)} is not ${expected}`;
      }
      if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
        return `should be ${expected}, not ${shown(value)}`;
      }
      return Number.isSafeInteger(value)
        ? undefined
        : `is a number too large to be exact; write it as a string: "0x..."`;
    },
    () => ({
      anyOf: [
        integer().jsonSchema(),
        { type: "string", pattern: "^(0[xX][0-9a-fA-F]+|\\d+)$" },
      ],
    }),
  );
}

/** The largest errno: MAX_ERRNO. */
const LAST_ERRNO = 4095;

/** A profile. Its parts are many, so that they are made when there is one to check. */
export function seccompProfile(): Schema {
  const whole = lazy(profile);
  return schema(
    "a profile as the OCI runtime specification defines it",
    (value) => whole().issue(value),
    () => whole().jsonSchema(),
  );
}

/** A list of architectures. */
export function seccompArchitectures(): Schema {
  return list(oneOf(Object.keys(ARCHITECTURES)));
}

/** Returns the ABIs of these architectures. */
export function abisOf(architectures: readonly SeccompArchitecture[]): readonly Abi[] {
  return architectures.map((name) => ARCHITECTURES[name]).filter((abi) => abi !== undefined);
}

function profile(): Schema {
  const action = oneOf(Object.keys(ACTIONS));
  const errno = optional(integer(0, LAST_ERRNO));
  const argument = object({
    index: integer(0, 5),
    value: word(),
    valueTwo: optional(word()),
    op: oneOf([...Object.keys(COMPARISONS), "SCMP_CMP_MASKED_EQ"]),
  });
  const rule = object({
    names: list(text({ min: 1 }), 1),
    action,
    errnoRet: errno,
    args: optional(list(argument)),
  });
  return object({
    defaultAction: action,
    defaultErrnoRet: errno,
    architectures: optional(seccompArchitectures()),
    flags: optional(list(oneOf(FLAGS))),
    syscalls: optional(list(rule)),
  });
}

/** Returns the filter that the profile describes. */
export function filterOf(profile: SeccompProfile): SyscallFilter {
  const { defaultAction, defaultErrnoRet, syscalls = [] } = profile;
  return {
    otherwise: answerOf(defaultAction, defaultErrnoRet),
    unknown: defaultAction === "SCMP_ACT_ERRNO"
      ? answerOf(defaultAction, ERRNO.ENOSYS)
      : answerOf(defaultAction, defaultErrnoRet),
    foreign: SECCOMP_RET.KILL_PROCESS,
    rules: syscalls.flatMap(rulesOf),
  };
}

function rulesOf({ names, action, errnoRet, args = [] }: SeccompRule): FilterRule[] {
  const answer = answerOf(action, errnoRet);
  const conditions = args.map(conditionOf);
  const indices = new Set(args.map(({ index }) => index));
  // Like other runtimes: several conditions on the same argument are alternatives.
  if (indices.size < args.length) {
    return conditions.map((condition) => ({ names, action: answer, conditions: [condition] }));
  }
  return [{ names, action: answer, conditions }];
}

function conditionOf({ index, value, valueTwo = 0, op }: SeccompArgument): Condition {
  if (op !== "SCMP_CMP_MASKED_EQ") {
    return { index, comparison: COMPARISONS[op], value: BigInt(value) };
  }
  const mask = BigInt(value);
  return { index, comparison: "equal", value: BigInt(valueTwo) & mask, mask };
}

function answerOf(action: SeccompAction, errnoRet: number = ERRNO.EPERM): number {
  const data = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE" ? errnoRet : 0;
  return (ACTIONS[action] | data) >>> 0;
}
