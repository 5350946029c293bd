/**
 * `deno task filters`: makes `plan/steps/seccomp_filters.ts`, the filters of `seccomp()` without a
 * profile and of `sandbox()`, from the rules that stand in `recipe/`.
 *
 * @module
 */

import { compileFilter } from "../ffi/seccomp/filter.ts";
import type { Architecture } from "../ffi/syscall_numbers.ts";
import { filterOfStep } from "../plan/steps/seccomp.ts";
import { seccomp } from "../recipe/steps/seccomp.ts";

/** What these steps deny. */
export const DENIED: readonly (readonly string[])[] = [
  [],
  ["@setuid-files"],
  ["@unix-sockets"],
  ["@setuid-files", "@unix-sockets"],
];

const FILE = new URL("../plan/steps/seccomp_filters.ts", import.meta.url);

const HEAD = `/**
 * Filters of \`seccomp()\` and \`sandbox()\` that are compiled before: it would take a tenth of the
 * time in which a script makes its first sandbox. Made by \`deno task filters\`; a test compares them
 * with the rules.
 *
 * @module
 */

import type { Architecture } from "../../ffi/syscall_numbers.ts";

/** The programs in base64, by what the step denies. */
export const SECCOMP_FILTERS: Readonly<Record<Architecture, Readonly<Record<string, string>>>> =`;

/** The filters of an architecture, by what they deny. */
export function filters(architecture: Architecture): Readonly<Record<string, string>> {
  return Object.fromEntries(DENIED.map((deny) => {
    const program = compileFilter(filterOfStep(seccomp({ deny })), architecture);
    return [deny.join(), program.toBase64()];
  }));
}

if (import.meta.main) {
  const made = { x86_64: filters("x86_64"), aarch64: filters("aarch64") };
  await Deno.writeTextFile(FILE, `${HEAD} ${JSON.stringify(made)};\n`);
}
