/**
 * The calls of i386 that stand for several others: socketcall(2) and ipc(2). The first argument says
 * which, and the arguments of that one lie in memory, which no filter sees.
 *
 * @module
 */

import type { Abi } from "./all_syscalls.ts";
import type { Condition, FilterRule, SyscallFilter } from "./filter.ts";
import { SECCOMP_RET } from "./returns.ts";

/** A call that stands for others. */
interface Multiplexer {
  readonly name: string;
  /** The bits of the first argument that say which one is meant. */
  readonly mask: bigint;
  /** The numbers of the others: linux/net.h, linux/ipc.h. */
  readonly numbers: Readonly<Record<string, number>>;
}

const MULTIPLEXERS: readonly Multiplexer[] = [
  {
    name: "socketcall",
    mask: 0xffff_ffffn,
    numbers: {
      socket: 1,
      bind: 2,
      connect: 3,
      listen: 4,
      accept: 5,
      getsockname: 6,
      getpeername: 7,
      socketpair: 8,
      send: 9,
      recv: 10,
      sendto: 11,
      recvfrom: 12,
      shutdown: 13,
      setsockopt: 14,
      getsockopt: 15,
      sendmsg: 16,
      recvmsg: 17,
      accept4: 18,
      recvmmsg: 19,
      sendmmsg: 20,
    },
  },
  {
    name: "ipc",
    // Above them is a version.
    mask: 0xffffn,
    numbers: {
      semop: 1,
      semget: 2,
      semctl: 3,
      semtimedop: 4,
      msgsnd: 11,
      msgrcv: 12,
      msgget: 13,
      msgctl: 14,
      shmat: 21,
      shmdt: 22,
      shmget: 23,
      shmctl: 24,
    },
  },
];

/**
 * Returns the filter with rules for these calls, each beside the rule for the call that is meant. What
 * is allowed on conditions is not allowed so, as they cannot be checked; what is denied on conditions
 * is denied.
 */
export function withMultiplexers(filter: SyscallFilter, abi: Abi): SyscallFilter {
  if (abi !== "i386") return filter;
  return { ...filter, rules: filter.rules.flatMap((rule) => [rule, ...multiplexed(rule)]) };
}

function multiplexed({ names, action, conditions = [] }: FilterRule): readonly FilterRule[] {
  if (conditions.length > 0 && action === SECCOMP_RET.ALLOW) return [];
  return MULTIPLEXERS.flatMap(({ name, mask, numbers }) =>
    names.filter((meant) => Object.hasOwn(numbers, meant)).map((meant) => ({
      names: [name],
      action,
      conditions: [is(numbers[meant]!, mask)],
    }))
  );
}

function is(number: number, mask: bigint): Condition {
  return { index: 0, comparison: "equal", value: BigInt(number), mask };
}
