/**
 * What this process may do, as far as containers depend on it.
 *
 * @module
 */

import { CAPABILITIES } from "../ffi/calls/constants/capabilities.ts";
import { textOf } from "./cgroups/group.ts";

/** What this process may do. */
export interface Caller {
  /** Whether it may make device files: in a user namespace nobody may. */
  readonly mayMakeDevices: boolean;
  /** Whether it may copy mounts. */
  readonly mayMount: boolean;
  /** Whether it may change its supplementary groups. */
  readonly mayChangeGroups: boolean;
  /** Whether it is in the first user namespace of the machine, as root. */
  readonly isRoot: boolean;
}

/** Finds out what this process may do. */
export function caller(): Caller {
  const map = textOf("/proc/self/uid_map") ?? "";
  const isFirst = /^\s*0\s+0\s+4294967295\s*$/.test(map.trim());
  const effective = BigInt(
    `0x${/^CapEff:\s*([0-9a-f]+)/m.exec(textOf("/proc/self/status") ?? "")?.[1] ?? "0"}`,
  );
  const has = (name: keyof typeof CAPABILITIES) =>
    (effective >> BigInt(CAPABILITIES[name]) & 1n) === 1n;
  return {
    mayMakeDevices: isFirst && has("CAP_MKNOD"),
    mayMount: has("CAP_SYS_ADMIN"),
    mayChangeGroups: textOf("/proc/self/setgroups")?.trim() !== "deny" && has("CAP_SETGID"),
    isRoot: isFirst && Deno.uid() === 0,
  };
}
