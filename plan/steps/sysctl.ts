/**
 * Lowers the step `sysctl`.
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { close, O_WRONLY, write } from "../../ffi/calls/files.ts";
import type { PlanBuilder } from "../builder.ts";
import type { NamespaceKind } from "../../recipe/namespaces.ts";
import { openAt } from "../paths.ts";
import { pathOf, type SysctlStep } from "../../recipe/steps/sysctl.ts";

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

/** Which settings a namespace has for itself, as paths in /proc/sys. */
const OWNERS: readonly (readonly [RegExp, NamespaceKind])[] = [
  [/^net\//, "net"],
  [/^kernel\/(msg\w*|sem|sem_next_id|shm\w*|auto_msgmni)$/, "ipc"],
  [/^fs\/mqueue\//, "ipc"],
  [/^kernel\/(hostname|domainname)$/, "uts"],
  [/^user\//, "user"],
];

/** Writes a setting, by its path in /proc/sys. */
export function writeSetting(plan: PlanBuilder, path: string, value: string): void {
  const bytes = new TextEncoder().encode(value);
  const file = new ResultOf(openAt(plan, `/proc/sys/${path}`, O_WRONLY).call, "setting");
  plan.call(write(file, bytes, bytes.length));
  plan.call(close(file));
}
