/**
 * A program that is kept running.
 *
 * @module
 */

import type { Command } from "../container/command.ts";
import type { CommandOptions } from "../container/command_options.ts";
import type { Container, StopOptions } from "../container/container.ts";
import { commandOptionsOf } from "./check_service.ts";
import { after } from "../container/timer.ts";
import { type Recipe, recipe } from "../container/recipe.ts";
import { isContainerName } from "../recipe/container_name.ts";
import { RamekinError } from "../ffi/errors.ts";
import { type CommandStatus, describeEnd } from "../launch/status.ts";
import { type ServiceLog, ServiceOutput } from "./output.ts";
import { type Readiness, sleep, untilReady } from "./ready.ts";
import { type RestartOptions, Restarts } from "./restart.ts";
import { Watchdog } from "./watchdog.ts";

/** How the health of a service is checked. */
export interface HealthOptions {
  /** The pause between checks, in milliseconds. */
  readonly every: number;
  /** A program that enters the container, with its arguments; or a check of the script's. */
  readonly command: readonly [string, ...string[]] | ((container: Container) => Promise<boolean>);
  /** How long a program may take for a check, in milliseconds. The default is 10 seconds. */
  readonly timeout?: number;
  /** After how many failures in a row the service is stopped. The default is 3. */
  readonly failures?: number;
}

/** A service: a program, and what keeps it running. */
export interface ServiceOptions extends
  Pick<
    CommandOptions,
    | "args"
    | "argv0"
    | "clearEnv"
    | "cwd"
    | "env"
    | "fds"
    | "gid"
    | "killAfter"
    | "permissions"
    | "uid"
  > {
  /** The program. */
  readonly program: string | URL;
  /** The recipe of its containers. Without it, the program runs as any other of this machine. */
  readonly recipe?: Recipe;
  /**
   * When it is ready. Without it, as soon as the program runs. With `"notify"`, the program tells, and
   * also what it does: events of the kinds `status` and `stopping`.
   */
  readonly ready?: Readiness;
  /** How long that may take, in milliseconds; then it is stopped. The default is a minute. */
  readonly readyTimeout?: number;
  /** Whether it is started again when it has ended. */
  readonly restart?: RestartOptions;
  /** How its health is checked, once it is ready. */
  readonly health?: HealthOptions;
  /**
   * How long the program may be silent once it is ready, in milliseconds, if it speaks sd_notify(3). It
   * gets WATCHDOG_USEC, and sends `WATCHDOG=1` more often than that; else it is stopped by SIGABRT,
   * which counts as a failure.
   */
  readonly watchdog?: number;
  /**
   * Where its output goes: to a file, to a function by lines, or as the script's own.
   *
   * @default {"inherit"}
   */
  readonly log?: ServiceLog;
}

/** What happens to a service. */
export type ServiceEvent =
  & {
    /** The name of the service. */
    readonly service: string;
    /** When it has happened. */
    readonly time: Date;
  }
  & (
    | { readonly kind: "started"; readonly pid: number }
    | { readonly kind: "ready" }
    | { readonly kind: "status"; readonly text: string }
    | { readonly kind: "stopping" }
    | { readonly kind: "unhealthy"; readonly failures: number }
    | { readonly kind: "ended"; readonly status: CommandStatus; readonly reason: string }
    | { readonly kind: "failed"; readonly error: unknown; readonly reason: string }
    | { readonly kind: "restarting"; readonly delay: number; readonly restarts: number }
    | { readonly kind: "stopped" }
  );

/** An event without the service and the time. */
type Happening = ServiceEvent extends infer Event
  ? Event extends ServiceEvent ? Omit<Event, "service" | "time"> : never
  : never;

/**
 * A service that has ended for good before it was ready.
 *
 * @example
 * ```ts
 * import { ServiceError, supervise } from "@ramekin/ramekin/services";
 * import { assertRejects } from "@std/assert";
 *
 * await using kitchen = supervise({
 *   cook: { program: "false", ready: () => false, log: "null" },
 * });
 * await assertRejects(() => kitchen.ready, ServiceError, "cook failed with code 1");
 * ```
 */
export class ServiceError extends RamekinError {
  /** `"ServiceError"`. */
  override readonly name = "ServiceError";
  /** The name of the service. */
  readonly service: string;

  /** Creates the error of a service. */
  constructor(service: string, reason: string, options: ErrorOptions = {}) {
    // The error of a container has its fix in lines of their own.
    const [issue, ...advice] = reason.split("\n").map((line) => line.trim());
    super(`the service ${service} ${issue}`, { ...options, advice });
    this.service = service;
  }
}

