/**
 * The flags of openat(2) in a table for another architecture than this module's numbers are for. See
 * asm-generic/fcntl.h, and arch/arm64/include/uapi/asm/fcntl.h.
 *
 * @module
 */

import type { Architecture } from "../syscall_numbers.ts";

/** The bits that differ: O_DIRECT, O_DIRECTORY and O_NOFOLLOW on x86_64, then on aarch64. */
const DIFFERENT = [[0o40000, 0o200000], [0o200000, 0o40000], [0o400000, 0o100000]] as const;

/** The architecture of the constants of this module. */
const HERE: Architecture = typeof Deno !== "undefined" && Deno.build.arch === "aarch64"
  ? "aarch64"
  : "x86_64";

/** Whether the flags are others on an architecture. */
export function areForeign(architecture: Architecture): boolean {
  return architecture !== HERE;
}

/** Returns flags of this architecture as the other one has them. */
export function translateOpenFlags(value: number): number {
  let translated = value & ~0o740000;
  for (const [x86, arm] of DIFFERENT) {
    const [here, there] = HERE === "aarch64" ? [arm, x86] : [x86, arm];
    if ((value & here) !== 0) translated |= there;
  }
  return translated;
}
