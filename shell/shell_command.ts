/**
 * Template commands.
 *
 * @module
 */

import { retried } from "./attempts.ts";
import type { CommandResult } from "./command_error.ts";
import { collect, readLines, runShown } from "./outputs.ts";
import {
  type CommandInput,
  type CommandTarget,
  joined,
  type Pipeline,
  type Program,
  type RetryOptions,
  type ShellOptions,
  type TargetOptions,
  withEach,
  withLast,
} from "./pipeline.ts";
import { refuseKind } from "./target_kind.ts";
import { type TemplateValue, wordsOf } from "./words.ts";

/**
 * A command that a template has made. It never changes: each method returns another command, or runs
 * it. It starts when it is awaited, or read by `text()`, `lines()` and the like, each time anew.
 *
 * Awaited, it writes to the script's stdout and stderr, and reads nothing. A program that fails throws
 * a {@linkcode CommandError}.
 *
 * @example
 * ```ts
 * import { $ } from "@ramekin/ramekin/shell";
 * import { assertEquals } from "@std/assert";
 *
 * const name = "a name with blanks";
 * assertEquals(await $`echo ${name}`.text(), name);
 * const { code, durationMs } = await $`sh -c "exit 3"`.noThrow();
 * console.log(code, durationMs); // 3 1.2
 * ```
 */
export class ShellCommand implements PromiseLike<CommandResult> {
  readonly #pipeline: Pipeline;

