/**
 * The fields of config.json that no step says.
 *
 * @module
 */

import type { Config } from "../../oci/spec.ts";
import { suggestion } from "../../recipe/nearest.ts";

/** Fields that no step says, and what a config.json has there; beside them there are limits and mounts. */
export const UNSAID: Readonly<Record<string, (config: Config) => unknown>> = {
  hooks: ({ hooks }) => Object.values(hooks ?? {}).flat(),
  annotations: ({ annotations }) => annotations,
  "process.consoleSize": ({ process }) => process?.consoleSize,
  "process.execCPUAffinity": ({ process }) => process?.execCPUAffinity,
  "process.apparmorProfile": ({ process }) =>
    process?.apparmorProfile === "unconfined" ? undefined : process?.apparmorProfile,
  "process.selinuxLabel": ({ process }) => process?.selinuxLabel,
  "linux.mountLabel": ({ linux }) => linux?.mountLabel,
  "linux.cgroupsPath": ({ linux }) => linux?.cgroupsPath,
  "linux.intelRdt": ({ linux }) => linux?.intelRdt,
  "linux.netDevices": ({ linux }) => linux?.netDevices,
  "linux.seccomp.listenerPath": ({ linux }) => linux?.seccomp?.listenerPath,
};

/** The fields that can be left out, though not every config.json has them. */
const LEAVABLE = [...Object.keys(UNSAID), "linux.resources", "mounts"];

/** What is wrong with the name of a field that is to be left out: a slip would leave nothing out. */
export function leaveOutIssue(name: string): string | undefined {
  const isIn = (inner: string, outer: string) =>
    inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
  if (LEAVABLE.some((field) => isIn(name, field) || isIn(field, name))) return undefined;
  return `is no field that can be left out${
    suggestion(name, LEAVABLE) || `; those are ${LEAVABLE.join(", ")}`
  }`;
}
