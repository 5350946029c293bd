/**
 * What waits in a container for `start`: a sealed executable, and the pipe that it reads a byte from.
 *
 * @module
 */

import { at_fdcwd, close, O_CLOEXEC, O_RDWR, openat } from "../ffi/calls/files.ts";
import { syscall } from "../ffi/syscalls.ts";
import { type ExecSpec, execSpec, programPaths } from "../launch/exec.ts";
import { type AwaitedProgram, waitingImage } from "../launch/waiting_image.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import { checkedSteps } from "../recipe/check.ts";
import type { Step } from "../recipe/steps.ts";
import type { ConfigRecipe } from "./config/recipe.ts";
import type { ContainerRecord } from "./state.ts";

/** What waits for `start`, and its pipe, which are descriptors of this process. */
export interface WaitingProgram {
  readonly spec: ExecSpec;
  readonly fifo: number;
  readonly image: number;
}

/**
 * Makes the executable that waits for a byte, and the pipe that the byte comes by.
 *
 * @param given the number that the pipe has in the container, and the program's environment
 */
export function waitingProgram(
  record: ContainerRecord,
  { last, program }: ConfigRecipe,
  { number, environment }: {
    readonly number: number;
    readonly environment: ReadonlyMap<string, string>;
  },
): WaitingProgram {
  const spec = execSpec(program.program, {
    args: program.args,
    environment: { inherited: [], changes: environment },
    searchPath: program.searchPath,
    cwd: program.cwd,
    stdio: ["inherit", "inherit", "inherit"],
  });
  const image = waitingImage({
    descriptor: number,
    calls: callsOf(last),
    paths: programPaths(spec),
    argv: [program.program, ...program.args],
    environment: Array.from(environment, ([name, value]) => `${name}=${value}`),
  });
  try {
    record.makeFifo();
    return { spec, image, fifo: syscall(openat(at_fdcwd, record.fifo, O_RDWR | O_CLOEXEC)) };
  } catch (error) {
    syscall(close(image));
    throw error;
  }
}

/** The calls of steps that need nothing but themselves. */
function callsOf(steps: readonly Step[]): AwaitedProgram["calls"] {
  const { process, beforeProgram } = planRecipe(checkedSteps(steps));
  return [...process.parts, ...beforeProgram];
}
