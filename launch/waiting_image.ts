/**
 * What waits in a container until it is told to become the program: an executable of a few hundred
 * bytes, with a table of its own for the engine. Neither the script's memory nor a program of the
 * container's is needed for that.
 *
 * @module
 */

import { type Call, call, Output, pointerList } from "../ffi/call.ts";
import { close, read, write } from "../ffi/calls/files.ts";
import { execve, exit_group } from "../ffi/calls/processes.ts";
import { engine } from "../ffi/engine/engine.ts";
import { assemble, Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { sealedImage } from "./sealed_image.ts";
import { WAIT } from "./wait_bytes.ts";

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
  const { architecture } = engine();
  const table = assemble(recordsOf(program), architecture);
  const code = Uint8Array.fromBase64(WAIT[architecture]);
  const image = new Uint8Array(TABLE_OFFSET + table.bytes.length);
  image.set(code);
  image.set(table.bytes, TABLE_OFFSET);
  const view = new DataView(image.buffer);
  for (const at of table.relocations) {
    const cell = TABLE_OFFSET + at;
    view.setBigUint64(cell, TABLE_ADDRESS + view.getBigUint64(cell, true), true);
  }
  view.setBigUint64(TABLE_SIZES, BigInt(table.bytes.length), true);
  view.setBigUint64(TABLE_SIZES + 8, BigInt(table.bytes.length), true);
  return sealedImage("ramekin-wait", image);
}

/** Where the table lies in the file and in memory; as in wait_x86_64.S and wait_aarch64.S. */
const [TABLE_OFFSET, TABLE_ADDRESS] = [0x1000, 0x411000n];
/** Where the second program header has the size in the file, and behind it that in memory. */
const TABLE_SIZES = 64 + 56 + 32;

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

function complaint(text: string): ProgramRecord[] {
  const bytes = new TextEncoder().encode(text);
  const said: Call = write(2, bytes, bytes.length);
  return [{ call: said, accept: ["EBADF", "EPIPE", "EAGAIN", "EIO", "ENOSPC"] }];
}
