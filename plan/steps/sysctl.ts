/**
 * Lowers the step `sysctl`.
 *
 * @module
 */

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
];

/** Lowers `sysctl`. */
export function lowerSysctl({ settings }: SysctlStep, plan: PlanBuilder): void {
  for (const [name, value] of Object.entries(settings)) {
    const path = pathOf(name);
    const kind = OWNERS.find(([pattern]) => pattern.test(path))?.[1] ??
      plan.refuse(`${name} is a setting of the whole host, and no namespace has its own`);
    plan.needs(kind, `${name} would change on the host`);
    writeSetting(plan, path, String(value));
  }
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
