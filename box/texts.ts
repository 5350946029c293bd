/**
 * The texts of a box's errors, which its code unpacks when one is needed.
 *
 * @module
 */

import { concat } from "../ffi/concat.ts";
import { ERRNO } from "../ffi/errno.ts";

/**
 * Why a box refuses to run, and at last what it says of how the program has ended. Their numbers are in
 * the assembler sources; the texts of the calls are behind them.
 */
export const REFUSALS: readonly string[] = [
  "it is set-user-ID or has capabilities (AT_SECURE), and would lend them to its caller; take them " +
  "away",
  "it was built for root; run it as root, or build it with --for user",
  "it has no program: box PROGRAM [ARGUMENT...]",
  "mmap failed; memory is short",
  "its output cannot be written",
  "a standard stream is a directory, by which the program would reach files outside of its root",
  "a standard stream is a socket without a connection, by which the program would reach others",
  "a standard stream cannot be copied: there are too many files or processes",
  "a standard stream is opened with O_PATH, and can be neither read nor written",
  "the program was killed by SIGSYS: it has made a system call that a filter denies (seccomp)",
  "the program was ended, as its time was over",
];

/** What a box may have to say. */
export interface Sayings {
  /** Whether it is for root alone. */
  readonly forRoot: boolean;
  /** Whether its program is built in. */
  readonly hasProgram: boolean;
  /** Whether a process of the container has memory of its own. */
  readonly copiesMemory: boolean;
  /** Whether it looks at its standard streams, and copies them. */
  readonly copiesStreams: boolean;
  /** Whether its program has a time. */
  readonly isTimed: boolean;
}

/** Returns the refusals that there can be and the texts of the calls, in their order. */
export function textBytes(calls: readonly string[], sayings: Sayings): Uint8Array {
  const { forRoot, hasProgram, copiesMemory, copiesStreams, isTimed } = sayings;
  const said = [
    ...[true, forRoot, !hasProgram, copiesMemory, copiesStreams],
    ...[copiesStreams, copiesStreams, copiesStreams, copiesStreams, true, isTimed],
  ];
  const refusals = REFUSALS.map((text, number) => said[number] === true ? text : "");
  return encoder.encode([...refusals, ...calls, ""].join("\0"));
}

/**
 * Errnos beyond the first 40 that calls of a launch may have. The names of the others, of streams and
 * of keys, would take as much room as the code.
 */
const LATER =
  /^E(NODATA|PROTO|OVERFLOW|USERS|MSGSIZE|NOPROTOOPT|PROTONOSUPPORT|OPNOTSUPP|AFNOSUPPORT|ADDRINUSE|ADDRNOTAVAIL|NETDOWN|NETUNREACH|NOBUFS|HOSTUNREACH|STALE|DQUOT|LIBBAD)$/;

/** Those of the first 40 that no such call has. */
const NEVER = /^E(NOTBLK|DOM|DEADLK|NOLCK|SPIPE|MLINK|CHILD)$/;

/** Returns the numbers and names of errnos; the last one, with the number 0, is that of others. */
export function errnoBytes(): Uint8Array {
  const named = Object.entries(ERRNO).filter(([name, number]) =>
    number <= 40 && !NEVER.test(name) || LATER.test(name)
  );
  return concat([
    ...named.map(([name, number]) => concat([Uint8Array.of(number), encoder.encode(`${name}\0`)])),
    encoder.encode("\0an errno that errno(1) names\0"),
  ]);
}

const encoder = new TextEncoder();
