/**
 * Lowers the step `sysctl`.
 *
 * @module
 */

import { atLeast, type Host, type KernelVersion } from "../../host/host.ts";
import type { NamespaceKind } from "../../recipe/namespaces.ts";
import { pathOf, type SysctlStep } from "../../recipe/steps/sysctl.ts";
import type { PlanBuilder } from "../builder.ts";
import { READ_ONLY } from "../fixes.ts";
import { writeProcFile } from "../proc_file.ts";

/** The settings that each kind of namespace has of its own, as paths in /proc/sys. */
const OWNERS: readonly (readonly [RegExp, NamespaceKind])[] = [
  [/^net\//, "net"],
  [/^kernel\/(msg\w*|sem|sem_next_id|shm\w*|auto_msgmni)$/, "ipc"],
  [/^fs\/mqueue\//, "ipc"],
  [/^kernel\/(hostname|domainname)$/, "uts"],
  [/^user\//, "user"],
  [/^kernel\/ns_last_pid$/, "pid"],
];

/** The settings that namespaces have got in later versions of Linux. */
const LATER_OWNERS: readonly (readonly [string, NamespaceKind, KernelVersion])[] = [
  ["kernel/pid_max", "pid", { major: 6, minor: 14 }],
  ["vm/memfd_noexec", "pid", { major: 6, minor: 3 }],
];

/** Lowers `sysctl`. */
export function lowerSysctl({ settings }: SysctlStep, plan: PlanBuilder): void {
  for (const [name, value] of Object.entries(settings)) {
    const path = pathOf(name);
    const kind = ownerOf(path, plan.host) ??
      plan.refuse(`${name} is a setting of the whole host, and no namespace has its own`);
    plan.needs(kind, `${name} would change on the host`);
    writeSetting(plan, path, String(value));
  }
}

function ownerOf(path: string, host: Host): NamespaceKind | undefined {
  const later = LATER_OWNERS.find(([name, , since]) =>
    name === path && atLeast(host.kernel(), since)
  );
  return later?.[1] ?? OWNERS.find(([pattern]) => pattern.test(path))?.[1];
}

const DENIED = "only the host's root may change this setting";

/** Writes a setting by its path in /proc/sys. */
export function writeSetting(plan: PlanBuilder, path: string, value: string): void {
  writeProcFile(plan, `sys/${path}`, value, {
    open: {
      ENOENT: "the kernel has no such setting in this namespace",
      EACCES: DENIED,
      EROFS: READ_ONLY,
    },
    write: { EPERM: DENIED, EINVAL: "the kernel does not take this value" },
  });
}
