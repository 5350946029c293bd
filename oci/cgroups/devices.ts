/**
 * The device rules of `linux.resources.devices`: files of version 1, and a program of the kernel's
 * for version 2 (device_program.ts).
 *
 * @module
 */

import type { DeviceRule } from "../spec.ts";
import { attachDeviceProgram, isAny } from "./device_program.ts";
import type { GroupDirectory } from "./group.ts";

/**
 * What every container may do besides: make device files, which it cannot open, and use the devices
 * that every root has.
 */
const ALWAYS: readonly DeviceRule[] = [
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...[[1, 3], [1, 5], [1, 7], [1, 8], [1, 9], [5, 0], [5, 1], [5, 2]].map((
    [major, minor],
  ): DeviceRule => ({ allow: true, type: "c", major: major!, minor: minor!, access: "rwm" })),
  { allow: true, type: "c", major: 136, access: "rwm" },
];

/** Applies the rules; without any, all devices are allowed as before. */
export function applyDevices(
  groups: readonly GroupDirectory[],
  rules: readonly DeviceRule[],
  adds: "defaults" | "nothing",
): void {
  if (rules.length === 0) return;
  const all = adds === "defaults" ? [...rules, ...ALWAYS] : rules;
  const old = groups.find(({ hierarchy }) => hierarchy.names.includes("devices"));
  if (old !== undefined) return writeRules(old.path, all);
  const unified = groups.find(({ hierarchy }) => hierarchy.version === 2);
  if (unified !== undefined) attachDeviceProgram(unified.path, all);
}

function writeRules(directory: string, rules: readonly DeviceRule[]): void {
  for (const rule of rules) {
    const file = `${directory}/devices.${rule.allow ? "allow" : "deny"}`;
    Deno.writeTextFileSync(file, ruleText(rule), { create: false });
  }
}

/** Returns a rule as devices.allow takes it: `c 1:3 rwm`, or `a` for all devices. */
function ruleText({ type = "a", major, minor, access = "rwm" }: DeviceRule): string {
  const all = type === "a" && isAny(major) && isAny(minor) && access.length === 3;
  if (all) return "a";
  return `${type} ${isAny(major) ? "*" : major}:${isAny(minor) ? "*" : minor} ${access}`;
}
