/**
 * The launcher written in C: the same container made by hand, and the one parent of all peers.
 *
 * @module
 */

import { findProgram } from "./machine.ts";

/** What the program's standard output is: /dev/null, or a pipe that is read to its end. */
export type Form = "null" | "pipe";

/** `launch.c`, compiled into a directory. */
export class CLauncher {
  readonly #path: string;

  /** Use {@linkcode CLauncher.compile}. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Compiles the launcher; `undefined` where there is no compiler. */
  static compile(directory: string): CLauncher | undefined {
    const compiler = findProgram("cc");
    if (compiler === undefined) return undefined;
    const source = new URL("launch.c", import.meta.url).pathname;
    const path = `${directory}/launch`;
    const { success } = new Deno.Command(compiler, {
      args: ["-O2", "-Wall", "-o", path, source],
      stdout: "inherit",
      stderr: "inherit",
    }).outputSync();
    if (!success) throw new Error("launch.c does not compile");
    return new CLauncher(path);
  }

  /** Launches a program in namespaces of the launcher's own making; nanoseconds a launch. */
  own(count: number, form: Form, namespaces: number, program: string): Promise<number[]> {
    return this.#launch([], [String(count), form, "own", String(namespaces), program]);
  }

  /** Launches a peer; nanoseconds a launch. `around` is a command that starts the launcher. */
  peer(
    count: number,
    form: Form,
    command: readonly string[],
    around: readonly string[] = [],
  ): Promise<number[]> {
    return this.#launch(around, [String(count), form, "run", ...command]);
  }

  async #launch(around: readonly string[], args: readonly string[]): Promise<number[]> {
    const [first, ...rest] = [...around, this.#path, ...args];
    const { success, stdout, stderr } = await new Deno.Command(first!, { args: rest }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
    return new TextDecoder().decode(stdout).trim().split("\n").map(Number);
  }
}