  /** Use a template: `` $`true` ``. */
  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  #with(changes: Partial<Pipeline>): ShellCommand {
    return new ShellCommand({ ...this.#pipeline, ...changes });
  }

  #withEach(change: (program: Program) => Partial<Program>): ShellCommand {
    return new ShellCommand(withEach(this.#pipeline, change));
  }

  #withOptions(options: ShellOptions): ShellCommand {
    return this.#withEach((program) => ({ options: { ...program.options, ...options } }));
  }

  /**
   * Returns a command in which these programs may fail: nothing is thrown, and the result has the
   * code. A program that cannot be started throws even so.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * const { success, code } = await $`grep -q soup /etc/passwd`.noThrow();
   * assertEquals([success, code], [false, 1]);
   * ```
   */
  noThrow(): ShellCommand {
    return this.#withEach(() => ({ mayFail: true }));
  }

  /**
   * Returns a command that shows nothing: stdout is dropped where it is not read, and of stderr only
   * the last lines are kept, for the error.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   *
   * await $`echo this is not seen`.quiet();
   * ```
   */
  quiet(): ShellCommand {
    return this.#withEach(() => ({ quiet: true }));
  }

  /**
   * Returns a command that has variables, besides those that its programs get anyway.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(await $`printenv DISH`.env("DISH", "soup").text(), "soup");
   * assertEquals(await $`printenv DISH`.env({ DISH: "stew" }).text(), "stew");
   * ```
   */
  env(name: string, value: string): ShellCommand;
  /** Sets several variables. */
  env(variables: Readonly<Record<string, string>>): ShellCommand;
  env(name: string | Readonly<Record<string, string>>, value?: string): ShellCommand {
    const variables = typeof name === "string" ? { [name]: value! } : name;
    return this.#withEach(({ options }) => ({
      options: { ...options, env: { ...options.env, ...variables } },
    }));
  }

  /**
   * Returns a command that runs in a directory, of the container if it has one.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(await $`pwd`.cwd("/usr").text(), "/usr");
   * ```
   */
  cwd(directory: string | URL): ShellCommand {
    return this.#withOptions({ cwd: directory });
  }

  /**
   * Returns a command whose programs are ended after a time, in milliseconds: by SIGTERM, and SIGKILL
   * where that does not help (`killAfter`).
   *
   * @example
   * ```ts
   * import { $, CommandError } from "@ramekin/ramekin/shell";
   * import { assert, assertRejects } from "@std/assert";
   *
   * const error = await assertRejects(async () => await $`sleep 60`.timeout(50), CommandError);
   * assert(error.timedOut);
   * ```
   */
  timeout(milliseconds: number): ShellCommand {
    return this.#withOptions({ timeout: milliseconds });
  }

  /**
   * Returns a command whose programs are ended when a signal is aborted; its reason is thrown then.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertRejects } from "@std/assert";
   *
   * const stop = new AbortController();
   * const running = $`sleep 60`.signal(stop.signal).code();
   * stop.abort(new Error("enough"));
   * await assertRejects(() => running, Error, "enough");
   * ```
   */
  signal(signal: AbortSignal): ShellCommand {
    return this.#withOptions({ signal });
  }

  /**
   * Returns a command that is run again when it fails, up to so many times, with a delay in between.
   *
   * @example
   * ```ts
   * import { $, CommandError } from "@ramekin/ramekin/shell";
   * import { assertRejects } from "@std/assert";
   *
   * const command = $`false`.retry(2, { delay: (failed) => 10 * 2 ** failed });
   * await assertRejects(async () => await command, CommandError); // it has run three times
   * ```
   *
   * @throws {TypeError} when it is run, if its input is a stream or an open file, which can be read
   * only once, or if it is read by `lines()`
   */
  retry(times: number, options: RetryOptions = {}): ShellCommand {
    if (!Number.isInteger(times) || times < 0) {
      throw new TypeError(`the number of retries should be 0 or more, not ${times}`);
    }
    return this.#with({ retry: { ...options, times } });
  }

  /**
   * Returns a command that writes itself to the script's stderr before it starts.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   *
   * await $`echo ${"two words"}`.printCommand(); // $ echo 'two words'
   * ```
   */
  printCommand(): ShellCommand {
    return this.#with({ prints: true });
  }

  /**
   * Returns a pipe: the other command reads what this one writes. It is a pipe of the kernel's, also
   * between two containers: the script does not see the bytes. All programs run at the same time, and
   * an error of any is thrown once all have ended (pipefail). A program that SIGPIPE has ended, as its
   * reader has read enough, has not failed; one that is PID 1 gets no SIGPIPE (pid_namespaces(7)), so
   * a container of its own needs `init()` for that, as `sandbox()` has it. A template makes the other command with the same `$`.
   *
   * Methods that follow are for all programs of the pipe, except those of stdin, which are for the
   * first one, and those of stdout, which are for the last one.
   *
   * @example
   * ```ts
   * import { $, shell } from "@ramekin/ramekin/shell";
   * import { sandbox } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const box = shell(sandbox());
   * const pipe = $`printf ${"b\na\n"}`.pipe(box`sort`).pipe`head -1`;
   * assertEquals(await pipe.text(), "a");
   * assertEquals((await pipe.quiet()).programs.map(({ code }) => code), [0, 0, 0]);
   * ```
   *
   * @throws {TypeError} if this command writes elsewhere, the other reads from elsewhere, or either
   * is to be retried by itself
   */
  pipe(other: ShellCommand): ShellCommand;
  /** Pipes into the command of a template. */
  pipe(template: TemplateStringsArray, ...values: TemplateValue[]): ShellCommand;
  pipe(other: ShellCommand | TemplateStringsArray, ...values: TemplateValue[]): ShellCommand {
    const next = other instanceof ShellCommand ? other : this.#made(other, values);
    return new ShellCommand(joined(this.#pipeline, next.#pipeline));
  }

  #made(template: TemplateStringsArray, values: readonly TemplateValue[]): ShellCommand {
    const { make, base } = this.#pipeline.programs.at(-1)!;
    return commandOf(make, base, template, values);
  }

  /**
   * Returns a command that reads a text, bytes, a file, the body of a response, or a stream. The
   * script's own stdin is `Deno.stdin`.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(await $`wc -c`.stdin("soup").text(), "4");
   * assertEquals(await $`wc -c`.stdin(new Response("stew and soup")).text(), "13");
   * assertEquals(await $`head -c 4`.stdin({ path: "/etc/passwd" }).text(), "root");
   * ```
   */
  stdin(input: CommandInput): ShellCommand {
    return this.#with({ input });
  }

  /**
   * Returns a command that writes to a file by its path, an open file, or a stream, in place of the
   * script's stdout.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   *
   * await $`echo soup`.stdout("/dev/null", { append: true });
   * await $`echo soup`.stdout(Deno.stderr);
   * await $`echo soup`.stdout(new WritableStream({ write: (bytes) => console.log(bytes.length) }));
   * ```
   *
   * @throws {TypeError} for a word that `recipe.command()` takes, as `"null"`, and no path
   */
  stdout(target: CommandTarget, options: TargetOptions = {}): ShellCommand {
    refuseKind("stdout", target);
    return this.#with({ output: { ...options, target } });
  }

  /**
   * Returns a command whose last program writes its errors to a file or a stream. They are not among
   * the last lines that an error shows then.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   *
   * await $`ls /nonesuch`.stderr("/dev/null").noThrow();
   * ```
   *
   * @throws {TypeError} for a word that `recipe.command()` takes, as `"null"`, and no path
   */
  stderr(target: CommandTarget, options: TargetOptions = {}): ShellCommand {
    refuseKind("stderr", target);
    return new ShellCommand(withLast(this.#pipeline, { stderr: { ...options, target } }));
  }

  /**
   * Returns a command whose last program writes its errors to where its output goes, so that both
   * stay in order.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * const script = "echo 1; echo 2 >&2; echo 3";
   * assertEquals(await $`sh -c ${script}`.all().text(), "1\n2\n3");
   * ```
   */
  all(): ShellCommand {
    return new ShellCommand(withLast(this.#pipeline, { stderr: "stdout" }));
  }

  /**
   * Returns a command whose output goes to a file or a stream as well: the script passes it on. The
   * default is the script's stdout, to see what is read at the same time.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(await $`echo soup`.tee().text(), "soup"); // and it is shown
   * await $`echo soup`.tee("/dev/null");
   * ```
   *
   * @throws {TypeError} for a word that `recipe.command()` takes, as `"null"`, and no path
   */
  tee(target: CommandTarget = Deno.stdout, options: TargetOptions = {}): ShellCommand {
    refuseKind("tee", target);
    return this.#with({ tees: [...this.#pipeline.tees, { ...options, target }] });
  }

  /**
   * Runs the command, and resolves when all its programs have ended. `await` calls this.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   *
   * const { durationMs, usage } = await $`true`;
   * console.log(durationMs, usage.userMs);
   * $`true`.then(() => console.log("done"));
   * ```
   */
  then<T = CommandResult, E = never>(
    onResult?: ((result: CommandResult) => T | PromiseLike<T>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<T | E> {
    return retried(this.#pipeline, () => runShown(this.#pipeline)).then(({ result }) => result)
      .then(onResult, onError);
  }

  /**
   * Runs the command, and returns its exit code: a failure throws nothing.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(await $`test -e /nonesuch`.code(), 1);
   * ```
   */
  async code(): Promise<number> {
    return (await this.noThrow()).code;
  }

  /**
   * Runs the command, and returns what it writes to stdout.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(await $`printf ab`.bytes(), new Uint8Array([97, 98]));
   * ```
   */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return (await retried(this.#pipeline, () => collect(this.#pipeline))).stdout;
  }

  /**
   * Runs the command, and returns what it writes to stdout as a text, without the end of its last
   * line.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(await $`echo soup`.text(), "soup");
   * ```
   */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes()).replace(/\r?\n$/, "");
  }

  /**
   * Runs the command, and returns the value whose JSON it writes to stdout.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * assertEquals(await $`echo ${'{ "dish": "soup" }'}`.json(), { dish: "soup" });
   * ```
   */
  async json<T = unknown>(): Promise<T> {
    return JSON.parse(await this.text());
  }

  /**
   * Runs the command, and yields the lines of its stdout as they are written, without their ends.
   * What is not read is not written: the program waits. Leaving the loop ends the programs, and
   * throws nothing.
   *
   * @example
   * ```ts
   * import { $ } from "@ramekin/ramekin/shell";
   * import { assertEquals } from "@std/assert";
   *
   * for await (const line of $`yes soup`.lines()) {
   *   assertEquals(line, "soup");
   *   break;
   * }
   * assertEquals(await Array.fromAsync($`seq 3`.lines()), ["1", "2", "3"]);
   * ```
   */
  async *lines(): AsyncGenerator<string, void> {
    yield* readLines(this.#pipeline);
  }
}

/** Returns the command of a template. */
export function commandOf(
  make: Program["make"],
  base: ShellOptions,
  template: TemplateStringsArray,
  values: readonly TemplateValue[],
): ShellCommand {
  const words = wordsOf(template, values) as [string, ...string[]];
  const program = { make, base, words, options: base, mayFail: false, quiet: false };
  return new ShellCommand({ programs: [program], tees: [], prints: false });
}
