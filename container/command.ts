/**
 * A program in a container, with the shape of `Deno.Command`.
 *
 * @module
 */

import { DEFAULT_PATH } from "../recipe/default_path.ts";
import {
  type EnvironmentStrings,
  environmentStrings,
  environmentVariable,
  nameAt,
} from "../ffi/environment.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import { reactor } from "../ffi/reactor.ts";
import { collectSync, endSync } from "../launch/collect.ts";
import { checkCommand, type CommandOptions, pathOf } from "./command_options.ts";
import { Container } from "./container.ts";
import type { CommandOutput } from "../launch/output.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import type { PlanOptions } from "../plan/builder.ts";
import { PermissionSet } from "../permissions/permission_set.ts";
import type { HostAccess } from "../plan/access/access.ts";
import { requiredAccess } from "../plan/access/required.ts";
import { ContainerProxy } from "../proxy/proxy.ts";
import { proxyVariables } from "../proxy/variables.ts";
import type { Launcher } from "../launch/launcher.ts";
import type { ExecSpec, Terminal } from "../launch/exec.ts";
import type { Plan } from "../launch/listing.ts";
import { StandardStreams, type StdioKind } from "../launch/stdio.ts";
import { collectPromptly } from "./short_program.ts";
import type { JoinStep } from "../recipe/steps/join.ts";
import { ProgramTerminal } from "./terminal/terminal.ts";

/** What a program gets in place of variables of the script's that are not granted. */
const DEFAULT_VARIABLES = { PATH: DEFAULT_PATH, LANG: "C.UTF-8" } as const;

/** The plans of a command's recipe, each with what is laid out of it. */
export interface Plans {
  /** That of all its steps. */
  launcher(gate?: PlanOptions): Launcher;
  /** That of a join, and of the steps that limit programs. */
  launcherBehind(join: JoinStep, gate?: PlanOptions): Launcher;
}

/**
 * A program in a container that does not run yet; made by {@linkcode Recipe.command}. It can be run
 * as often as wanted, each time in a new container.
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, unshare } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const box = recipe(unshare("user", "pid"), mapRoot());
 * const command = box.command("sh", { args: ["-c", "echo $$; exit 3"], stdout: "piped" });
 * console.log(command.plan().entries.length, command.needs().length); // nothing has run
 *
 * assertEquals(command.outputSync().code, 3); // the script waits
 * const { stdout } = await command.output();
 * assertEquals(new TextDecoder().decode(stdout), "1\n");
 * await using container = command.spawn(); // the program runs beside the script
 * assertEquals(await container.stdout.text(), "1\n");
 * ```
 */
export class Command {
  readonly #plans: Plans;
  readonly #launcher: Launcher;
  readonly #plan: PlanBuilder;
  readonly #grants: PermissionSet | undefined;
  readonly #program: string;
  readonly #options: CommandOptions;

