/** What several of these tests need: pipes, children, and the tools that may be missing. */

import { assertEquals } from "@std/assert";
import { type Call, call, Output, OutputField } from "../../ffi/call.ts";
import { engine, type RunResult } from "../../ffi/engine/engine.ts";
import { assemble, type Label, type ProgramRecord } from "../../ffi/engine/program.ts";

export const O_CLOEXEC = 0o2000000;
export const CLONE_VM = 0x100, CLONE_VFORK = 0x4000;
export const SIGCHLD = 17, SIG_SETMASK = 2;
export const P_PID = 1, WEXITED = 4;
export const CLD_EXITED = 1;

// Loaded before the first test, which would be said to leak it: the engine stays.
engine();

/** What a program is made of. */
export type Parts = readonly (ProgramRecord | Label)[];

/** Runs a program in the calling thread. */
export function run(parts: Parts): RunResult {
  return engine().run(assemble(parts, engine().architecture));
}

/** A pipe that a program makes. */
export class Pipe {
  readonly ends: Output = new Output(8, "&pipe");
  readonly reader: OutputField = new OutputField(this.ends, 0, "pipe[0]");
  readonly writer: OutputField = new OutputField(this.ends, 4, "pipe[1]");
  readonly make: Call;

  constructor(flags = 0) {
    this.make = call("pipe2", this.ends, flags | O_CLOEXEC);
  }

  /** The descriptors, once the pipe has been made. */
  descriptors(outcome: RunResult): [reader: number, writer: number] {
    const ends = outcome.output(this.ends);
    return [ends.getInt32(0, true), ends.getInt32(4, true)];
  }

  closing(): ProgramRecord[] {
    return [{ call: call("close", this.reader) }, { call: call("close", this.writer) }];
  }
}

/** The set of all signals. */
export function everySignal(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(8).fill(0xff);
}

/** Waits for a child to end, and returns the siginfo_t of waitid(2). */
export function waitFor(pid: number): DataView {
  const info = new Output(128);
  const outcome = run([{ call: call("waitid", P_PID, pid, info, WEXITED, 0) }]);
  assertEquals(outcome.failed, undefined);
  return outcome.output(info);
}

/** The exit code in a siginfo_t of waitid(2). */
export function exitCode(info: DataView): number {
  assertEquals(info.getInt32(8, true), CLD_EXITED);
  return info.getInt32(24, true);
}

/** The text in memory. */
export function text(view: DataView): string {
  return new TextDecoder().decode(view);
}

const PACKAGES: Readonly<Record<string, string>> = {
  "as": "binutils",
  "busybox": "busybox-static",
  "gcc": "gcc",
  "ld": "binutils",
  "objcopy": "binutils",
  "qemu-aarch64-static": "qemu-user-static",
  "nsenter": "util-linux",
  "lsns": "util-linux",
};

/** What to install for the first of these programs that is missing, if one is. */
export function missing(...programs: readonly string[]): string | undefined {
  for (const program of programs) {
    try {
      new Deno.Command(program, { args: ["--version"] }).outputSync();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      const cross = program.replace(/-[a-z]+$/, "").replace("x86_64", "x86-64");
      return `install Debian's ${PACKAGES[program] ?? `binutils-${cross}`}`;
    }
  }
  return undefined;
}

/** A test that is ignored where something is missing; its name then says what. */
export function testWith(
  missing: string | undefined,
  name: string,
  test: () => void | Promise<void>,
): void {
  Deno.test(missing ? `${name} (${missing})` : name, { ignore: missing !== undefined }, test);
}
