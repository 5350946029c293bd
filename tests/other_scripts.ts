/**
 * Scripts that tests start as separate processes, to be killed or run with fewer permissions.
 *
 * @module
 */

import { claim } from "./leftovers.ts";
import { patience } from "./rounds.ts";

const MOD = new URL("../mod.ts", import.meta.url).href;

/** The exit status and the output of a script. */
export interface ScriptResult {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running script, with the flags and arguments of its `deno run`. */
export class Script implements AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly #path: string;

  /** Starts a script; it finds this project's module as `ramekin`. */
  constructor(
    code: string,
    flags: readonly string[] = ["--allow-ffi"],
    args: readonly string[] = [],
  ) {
    this.#path = Deno.makeTempFileSync({ suffix: ".ts" });
    Deno.writeTextFileSync(this.#path, `import * as ramekin from "${MOD}";\n${code}`);
    this.process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-config", "--quiet", ...flags, this.#path, ...args],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    claim(this.process.pid);
  }

  /** Waits for its end. */
  async result(): Promise<ScriptResult> {
    const { code, signal, stdout, stderr } = await this.process.output();
    return { code, signal, stdout: decode(stdout), stderr: decode(stderr) };
  }

  /** Removes its file; the script has ended. */
  [Symbol.asyncDispose](): Promise<void> {
    Deno.removeSync(this.#path);
    return Promise.resolve();
  }
}

/** Runs a script to its end. */
export async function runScript(
  code: string,
  flags?: readonly string[],
  args?: readonly string[],
): Promise<ScriptResult> {
  await using script = new Script(code, flags, args);
  return await script.result();
}

/** Reads a stream until the text matches, and unlocks the stream. */
export async function readUntil(
  stream: ReadableStream<Uint8Array>,
  fits: (text: string) => boolean,
): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream.values({ preventCancel: true })) {
    text += decoder.decode(bytes, { stream: true });
    if (fits(text)) break;
  }
  return text;
}

/** Whether there is such a process; zombies do not count. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Polls until a condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + patience(60_000);
  while (performance.now() < end) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it did not happen within ${patience(60)} seconds`);
}

/** Bytes as text. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