  /** Use {@linkcode Recipe.command}. */
  constructor(plans: Plans, program: string | URL, options: CommandOptions) {
    this.#program = pathOf(program);
    this.#options = options;
    checkCommand(this.#program, options);
    const { permissions } = options;
    this.#grants = permissions === undefined ? undefined : new PermissionSet(permissions);
    this.#plans = plans;
    this.#launcher = plans.launcher(this.#grants && { network: this.#grants.network });
    this.#plan = this.#launcher.plan;
  }

  /**
   * What the recipe and the command reach of the host: what {@linkcode Recipe.needs} returns, the
   * program, and the variables of the script's environment that it gets.
   *
   * @throws {RecipeError} where the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`
   */
  needs(): readonly HostAccess[] {
    return this.#needs(this.#plans.launcher({}).plan);
  }

  /**
   * Runs the program to its end, and returns how it has ended and what it has written. Where nothing
   * else is waited for, the script's thread sleeps for a millisecond at first: most programs are short.
   *
   * @throws {PermissionError} where the recipe needs more than its permissions
   * @throws {SyscallError} naming the step that failed
   * @throws {UnsupportedError} where this machine lacks what a step takes
   * @throws {Deno.errors.NotFound} when there is no such program in the container
   * @throws {TypeError} where stdin is piped, as nothing would write to it
   */
  async output(): Promise<CommandOutput> {
    this.#refusePipedInput("output");
    const defaults = ["null", "piped", "piped"] as const;
    if (this.#options.terminal === true) return await this.#startInTerminal(defaults).output();
    const { launched, descriptors } = this.#start(defaults);
    const { signal, timeout } = this.#options;
    const collected = signal?.aborted === true
      ? undefined
      : await collectPromptly(launched, descriptors, timeout);
    return collected ?? await this.#container(launched, descriptors).output();
  }

  /**
   * Runs the program to its end, while the script's thread waits, and returns how it has ended and
   * what it has written.
   *
   * @throws {PermissionError} where the recipe needs more than its permissions
   * @throws {SyscallError} naming the step that failed
   * @throws {UnsupportedError} where this machine lacks what a step takes
   * @throws {Deno.errors.NotFound} when there is no such program in the container
   * @throws {TypeError} where stdin is piped, or the event loop is needed, which stands still: for a
   * terminal, and for a list of hosts that are granted
   */
  outputSync(): CommandOutput {
    this.#refusePipedInput("outputSync");
    if (this.#options.terminal === true) {
      throw new TypeError("a terminal needs the event loop; use output() or spawn()");
    }
    if (this.#grants?.network === "proxy") {
      throw new TypeError("hosts are passed on by the event loop; use output() or spawn()");
    }
    const { signal, timeout } = this.#options;
    signal?.throwIfAborted();
    this.#admit();
    const kinds = this.#kinds(["null", "piped", "piped"]);
    const streams = new StandardStreams(kinds);
    return collectSync(this.#launch(streams), streams.release(), timeout);
  }

  /**
   * Starts the program. When this returns, it runs.
   *
   * @throws {PermissionError} where the recipe needs more than its permissions
   * @throws {SyscallError} naming the step that failed
   * @throws {UnsupportedError} where this machine lacks what a step takes
   * @throws {Deno.errors.NotFound} when there is no such program in the container
   */
  spawn(): Container {
    const defaults = ["inherit", "inherit", "inherit"] as const;
    if (this.#options.terminal === true) return this.#startInTerminal(defaults);
    const { launched, descriptors } = this.#start(defaults);
    return this.#container(launched, descriptors);
  }

  /**
   * Every system call from the clone to the program, without making any.
   *
   * @throws {PermissionError} without `--allow-ffi`
   */
  plan(): Plan {
    return this.#launcher.describe(this.#spec({ stdio: ["null", "null", "null"] }));
  }

  /** Starts the program, and returns the script's sides of its pipes as well. */
  #start(defaults: Kinds): Started {
    const kinds = this.#kinds(defaults);
    this.#admit();
    // A program that is launched has to be waited for: what that takes comes first.
    reactor();
    const streams = new StandardStreams(kinds);
    const launched = this.#withProxy(this.#launch(streams));
    return { launched, descriptors: streams.release() };
  }

  #container(launched: LaunchedProcess, descriptors: Started["descriptors"]): Container {
    const { signal, timeout } = this.#options;
    return new Container(launched, descriptors, { signal, timeout }, this.#enter);
  }

  #startInTerminal(defaults: Kinds): Container {
    const kinds = this.#kinds(defaults);
    const { signal, timeout } = this.#options;
    this.#admit();
    reactor();
    const terminal = new ProgramTerminal(this.#plan.state.terminals !== undefined);
    const launched = this.#withProxy(this.#launchWith(terminal));
    try {
      const ours = terminal.join(launched.terminal, kinds);
      const limits = { signal, timeout, ended: () => terminal.leave() };
      return new Container(launched, ours, limits, this.#enter);
    } catch (error) {
      terminal.close();
      endSync(launched);
      throw error;
    }
  }

  #launch(streams: StandardStreams): LaunchedProcess {
    try {
      return this.#launcher.spawn(this.#spec({ stdio: streams.theirs }));
    } catch (error) {
      streams.close();
      throw error;
    }
  }

  #launchWith(terminal: ProgramTerminal): LaunchedProcess {
    try {
      return this.#launcher.spawn(this.#spec({ terminal: terminal.theirs }));
    } catch (error) {
      terminal.close();
      throw error;
    }
  }

  /** Refuses to run what has not been granted. */
  #admit(): void {
    if (this.#grants === undefined) return;
    this.#grants.require(this.#needs(this.#plan));
  }

  #needs(plan: PlanBuilder): readonly HostAccess[] {
    const { uid, gid, env = {} } = this.#options;
    const inherited = this.#inherits ? environmentStrings().map(nameAt) : [];
    const variables = inherited.filter((name) =>
      !Object.hasOwn(env, name) && !plan.state.environment.has(name)
    );
    return requiredAccess(plan.access, { program: this.#program, uid, gid, variables });
  }

  get #inherits(): boolean {
    return this.#options.clearEnv !== true && !this.#plan.state.clearsEnvironment;
  }

  /** Begins to pass on what goes to the hosts that are granted, until the container ends. */
  #withProxy(launched: LaunchedProcess): LaunchedProcess {
    const { listener, services } = launched;
    const hosts = this.#grants?.hosts;
    if (listener === undefined || hosts === undefined) return launched;
    const proxy = new ContainerProxy(listener, (to) => hosts.connect(to));
    return { ...launched, services: [...services, { end: () => proxy.close() }] };
  }

  /** What the program gets of this process's environment. */
  #inherited(): EnvironmentStrings {
    if (!this.#inherits && this.#plan.state.keptVariables.size === 0) return [];
    const strings = environmentStrings();
    if (this.#inherits && this.#grants === undefined) return strings;
    return strings.filter((address) => this.#inheritsVariable(nameAt(address)));
  }

  #inheritsVariable(name: string): boolean {
    return (this.#inherits || this.#plan.state.keptVariables.has(name)) &&
      (this.#grants?.hasVariable(name) ?? true);
  }

  /** What the environment has beside that, or in place of it. */
  #changes(): ReadonlyMap<string, string> {
    const { environment } = this.#plan.state;
    const grants = this.#grants;
    if (grants === undefined && this.#options.env === undefined) return environment;
    const changes = new Map(environment);
    if (grants !== undefined) {
      for (const [name, value] of this.#inherits ? Object.entries(DEFAULT_VARIABLES) : []) {
        if (!changes.has(name) && !grants.hasVariable(name)) changes.set(name, value);
      }
    }
    const hosts = grants?.hosts;
    for (const [name, value] of hosts ? proxyVariables(hosts) : []) {
      changes.set(name, value);
    }
    for (const [name, value] of Object.entries(this.#options.env ?? {})) changes.set(name, value);
    return changes;
  }

  #spec(
    given: { readonly stdio?: ExecSpec["stdio"]; readonly terminal?: Terminal },
  ): ExecSpec {
    const { args = [], cwd, uid, gid } = this.#options;
    const inherited = this.#inherited();
    const changes = this.#changes();
    const inheritedPath = this.#inheritsVariable("PATH") ? environmentVariable("PATH") : undefined;
    return {
      program: this.#program,
      args,
      environment: { inherited, changes },
      searchPath: changes.get("PATH") ?? inheritedPath ?? DEFAULT_PATH,
      cwd: cwd === undefined ? undefined : pathOf(cwd),
      uid,
      gid,
      stdio: given.stdio ?? [],
      terminal: given.terminal,
    };
  }

  #kinds(defaults: Kinds): Kinds {
    const { stdin, stdout, stderr } = this.#options;
    return [stdin ?? defaults[0], stdout ?? defaults[1], stderr ?? defaults[2]];
  }

  /** A command in all namespaces of a process, and its root, working directory and cgroups. */
  readonly #enter = (
    target: ProcessIdentity,
    program: string | URL,
    options: CommandOptions,
  ): Command => {
    const join: JoinStep = { step: "join", target, root: true, cwd: true, cgroup: true };
    const launcher = (gate?: PlanOptions) => this.#plans.launcherBehind(join, gate);
    return new Command({ ...this.#plans, launcher }, program, options);
  };

  #refusePipedInput(method: string): void {
    if (this.#options.stdin === "piped") {
      throw new TypeError(`${method}() has nobody to write to a piped stdin; use spawn()`);
    }
  }
}

/** What stdin, stdout and stderr are. */
type Kinds = readonly [StdioKind, StdioKind, StdioKind];

/** A program that runs, and the script's sides of its streams. */
interface Started {
  readonly launched: LaunchedProcess;
  readonly descriptors: readonly (number | undefined)[];
}
