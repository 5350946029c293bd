/**
 * `ramekin enter`: runs a program in a container that runs already.
 *
 * @module
 */

import { environment, runningContainers } from "../../host.ts";
import {
  clearEnv,
  join,
  linux,
  type ProcessIdentity,
  recipe,
  setEnv,
  SyscallError,
} from "../../mod.ts";
import { nearest } from "../../recipe/nearest.ts";
import type { Arguments } from "./arguments.ts";
import { limitsOf } from "./confinement_of.ts";
import { ifThere, readLink } from "./files.ts";
import { apartAtTerminal, runProgram } from "./run_program.ts";
import { UsageError } from "./usage.ts";

/** Runs the program in there. */
export async function run(given: Arguments): Promise<number> {
  const target = identityOf(pidOf(given.operands[0]!));
  const inside = runningContainers().find(({ pid }) => pid === target.pid)?.program ?? target.pid;
  const terminal = environment()["TERM"];
  const box = recipe(
    join(target, { root: hasOwnRoot(target.pid), cwd: true, cgroup: true }),
    // The environment is the container's, and nothing of this process's is passed to it.
    clearEnv(),
    setEnv(environment(inside)),
    ...(terminal === undefined ? [] : [setEnv({ TERM: terminal })]),
    ...limitsOf(inside),
  );
  const cwd = inside === target.pid ? undefined : directoryOf(inside);
  return await runProgram(
    given.program,
    (program, options) =>
      apartAtTerminal(box, options).command(program, {
        ...options,
        ...(cwd !== undefined && { cwd }),
      }),
  );
}

/** Whether it has another root than ramekin; to enter the same root needs a privilege. */
function hasOwnRoot(pid: number): boolean {
  const [root, own] = [`/proc/${pid}/root`, "/proc/self/root"].map((path) =>
    ifThere(() => readLink(path))
  );
  return root !== own || linux.namespaces(pid).mount !== linux.namespaces().mount;
}

/** The working directory of a program, as a path in its container; an init does not have the program's. */
function directoryOf(pid: number): string | undefined {
  const path = ifThere(() => readLink(`/proc/${pid}/cwd`));
  return path?.startsWith("/") === true && !path.endsWith(" (deleted)") ? path : undefined;
}

function identityOf(pid: number): ProcessIdentity {
  try {
    return linux.processIdentity(pid);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== "ENOENT") throw error;
    throw new UsageError(`there is no process ${pid}; ramekin ps lists the running containers`);
  }
}

/** The pid of the container with this name; a number is a pid. */
function pidOf(word: string): number {
  if (/^\d+$/.test(word)) return Number(word);
  const containers = runningContainers();
  const found = containers.filter(({ name }) => name === word);
  if (found.length === 1) return found[0]!.pid;
  if (found.length > 1) {
    const pids = found.map(({ pid }) => pid).join(", ");
    throw new UsageError(`there are ${found.length} containers with the name ${word}: ${pids}`);
  }
  const near = nearest(word, containers.map(({ name }) => name));
  throw new UsageError(
    `no running container has the name ${word}` +
      (near === undefined ? "; ramekin ps lists them" : `; did you mean ${near}?`),
  );
}
