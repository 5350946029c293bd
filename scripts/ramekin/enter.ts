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
import type { Arguments } from "./arguments.ts";
import { environmentIn, limitsOf } from "../../container/confinement.ts";
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
      setEnv(environmentIn(pid, asRoot)),
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
