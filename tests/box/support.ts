/** Shared parts of the tests of boxes. */

import { type BoxOptions, buildBox } from "../../box/mod.ts";
import { hostname, mapRoot, proc, type Recipe, recipe, tmpfs, unshare } from "../../mod.ts";
import { claim } from "../leftovers.ts";
import { decode } from "../other_scripts.ts";

/** The first recipe of the README. */
export const README: Recipe = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net"),
  mapRoot(),
  tmpfs("/tmp", { size: "10m" }),
  proc(),
  hostname("a-cooler-hostname"),
);

/** How a box has ended. */
export interface BoxResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A box in a file. */
export class BoxFile implements Disposable {
  readonly path: string;
  readonly #directory: string;

  /** Builds it. */
  constructor(box: { readonly steps: Recipe["steps"] }, options?: BoxOptions) {
    this.#directory = Deno.makeTempDirSync();
    Deno.chmodSync(this.#directory, 0o755);
    this.path = `${this.#directory}/box`;
    Deno.writeFileSync(this.path, buildBox(box, options), { mode: 0o755 });
    Deno.chmodSync(this.path, 0o755);
  }

  /** The size of the file. */
  get size(): number {
    return Deno.statSync(this.path).size;
  }

  /** Starts it. */
  spawn(words: readonly string[] = [], options: Deno.CommandOptions = {}): Deno.ChildProcess {
    const process = new Deno.Command(this.path, {
      args: [...words],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...options,
    }).spawn();
    claim(process.pid);
    return process;
  }

  /** Runs it to its end. */
  async run(words: readonly string[] = [], options: Deno.CommandOptions = {}): Promise<BoxResult> {
    const { code, stdout, stderr } = await this.spawn(words, options).output();
    return { code, stdout: decode(stdout), stderr: decode(stderr) };
  }

  /** Runs a shell script in it, and returns its output. */
  async inside(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(["sh", "-euc", script]);
    if (code !== 0) throw new Error(`the script ends with ${code}: ${stderr}`);
    return stdout.trimEnd();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}
