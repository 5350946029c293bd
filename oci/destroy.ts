/**
 * Ends what is left of a container, and removes its groups and its record.
 *
 * @module
 */

import { rest } from "../ffi/rest.ts";
import { SIGNALS } from "../ffi/calls/processes.ts";
import { freeze, pidsIn, removeGroups, textOf } from "./cgroups/group.ts";
import { has, mountedHierarchies } from "./cgroups/hierarchies.ts";
import type { ContainerRecord } from "./state.ts";
import { OciError } from "./errors.ts";
import { signalFound } from "./signal.ts";

/** How long processes may take to end, in milliseconds. */
const PATIENCE = 10_000;

/** Kills all processes of a container, and removes everything. */
export function destroy(record: ContainerRecord): void {
  const { groups } = record;
  const end = Date.now() + PATIENCE;
  for (let wait = 1;; wait = Math.min(wait * 2, 50)) {
    const pids = killAll(record);
    if (pids.length === 0 && removeGroups(groups)) break;
    if (Date.now() > end) throw new OciError(`processes of the container do not end: ${pids}`);
    rest(wait);
  }
  record.remove();
}

/** Kills the processes of a container, frozen ones too; returns those that were there. */
function killAll(record: ContainerRecord): readonly number[] {
  const { groups } = record;
  const pids = signalFound(() => processesOf(record), SIGNALS.SIGKILL);
  // What version 1 has frozen does not die.
  if (pids.length > 0) freeze([...groups, ...pids.flatMap(freezerOf)], false);
  return pids;
}

function processesOf(record: ContainerRecord): readonly number[] {
  const { groups, process } = record;
  const pids = new Set(pidsIn(groups));
  if (process !== undefined) pids.add(process.pid);
  // Of a runtime that was killed while it made the container.
  if (record.fixed === undefined) { for (const pid of holdersOf(record.fifo)) pids.add(pid); }
  return [...pids];
}

/** Returns the processes that have a file open. */
function holdersOf(path: string): number[] {
  const holds = (pid: string) => {
    try {
      return Array.from(Deno.readDirSync(`/proc/${pid}/fd`))
        .some(({ name }) => linkOf(`/proc/${pid}/fd/${name}`) === path);
    } catch {
      return false;
    }
  };
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => name)
    .filter((name) => /^\d+$/.test(name) && Number(name) !== Deno.pid && holds(name)).map(Number);
}

function linkOf(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

/** Returns the group that a process is frozen by, which may not be the container's. */
function freezerOf(pid: number): string[] {
  const line = /^\d+:freezer:\/(.*)$/m.exec(textOf(`/proc/${pid}/cgroup`) ?? "");
  const hierarchy = mountedHierarchies().find((one) => has(one, "freezer"));
  if (!line?.[1] || hierarchy === undefined) return [];
  const group = `${hierarchy.top}/${line[1]}`;
  return textOf(`${group}/freezer.state`)?.trim() === "FROZEN" ? [group] : [];
}
