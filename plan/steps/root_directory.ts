/**
 * The steps that `root` stands for.
 *
 * @module
 */

import {
  bind,
  devices,
  mkdir,
  overlay,
  pivotRoot,
  proc,
  remount,
  sysfs,
  tmpfs,
  writeFile,
} from "../../recipe/steps/builders.ts";
import { loopbackHosts } from "../../recipe/network_files.ts";
import { parentOf } from "../../recipe/path.ts";
import type { Step } from "../../recipe/steps.ts";
import { ROOT_PLACE, type RootStep } from "../../recipe/steps/root_directory.ts";
import type { PlanBuilder } from "../builder.ts";

/** Beside the new root: it is left with the old one. */
const SCRATCH = parentOf(ROOT_PLACE);

/** Returns the steps that are lowered in the place of a `root`. */
export function rootParts(step: RootStep, plan: PlanBuilder): readonly Step[] {
  const { directory, discard = false, readOnly = false, resolvConf = false, volumes = {} } = step;
  plan.needs("mount", "it would change the host's root");
  const isKept = !discard && !readOnly;
  // What is mounted is made in memory, or in the directory.
  const make = { make: isKept };
  const shown = (source: string, target: string, isReadOnly: boolean) =>
    bind(source, at(target), { readOnly: isReadOnly, ...make });
  const system = ownsNetwork(plan) ? [sysfs(at("/sys"), { options: "ro" })] : [];
  const mounted = [devices(at("/dev")), proc(at("/proc")), ...system, tmpfs(at("/tmp"))];
  return [
    tmpfs(SCRATCH, { mode: 0o755 }),
    isKept
      ? bind(directory, ROOT_PLACE)
      : overlay(ROOT_PLACE, { lower: [absolute(directory, plan)], discard: true }),
    ...mounted.flatMap((part) => [mkdir(part.target, { host: isKept }), part]),
    ...(resolvConf ? [shown("/etc/resolv.conf", "/etc/resolv.conf", true)] : []),
    ...hostsFile(step, shown),
    ...Object.entries(volumes).map(([target, { source, readOnly: isReadOnly = false }]) =>
      shown(source, target, isReadOnly)
    ),
    pivotRoot(ROOT_PLACE),
    // Of an overlay the devices would be those of the host; a bind has none.
    ...(isKept ? [] : [remount("/", readOnly ? "ro,nodev" : "nodev", { keep: true })]),
  ];
}

/** Returns where a path of the new root is until it is the root. */
function at(path: string): string {
  return ROOT_PLACE + path;
}

function hostsFile(
  { hosts = false }: RootStep,
  shown: (source: string, target: string, isReadOnly: boolean) => Step,
): readonly Step[] {
  if (hosts === false) return [];
  if (hosts === true) return [shown("/etc/hosts", "/etc/hosts", true)];
  const lines = Object.entries(hosts).map(([name, address]) => `${address} ${name}\n`);
  const file = `${SCRATCH}/hosts`;
  return [
    writeFile(file, loopbackHosts() + lines.join(""), { mode: 0o644 }),
    shown(file, "/etc/hosts", true),
  ];
}

/** A new sysfs shows a network namespace, and takes rights over it (mount_namespaces(7)). */
function ownsNetwork({ state }: PlanBuilder): boolean {
  return state.unshared.has("net") && !state.joined.has("net") && !state.isBeyondRights("net");
}

/** Returns the path from the root: the directories of an overlay have no other. */
function absolute(directory: string, plan: PlanBuilder): string {
  return plan.access.hostSource(directory) ?? directory;
}
