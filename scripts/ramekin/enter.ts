/**
 * `ramekin enter`: runs a program in a container that runs already.
 *
 * @module
 */

import { environment } from "../../host.ts";
import {
  clearEnv,
  join,
  linux,
  newSession,
  type ProcessIdentity,
  recipe,
  setEnv,
  SyscallError,
} from "../../mod.ts";
import { DEFAULT_PATH } from "../../recipe/default_path.ts";
import type { Arguments } from "./arguments.ts";
import { limitsOf } from "./confinement_of.ts";
import { containerOf } from "./container_of.ts";
import { runProgram } from "./run_program.ts";
import { UsageError } from "./usage.ts";

/** Runs the program in there. */
export async function run(given: Arguments): Promise<number> {
  const target = identityOf(containerOf(given.operands[0]!, given.has("any")));
  const { pid } = target;
  const asRoot = given.has("root");
  const credentials = asRoot ? "root" : "process";
  const terminal = environment()["TERM"];
  try {
    const box = recipe(
      join(target, { root: true, cwd: true, cgroup: true, credentials }),
      // Nothing of this process's environment is passed to it.
      clearEnv(),
      setEnv(asRoot ? { PATH: DEFAULT_PATH } : environmentIn(pid)),
      ...(terminal === undefined ? [] : [setEnv({ TERM: terminal })]),
      // A program without a terminal of its own must not type into ramekin's (TIOCSTI).
      newSession(),
      ...limitsOf(pid, asRoot),
    );
    return await runProgram(
      given.program,
      (program, options) => box.command(program, options),
    );
  } catch (error) {
    if (error instanceof SyscallError && error.code === "ESRCH") throw hasEnded(pid);
    throw error;
  }
}

/**
 * The environment of a program, which it may have written itself, PATH among it: it counts only
 * where the files are the container's, and nothing that runs there has rights of this machine. Root
 * of the container takes nothing of it.
 */
function environmentIn(pid: number): Readonly<Record<string, string>> {
  const [its, own] = [linux.namespaces(pid), linux.namespaces()];
  const isApart = its.user !== own.user && its.mount !== own.mount;
  return isApart ? environment(pid) : { PATH: DEFAULT_PATH };
}

function identityOf(pid: number): ProcessIdentity {
  try {
    return linux.processIdentity(pid);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== "ENOENT") throw error;
    throw hasEnded(pid);
  }
}

function hasEnded(pid: number): UsageError {
  return new UsageError(
    `there is no process ${pid}, or it has ended; ramekin ps lists the running containers`,
  );
}