/** A program that is kept running: one of {@linkcode Supervisor.services}. */
export interface Service {
  /** Its name. */
  readonly name: string;
  /** Resolves when it was ready for the first time; rejects if it never will be. */
  readonly ready: Promise<void>;
  /** Its container, while it runs. */
  readonly container: Container | undefined;
  /** Whether it runs, and has been ready since it was started. */
  readonly isReady: boolean;
  /** How often it was started again. */
  readonly restarts: number;
  /** How it has ended the last time. */
  readonly status: CommandStatus | undefined;
  /** Stops it for good, by a signal and later SIGKILL: see `container.stop()`. */
  stop(options?: StopOptions): Promise<void>;
}

/** What keeps a service running. */
export class ServiceRunner implements Service {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly #options: ServiceOptions;
  readonly #emit: (event: ServiceEvent) => void;
  readonly #restarts: Restarts;
  readonly #stopping = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  #container: Container | undefined;
  /** Is told that the program that runs is ready, by a line or a message. */
  #seen = Promise.withResolvers<void>();
  /** Of the program that runs. */
  #watchdog: Watchdog | undefined;
  #isReady = false;
  #status: CommandStatus | undefined;
  #running: Promise<void> | undefined;
  #stopOptions: StopOptions = {};

  /** Use {@linkcode supervise}. */
  constructor(name: string, options: ServiceOptions, emit: (event: ServiceEvent) => void) {
    this.name = name;
    this.#options = options;
    this.#emit = emit;
    this.#restarts = new Restarts(options.restart ?? {});
    this.ready = this.#settled.promise;
    this.ready.catch(() => {});
  }

  get container(): Container | undefined {
    return this.#container;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get restarts(): number {
    return this.#restarts.count;
  }

  get status(): CommandStatus | undefined {
    return this.#status;
  }

  /** Starts it, unless it was; resolves when it has ended for good. */
  run(): Promise<void> {
    return this.#running ??= this.#run();
  }

  /** Takes it that it will not be started, as another that it comes after has failed. */
  skip(error: unknown): void {
    this.#running ??= Promise.resolve();
    this.#settled.reject(error);
  }

