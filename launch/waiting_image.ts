/**
 * What waits in a container until it is told to become the program: an executable of a few hundred
 * bytes, with a table of its own for the engine. Neither the script's memory nor a program of the
 * container's is needed for that.
 *
 * @module
 */

import { call, Output, pointerList } from "../ffi/call.ts";
import { close, read } from "../ffi/calls/files.ts";
import { execve, exit_group } from "../ffi/calls/processes.ts";
import { engine } from "../ffi/engine/engine.ts";
import { assemble, Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { complaint, engineImage } from "./engine_image.ts";

/** The program that a waiting process becomes. */
export interface AwaitedProgram {
  /** The descriptor that it reads a byte from, and closes. */
  readonly descriptor: number;
  /** The calls after that byte. */
  readonly calls: readonly (ProgramRecord | Label)[];
  /** The paths at which the program may be. */
  readonly paths: readonly string[];
  readonly argv: readonly string[];
  /** The environment: `NAME=VALUE`. */
  readonly environment: readonly string[];
}

/** Makes a sealed memfd with the executable. */
export function waitingImage(program: AwaitedProgram): number {
  const table = assemble(recordsOf(program), engine().architecture);
  return engineImage("ramekin-wait", table);
}

function recordsOf(
  { descriptor, calls, paths, argv, environment }: AwaitedProgram,
): (ProgramRecord | Label)[] {
  const [again, told] = [new Label("again"), new Label("told")];
  const [missing, denied] = [new Label("the program is missing"), new Label("it cannot be run")];
  const byte = new Output(1, "&byte");
  const list = pointerList(argv, "argv");
  const variables = pointerList(environment, "envp");
  const attempts = paths.map((path, index): ProgramRecord => {
    const isLast = index === paths.length - 1;
    const edges = isLast
      ? { accept: ["ENOENT"], onAccepted: missing, onFailure: denied } as const
      : { accept: ["ENOENT", "ENOTDIR", "EACCES"], onFailure: denied } as const;
    return { call: execve(path, list, variables), ...edges };
  });
  return [
    // In place of the number of the descriptor that it was executed from.
    { call: call("prctl", PR_SET_NAME, "ramekin-wait") },
    again,
    {
      call: read(descriptor, byte, 1),
      accept: ["EINTR"],
      onAccepted: again,
      onZero: denied,
      onFailure: denied,
      onSuccess: told,
    },
    told,
    { call: close(descriptor) },
    ...calls.map((part) => "call" in part ? { ...part, onFailure: denied } : part),
    ...attempts,
    missing,
    ...complaint(`${argv[0]}: no such file or directory\n`),
    { call: exit_group(127) },
    denied,
    ...complaint(`${argv[0]}: the program could not be started\n`),
    { call: exit_group(126) },
  ];
}

const PR_SET_NAME = 15;
