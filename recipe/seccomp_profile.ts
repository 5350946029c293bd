/**
 * Profiles for seccomp(2) in the shape of the OCI runtime specification (config-linux.md#seccomp),
 * and what they mean as a filter.
 *
 * @module
 */

import { ERRNO } from "../ffi/errno.ts";
import {
  type Comparison,
  type Condition,
  type FilterRule,
  SECCOMP_RET,
  type SyscallFilter,
} from "../ffi/seccomp/filter.ts";
import { integer, list, object, oneOf, optional, type Schema, text } from "./schema.ts";

/**
 * What a program may call: a profile in the shape of the OCI runtime specification, as container
 * engines take it.
 *
 * Of several rules for a call, the first whose arguments fit counts. Names that the architecture
 * does not have mean nothing.
 */
export interface SeccompProfile {
  /** What comes of calls that no rule is about. */
  readonly defaultAction: SeccompAction;
  /**
   * The errno of `SCMP_ACT_ERRNO` as the default action. Calls that are newer than Ramekin's tables
   * answer `ENOSYS` instead, so that programs do without them.
   *
   * @default {1}
   */
  readonly defaultErrnoRet?: number;
  /**
   * Architectures, by libseccomp's names. Whatever they are, the filter is for the one that the
   * program runs on, and the entrances of all others are closed: who uses one is killed.
   */
  readonly architectures?: readonly string[];
  /** Flags of the filter. Those about threads mean nothing, as a container begins with one. */
  readonly flags?: readonly SeccompFlag[];
  /** The rules. */
  readonly syscalls?: readonly SeccompRule[];
}

/** What comes of some calls. */
export interface SeccompRule {
  /** The calls. */
  readonly names: readonly string[];
  /** What comes of them. */
  readonly action: SeccompAction;
  /**
   * The errno of `SCMP_ACT_ERRNO`, or what `SCMP_ACT_TRACE` tells a tracer.
   *
   * @default {1}
   */
  readonly errnoRet?: number;
  /** What the arguments must be: all of these; but any of these where two are about the same one. */
  readonly args?: readonly SeccompArgument[];
}

/** What an argument must be. */
export interface SeccompArgument {
  /** Which argument, from 0 to 5. */
  readonly index: number;
  /**
   * What it is compared with: an unsigned 64-bit number. Beyond 2^53 it has to be a text,
   * `"0xffffffffffffffff"`. For `SCMP_CMP_MASKED_EQ`, the bits that count.
   */
  readonly value: number | string;
  /**
   * For `SCMP_CMP_MASKED_EQ`, what those bits must be.
   *
   * @default {0}
   */
  readonly valueTwo?: number | string;
  /** How it is compared. */
  readonly op: SeccompComparison;
}

/** What comes of a call, by libseccomp's name. */
export type SeccompAction =
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_LOG";

/** How an argument is compared, by libseccomp's name. */
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
  | "SECCOMP_FILTER_FLAG_SPEC_ALLOW";

const ACTIONS: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SECCOMP_RET.KILL_PROCESS,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET.KILL_THREAD,
  SCMP_ACT_TRAP: SECCOMP_RET.TRAP,
  SCMP_ACT_ERRNO: SECCOMP_RET.ERRNO,
  SCMP_ACT_TRACE: SECCOMP_RET.TRACE,
  SCMP_ACT_ALLOW: SECCOMP_RET.ALLOW,
  SCMP_ACT_LOG: SECCOMP_RET.LOG,
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

const FLAGS: readonly SeccompFlag[] = [
  "SECCOMP_FILTER_FLAG_TSYNC",
  "SECCOMP_FILTER_FLAG_LOG",
  "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
];

/** An unsigned 64-bit number: a number as far as those are exact, or a text. */
function word(): Schema {
  const expected = "an unsigned 64-bit number";
  return {
    expected,
    optional: false,
    schema: {
      anyOf: [
        integer().schema,
        { type: "string", pattern: "^(0[xX][0-9a-fA-F]+|\\d+)$" },
      ],
    },
    issue(value) {
      if (typeof value === "string") {
        if (!/^(0x[0-9a-f]+|\d+)$/i.test(value)) return `"${value}" is not ${expected}`;
        return BigInt(value) < 2n ** 64n ? undefined : `${value} is not ${expected}`;
      }
      if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
        return `should be ${expected}`;
      }
      return Number.isSafeInteger(value)
        ? undefined
        : `is a number too large to be exact; write it as a text: "0x..."`;
    },
  };
}

/** The largest errno: MAX_ERRNO. */
const LAST_ERRNO = 4095;

/** A profile. */
export function seccompProfile(): Schema {
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
    architectures: optional(list(text({ min: 1 }))),
    flags: optional(list(oneOf(FLAGS))),
    syscalls: optional(list(rule)),
  });
}

/** What the profile means. */
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
  // As runtimes read it: several conditions on the same argument are alternatives.
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
