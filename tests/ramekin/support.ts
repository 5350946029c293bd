/** Shared parts of the tests of the `ramekin` command. */

import { type Container, recipe } from "../../mod.ts";
import { claim } from "../leftovers.ts";
import { patience } from "../rounds.ts";
import { decode, type ScriptResult, until } from "../other_scripts.ts";

/** The program. */
export const RAMEKIN: string = new URL("../../scripts/ramekin.ts", import.meta.url).pathname;

/** The command that runs it, with the permissions that it is installed with. */
export const RUN: readonly string[] = [
  Deno.execPath(),
  ...[
    "run",
    "--no-check",
    "--no-prompt",
    "--quiet",
    "--allow-ffi",
    "--allow-read",
    "--allow-net",
    RAMEKIN,
  ],
];

/** Runs the program to its end, with these arguments. */
export async function ramekin(...words: string[]): Promise<ScriptResult> {
  return await ramekinWith({}, ...words);
}

/** Runs the program with variables of its environment, in a directory. */
export async function ramekinWith(
  { env = {}, cwd }: { env?: Readonly<Record<string, string>>; cwd?: string },
  ...words: string[]
): Promise<ScriptResult> {
  const [program, ...args] = [...RUN, ...words];
  const process = new Deno.Command(program!, {
    args,
    env: { ...env },
    ...(cwd !== undefined && { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  claim(process.pid);
  const { code, signal, stdout, stderr } = await process.output();
  return { code, signal, stdout: decode(stdout), stderr: decode(stderr) };
}

/** A terminal in which a program runs, and its output so far. */
export class TestTerminal implements AsyncDisposable {
  readonly #container: Container;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #read: Promise<void>;
  #shown = "";

  /** Starts the program, without colours. */
  constructor(words: readonly string[], { cwd }: { cwd?: string } = {}) {
    const [program, ...args] = words;
    this.#container = recipe().command(program!, {
      args,
      env: { NO_COLOR: "1", TERM: "xterm", SHELL: "/bin/sh" },
      terminal: true,
      timeout: patience(120_000),
      stdin: "piped",
      stdout: "piped",
      ...(cwd !== undefined && { cwd }),
    }).spawn();
    this.#writer = this.#container.stdin.getWriter();
    this.#read = this.#collect();
  }

  /** All output so far. */
  get shown(): string {
    return this.#shown.replaceAll("\r\n", "\n");
  }

  /** Types a text. */
  async type(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Waits until a text is shown. */
  async shows(text: string | RegExp): Promise<void> {
    try {
      await until(() =>
        typeof text === "string" ? this.shown.includes(text) : text.test(this.shown)
      );
    } catch {
      throw new Error(`${text} is not shown, but:\n${this.shown}`);
    }
  }

  /** Sends the program a signal. */
  kill(signal: Deno.Signal): void {
    this.#container.kill(signal);
  }

  /** Waits for its end, and returns the exit status. */
  async code(): Promise<number> {
    const { code } = await this.#container.status;
    await this.#read;
    return code;
  }

  async #collect(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#container.stdout) {
      this.#shown += decoder.decode(bytes, { stream: true });
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#writer.releaseLock();
    await this.#container[Symbol.asyncDispose]();
    await this.#read;
  }
}

/** A test with a directory of files, which is removed afterwards. */
export function withFiles(
  files: Readonly<Record<string, string>>,
  body: (directory: string) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o755);
      for (const [name, text] of Object.entries(files)) {
        Deno.writeTextFileSync(`${directory}/${name}`, text);
      }
      await body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}
