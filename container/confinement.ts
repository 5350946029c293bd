/**
 * The limits of a program that runs, as far as the kernel shows them, for another that joins it.
 *
 * @module
 */

import { at_fdcwd } from "../ffi/calls/files.ts";
import { CAPABILITIES, type CapabilityName } from "../ffi/calls/users.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { otherNamespaces } from "../ffi/proc/process_namespaces.ts";
import { environmentOf } from "../host/join_target.ts";
import { DEFAULT_PATH } from "../recipe/default_path.ts";
import type { Step } from "../recipe/steps.ts";
import { capabilities, noNewPrivileges, seccomp, umask } from "../recipe/steps/builders.ts";

/**
 * The environment of a program, which it may have written itself, PATH among it: it counts only
 * where the files are the container's, and nothing that runs there has rights of this machine. Root
 * of the container takes nothing of it.
 */
export function environmentIn(pid: number, isRoot: boolean): Readonly<Record<string, string>> {
  const isApart = otherNamespaces(pid, ["user", "mount"]).length === 2;
  return isApart && !isRoot ? environmentOf(pid) : { PATH: DEFAULT_PATH };
}

/**
 * The steps that limit a program as the one with this pid is limited. Root has the umask of the
 * script: that of the program would let others write what root makes.
 */
export function limitsOf(pid: number, isRoot: boolean): readonly Step[] {
  const status = statusOf(String(pid));
  const limits = limitsIn(status);
  if (!isRoot) return limits;
  return [
    ...rootLimitsOf(pid),
    ...limits.filter(({ step }) => step !== "umask"),
  ];
}

/** The steps that limit root in the container of the program with this pid. */
export function rootLimitsOf(pid: number): readonly Step[] {
  return rootLimitsIn(statusOf(String(pid)), statusOf("self"));
}

/** What root may not have, from /proc/PID/status (proc_pid_status(5)) of it and of this process. */
export function rootLimitsIn(status: string, own: string): readonly Step[] {
  const kept = boundingSet(status);
  const lost = boundingSet(own).filter((name) => !kept.includes(name));
  if (lost.length === 0) return [];
  return [capabilities(kept.length === 0 ? { keep: [] } : { bounding: kept })];
}

/**
 * What applies to every user, from the same. The kernel shows whether there is a filter of system
 * calls, but not which: that of a sandbox is used in its place.
 */
export function limitsIn(status: string): readonly Step[] {
  const mask = field(status, "Umask");
  return [
    ...(mask === undefined ? [] : [umask(parseInt(mask, 8))]),
    ...(field(status, "NoNewPrivs") === "1" ? [noNewPrivileges()] : []),
    ...(field(status, "Seccomp") === FILTERED ? [seccomp({ deny: SANDBOX_DENIES })] : []),
  ];
}

/** What a sandbox that is shown files denies. */
const SANDBOX_DENIES = ["@setuid-files", "@unix-sockets"];

/** SECCOMP_MODE_FILTER of linux/seccomp.h. */
const FILTERED = "2";

function boundingSet(status: string): CapabilityName[] {
  const bits = BigInt(`0x${field(status, "CapBnd") ?? "0"}`);
  const names = Object.keys(CAPABILITIES) as CapabilityName[];
  return names.filter((name) => (bits >> BigInt(CAPABILITIES[name]) & 1n) === 1n);
}

function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\w+)`, "m").exec(status)?.[1];
}

function statusOf(pid: string): string {
  return readWholeText(at_fdcwd, `/proc/${pid}/status`);
}
