/**
 * Finds a running container by what the user calls it.
 *
 * @module
 */

import { DetachedRecord } from "../../detached/mod.ts";
import { type RunningContainer, runningContainers } from "../../host.ts";
import { attach, type AttachedContainer } from "../../mod.ts";
import { nearest } from "../../recipe/nearest.ts";
import { ifThere, readText } from "./files.ts";
import { UsageError } from "./usage.ts";

/**
 * The pid of the program of a container, which is given by a pid or by the name of the program that
 * its script has started.
 *
 * @param any whether it may be a container of another user's script, or any process
 * @throws {UsageError} where there is no such container, or several
 */
export function containerOf(word: string, any: boolean): number {
  const all = runningContainers();
  const containers = any ? all : all.filter(({ own }) => own);
  // Another script may have a container by the name of a detached one.
  const detached = DetachedRecord.find(word)?.container?.pid;
  const kept = containers.find(({ pid }) => pid === detached);
  if (kept !== undefined) return kept.program;
  return /^\d+$/.test(word) ? byPid(Number(word), containers, any) : byName(word, containers, all);
}

/**
 * Attaches to a container, which is given as for {@linkcode containerOf}.
 *
 * @throws {UsageError} where there is no such container, or several
 */
export function attachTo(word: string, any: boolean): AttachedContainer {
  const pid = containerOf(word, any);
  if (!runningContainers().some(({ program, own }) => program === pid && (own || any))) {
    throw new UsageError(`the process ${pid} is not the first of a container, nor its program`);
  }
  return attach(pid, { any });
}

function byPid(pid: number, containers: readonly RunningContainer[], any: boolean): number {
  const found = containers.find((container) => container.pid === pid || container.program === pid);
  if (found !== undefined) return found.program;
  if (any || ifThere(() => readText(`/proc/${pid}/stat`)) === undefined) return pid;
  throw new UsageError(
    `the process ${pid} is not in a container of a script of yours; --any enters it all the same, ` +
      "as its user",
  );
}

function byName(
  name: string,
  containers: readonly RunningContainer[],
  all: readonly RunningContainer[],
): number {
  // A program can call itself by the name of another container.
  const named = containers.filter(({ namedBy }) => namedBy === "script");
  const found = named.filter((container) => container.name === name);
  if (found.length === 1) return found[0]!.program;
  if (found.length > 1) {
    const pids = found.map(({ pid }) => pid).join(", ");
    throw new UsageError(`there are ${found.length} containers with the name ${name}: ${pids}`);
  }
  const other = all.find((container) => container.name === name);
  if (other !== undefined) {
    throw new UsageError(
      `no running container of yours has the name ${name}; the process ${other.pid} says that it is ` +
        `one, but its script is another user's, in a container, or restricted as ramekin is not; ` +
        `"ramekin enter --any ${other.pid}" enters it, as its user`,
    );
  }
  const near = nearest(name, named.map((container) => container.name));
  throw new UsageError(
    `no running container of yours has the name ${name}` +
      (near === undefined ? "; ramekin ps lists them" : `; did you mean ${near}?`),
  );
}