  async stop(options: StopOptions = {}): Promise<void> {
    this.#stopOptions = options;
    this.#stopping.abort();
    this.#running ??= Promise.resolve();
    this.#settled.reject(new ServiceError(this.name, "was stopped before it was ready"));
    await Promise.all([this.#container?.stop(options), this.#running]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    using output = this.#output();
    const command = output && this.#command();
    while (output !== undefined && command !== undefined && !signal.aborted) {
      const reason = await this.#runOnce(command, output);
      if (signal.aborted) break;
      const delay = this.#restarts.after(this.#status);
      if (delay === undefined) {
        this.#settled.reject(new ServiceError(this.name, reason));
        break;
      }
      this.#tell({ kind: "restarting", delay, restarts: this.restarts });
      await sleep(delay, signal);
    }
    this.#tell({ kind: "stopped" });
  }

  /** Runs it to its end, and returns that in words. */
  async #runOnce(command: Command, output: ServiceOutput): Promise<string> {
    this.#status = undefined;
    this.#seen = Promise.withResolvers();
    const { ready, watchdog } = this.#options;
    this.#watchdog = watchdog === undefined ? undefined : new Watchdog(watchdog);
    let container: Container;
    try {
      container = command.spawn();
    } catch (error) {
      return this.#failed(error);
    }
    this.#container = container;
    this.#tell({ kind: "started", pid: container.pid });
    const ended = new AbortController();
    const handlers = {
      watch: (text: string) => {
        if (isLine(ready) && ready.line.test(text)) this.#seen.resolve();
      },
      failed: (error: unknown) => void this.#failed(error),
    };
    const passing = Promise.all([
      output.pass(container.stdout, "stdout", handlers),
      output.pass(container.stderr, "stderr", handlers),
    ]);
    const watching = this.#watch(container, ended.signal, this.#seen.promise);
    if (this.#stopping.signal.aborted) void container.stop(this.#stopOptions);
    const status = this.#status = await container.status;
    ended.abort();
    this.#isReady = false;
    this.#container = undefined;
    await container[Symbol.asyncDispose]();
    const [, watched] = await Promise.allSettled([passing, watching]);
    const reason = watched.status === "fulfilled" && watched.value || describeEnd(status);
    this.#tell({ kind: "ended", status, reason });
    return reason;
  }

  /**
   * Waits until it is ready, and looks after its health then. Returns why it was stopped, if it was.
   */
  async #watch(
    container: Container,
    ended: AbortSignal,
    seen: Promise<void>,
  ): Promise<string | undefined> {
    const { ready, readyTimeout = 60_000, health } = this.#options;
    const late = new AbortController();
    const end = () => late.abort();
    ended.addEventListener("abort", end);
    const stopTimer = after(readyTimeout, end);
    const isReady = ready === undefined ||
      (isLine(ready) || ready === "notify"
        ? await Promise.race([seen.then(() => true), aborted(late.signal)])
        : await untilReady(ready, container, late.signal));
    stopTimer();
    if (ended.aborted) return undefined;
    if (!isReady) {
      const reason = `was not ready after ${readyTimeout} ms`;
      this.#failed(new Error(`it ${reason}`));
      void container.stop();
      return reason;
    }
    this.#isReady = true;
    this.#tell({ kind: "ready" });
    this.#settled.resolve();
    return await Promise.race([
      ...(health === undefined ? [] : [this.#watchHealth(container, ended, health)]),
      this.#watchSilence(container, ended),
    ]);
  }

  async #watchSilence(container: Container, ended: AbortSignal): Promise<string | undefined> {
    if (this.#watchdog === undefined) return await aborted(ended).then(() => undefined);
    const reason = await this.#watchdog.bites(ended);
    if (reason === undefined) return undefined;
    this.#tell({ kind: "unhealthy", failures: 1 });
    void container.stop({ signal: "SIGABRT" });
    return reason;
  }

  async #watchHealth(
    container: Container,
    ended: AbortSignal,
    { every, command, timeout = 10_000, failures = 3 }: HealthOptions,
  ): Promise<string | undefined> {
    const check = async () => {
      if (typeof command === "function") return await command(container);
      const [program, ...args] = command;
      const options = { args, timeout, stdin: "null", stdout: "null", stderr: "null" } as const;
      return (await container.enter(program, options).output()).success;
    };
    for (let failed = 0; failed < failures;) {
      await sleep(every, ended);
      if (ended.aborted) return undefined;
      failed = await check().catch(() => false) ? 0 : failed + 1;
      if (ended.aborted) return undefined;
      if (failed > 0) this.#tell({ kind: "unhealthy", failures: failed });
    }
    void container.stop();
    return `was not healthy ${failures} times in a row`;
  }

  #output(): ServiceOutput | undefined {
    try {
      return new ServiceOutput(this.#options.log ?? "inherit");
    } catch (error) {
      this.#settled.reject(new ServiceError(this.name, this.#failed(error), { cause: error }));
      return undefined;
    }
  }

  #command(): Command | undefined {
    const { program, recipe: box = recipe(), ready, watchdog, env } = this.#options;
    try {
      return box.command(program, {
        ...commandOptionsOf(this.#options),
        ...(watchdog !== undefined &&
          { env: { ...env, WATCHDOG_USEC: String(watchdog * 1000) } }),
        ...(isContainerName(this.name) && { name: this.name }),
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        ...((ready === "notify" || watchdog !== undefined) &&
          { notify: (message) => this.#take(message) }),
      });
    } catch (error) {
      this.#settled.reject(new ServiceError(this.name, this.#failed(error), { cause: error }));
      return undefined;
    }
  }

  /** Takes what the program tells of itself. See sd_notify(3). */
  #take(message: Readonly<Record<string, string>>): void {
    const { READY, STATUS, STOPPING } = message;
    this.#watchdog?.take(message);
    if (STATUS !== undefined) this.#tell({ kind: "status", text: STATUS });
    if (STOPPING === "1") this.#tell({ kind: "stopping" });
    if (READY === "1") this.#seen.resolve();
  }

  #failed(error: unknown): string {
    const reason = error instanceof Error ? error.message : String(error);
    this.#tell({ kind: "failed", error, reason });
    return `has failed: ${reason}`;
  }

  #tell(event: Happening): void {
    this.#emit({ service: this.name, time: new Date(), ...event });
  }
}

function isLine(ready: Readiness | undefined): ready is { readonly line: RegExp } {
  return typeof ready === "object" && "line" in ready;
}

/** Resolves with `false` when it is aborted. */
function aborted(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    signal.addEventListener("abort", () => resolve(false), { once: true });
  });
}
