/**
 * A program in a container, with the shape of `Deno.Command`.
 *
 * @module
 */

import type { Audit } from "../audit/audit.ts";
import { DEFAULT_PATH } from "../recipe/default_path.ts";
import { includesVariable } from "../recipe/variable_pattern.ts";
import {
  type EnvironmentStrings,
  environmentStrings,
  environmentVariable,
  nameAt,
} from "../ffi/environment.ts";
import { SyscallError } from "../ffi/errors.ts";
import { RecipeError } from "../recipe/errors.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import { reactor } from "../ffi/reactor.ts";
import { SHORTEST_LAUNCH, USUAL_GRACE } from "../launch/ask_to_end.ts";
import { collectSync, endSync } from "../launch/collect.ts";
import { checkCommand, checkEnteringUser, type CommandOptions } from "./command_options.ts";
import { pathOf } from "./command_paths.ts";
import { Container, type ContainerLimits, type Entrance } from "./container.ts";
import { networkSteps, orEnded } from "./enter_steps.ts";
import { IN_ROOT } from "./files/place.ts";
import { passOnOutput, StreamPumps } from "./passed_streams.ts";
import { handedFds, LaunchStdio, type PassedStreams, passedStreams } from "./launch_stdio.ts";
import type { CommandOutput } from "../launch/output.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import type { PlanBuilder, PlanOptions } from "../plan/builder.ts";
import { PermissionSet } from "../permissions/permission_set.ts";
import type { HostAccess } from "../plan/access/access.ts";
import { reachesSockets, requiredAccess } from "../plan/access/required.ts";
import { serveContainer, type Served } from "./services.ts";
import { Hosts } from "../proxy/hosts.ts";
import { proxyVariables } from "../proxy/variables.ts";
import { HandedFds } from "../launch/handed_fds.ts";
import { newNotifyName, notifyVariable } from "../launch/notify_socket.ts";
import type { Launcher } from "../launch/launcher.ts";
import { accepts } from "../launch/accepts.ts";
import { visit } from "../launch/visit.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import type { ExecSpec, Terminal } from "../launch/exec.ts";
import type { Plan } from "../launch/listing.ts";
import { StandardStreams, type StdioKind, type StdioSources } from "../launch/stdio.ts";
import { collectPromptly } from "./short_program.ts";
import { ProgramTerminal } from "./terminal/terminal.ts";

/** The variables that a program gets in place of the script's, unless these are granted. */
const DEFAULT_VARIABLES = { PATH: DEFAULT_PATH, LANG: "C.UTF-8" } as const;

/** How many plans are made for one launch, as files that a plan has found may be gone by then. */
const MOST_PLANS = 10;

/** The launchers of a command's recipe. */
export interface Plans {
  /** Returns the launcher of all steps. */
  launcher(options?: PlanOptions): Launcher;
  /** Returns the launcher of a program that enters a container of the recipe. */
  entering(target: ProcessIdentity, user: "program" | "root", options?: PlanOptions): Launcher;
  /** Returns the plan by which the script looks into a container of the recipe. */
  visiting(target: ProcessIdentity, user: "program" | "root"): PlanBuilder;
  /** Returns the error to throw in place of that of a launch. */
  readonly explain?: (error: unknown) => unknown;
}

/**
 * A program in a container, which does not run yet; made by {@linkcode Recipe.command}. It can be
 * run repeatedly, each time in a new container.
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
  #launcher: Launcher;
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
    this.#launcher = plans.launcher(this.#planOptions);
    if (this.#isAudited) this.#checkAudit();
  }

  get #isAudited(): boolean {
    return (this.#options.audit ?? false) !== false;
  }

  #checkAudit(): void {
    if (this.#options.fds !== undefined) {
      throw new TypeError("an audit leaves the program no descriptors beside its streams (fds)");
    }
    if (this.#plan.notifier !== undefined) return;
    throw new RecipeError(
      "an audit takes a filter of system calls, and the recipe has no seccomp()",
    );
  }

  get #plan(): PlanBuilder {
    return this.#launcher.plan;
  }

  get #planOptions(): PlanOptions {
    const grants = this.#grants;
    const detached = this.#options.detached || undefined;
    const audit = this.#isAudited || undefined;
    if (grants === undefined) return { detached, audit };
    return {
      detached,
      audit,
      network: grants.network,
      admit: (access) => grants.require([access]),
    };
  }

  /** Makes the plan anew if the host has changed; that of a join is for a process as it was. */
  #refresh(): void {
    if (!this.#plan.isMomentary) this.#launcher = this.#plans.launcher(this.#planOptions);
  }

  /**
   * Returns the access to the host that the recipe and the command need: that of
   * {@linkcode Recipe.needs}, the program, and the script's variables that it gets.
   *
   * @throws {RecipeError} if the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`
   */
  needs(): readonly HostAccess[] {
    const { detached } = this.#planOptions;
    return this.#needs(this.#plans.launcher({ detached }).plan);
  }

  /**
   * Runs the program to its end, and returns its status and output. If the event loop has nothing
   * else to wait for, the script's thread blocks for up to a millisecond first, because most
   * programs are short.
   *
   * @throws {PermissionError} if the recipe needs more than its permissions
   * @throws {SyscallError} if a call fails, with the step
   * @throws {UnsupportedError} if this machine lacks something that a step needs
   * @throws {LaunchTimeoutError} if the launch is not done by `timeout` and `killAfter` together
   * @throws {Deno.errors.NotFound} if there is no such program in the container
   * @throws {OutputLimitError} if it writes more than `maxOutput`
   * @throws {RamekinError} if the program has a root of its own, and would inherit a directory, or a
   * socket without a connection
   * @throws {TypeError} if stdin is piped, because nothing would write to it
   */
  async output(): Promise<CommandOutput> {
    this.#refusePipedInput("output");
    const defaults = ["null", "piped", "piped"] as const;
    if (this.#options.terminal === true) return await this.#startInTerminal(defaults).output();
    const started = this.#start(defaults);
    const { launched, descriptors, passed } = started;
    const { timeout, maxOutput } = this.#limits;
    // An audited program waits for the event loop. Such a bound is not one of what is passed on.
    const takesLonger = started.audit !== undefined || this.#options.notify !== undefined ||
      passed !== undefined && (passed.input !== undefined || maxOutput !== undefined);
    const collected = takesLonger
      ? undefined
      : await collectPromptly(launched, descriptors, timeout, maxOutput);
    if (collected === undefined) return await this.#container(started).output();
    return passed === undefined ? collected : await passOnOutput(collected, passed, descriptors);
  }

  /**
   * Runs the program to its end, while the script's thread blocks, and returns its status and
   * output. In a Worker, `terminate()` ends neither that nor the program, as it interrupts nothing
   * that runs (Deno 2.9); `output()` it ends.
   *
   * @throws {PermissionError} if the recipe needs more than its permissions
   * @throws {SyscallError} if a call fails, with the step
   * @throws {UnsupportedError} if this machine lacks something that a step needs
   * @throws {LaunchTimeoutError} if the launch is not done by `timeout` and `killAfter` together
   * @throws {Deno.errors.NotFound} if there is no such program in the container
   * @throws {OutputLimitError} if it writes more than `maxOutput`
   * @throws {RamekinError} if the program has a root of its own, and would inherit a directory, or a
   * socket without a connection
   * @throws {TypeError} if stdin is piped, or the event loop is needed: for a terminal, for messages
   * (`notify`), or for a list of granted hosts
   */
  outputSync(): CommandOutput {
    this.#refusePipedInput("outputSync");
    if (this.#options.terminal === true) {
      throw new TypeError("a terminal needs the event loop; use output() or spawn()");
    }
    if (this.#isAudited) {
      throw new TypeError("an audit needs the event loop; use output() or spawn()");
    }
    if (this.#options.notify !== undefined) {
      throw new TypeError("notify() needs the event loop; use output() or spawn()");
    }
    if (this.#hosts !== undefined) {
      throw new TypeError("a list of hosts needs the event loop; use output() or spawn()");
    }
    if (passedStreams(this.#options) !== undefined) {
      throw new TypeError("a stream needs the event loop; use output() or spawn()");
    }
    this.#admit();
    const { launched, descriptors } = this.#launchWith(["null", "piped", "piped"]);
    return collectSync(launched, descriptors, this.#limits);
  }

  /**
   * Starts the program, which runs when this returns.
   *
   * @throws {PermissionError} if the recipe needs more than its permissions
   * @throws {SyscallError} if a call fails, with the step
   * @throws {UnsupportedError} if this machine lacks something that a step needs
   * @throws {LaunchTimeoutError} if the launch is not done by `timeout` and `killAfter` together
   * @throws {Deno.errors.NotFound} if there is no such program in the container
   * @throws {RamekinError} if the program has a root of its own, and would inherit a directory, or a
   * socket without a connection
   */
  spawn(): Container {
    const defaults = ["inherit", "inherit", "inherit"] as const;
    if (this.#options.terminal === true) return this.#startInTerminal(defaults);
    return this.#container(this.#start(defaults));
  }

  /**
   * Returns every system call of a launch, without making any.
   *
   * @throws {PermissionError} without `--allow-ffi`
   */
  plan(): Plan {
    this.#refresh();
    return this.#launcher.describe(this.#spec({ stdio: ["null", "null", "null"] }));
  }

  /** Starts the program, and returns it with the script's ends of its pipes. */
  #start(defaults: Kinds): Started {
    const passed = passedStreams(this.#options);
    this.#admit();
    // The reactor is made first: without it, a launched program could not be waited for.
    reactor();
    const { launched, descriptors } = this.#launchWith(defaults);
    return { ...this.#served(launched), descriptors, passed };
  }

  #launchWith(defaults: Kinds): Started {
    const stdio = new LaunchStdio(this.#options, defaults);
    try {
      return this.#launchOn(stdio.sources);
    } finally {
      stdio.close();
    }
  }

  #launchOn(sources: StdioSources): Started {
    const streams = new StandardStreams(sources, this.#plan.state.hasOwnRoot);
    const launched = this.#launch({ stdio: streams.theirs }, streams);
    const services = [...launched.services, ...streams.services];
    return { launched: { ...launched, services }, descriptors: streams.release() };
  }

  #container({ launched, audit, descriptors, passed }: Started): Container {
    const limits = { ...this.#limits, audit };
    if (passed === undefined) {
      return new Container(launched, descriptors, limits, this.#entrance);
    }
    const pumps = new StreamPumps(passed, descriptors);
    const taken = (fd: number) => fd === 0 ? passed.input !== undefined : passed.outputs.has(fd);
    const others = descriptors.map((descriptor, fd) => taken(fd) ? undefined : descriptor);
    return new Container(launched, others, limits, this.#entrance, pumps);
  }

  /** A launch may take as long as a program that does not end when it is asked to. */
  get #timeLimit(): number | undefined {
    const { timeout, killAfter = USUAL_GRACE } = this.#limits;
    return timeout === undefined ? undefined : Math.max(timeout, SHORTEST_LAUNCH) + killAfter;
  }

  get #limits(): ContainerLimits {
    const { signal, killAfter } = this.#options;
    const { timeout = this.#plan.state.timeout, maxOutput = this.#plan.state.maxOutput } =
      this.#options;
    return { signal, killAfter, timeout: boundOf(timeout), maxOutput: boundOf(maxOutput) };
  }

  #startInTerminal(defaults: Kinds): Container {
    const kinds = this.#terminalKinds(defaults);
    this.#admit();
    reactor();
    const terminal = new ProgramTerminal(this.#plan.state.terminals !== undefined);
    const { launched, audit } = this.#served(
      this.#launch({ terminal: terminal.theirs }, terminal),
    );
    try {
      const ours = terminal.join(launched.terminal, kinds);
      const limits = { ...this.#limits, audit, ended: () => terminal.leave() };
      return new Container(launched, ours, limits, this.#entrance);
    } catch (error) {
      terminal.close();
      endSync(launched);
      throw error;
    }
  }

  /** Launches the program, and closes what was opened for it if that fails. */
  #launch(streams: ProgramStreams, opened: { close(): void }): LaunchedProcess {
    let handed: HandedFds | undefined;
    try {
      handed = new HandedFds(handedFds(this.#options), this.#plan.state.hasOwnRoot);
      return this.#spawn({ ...streams, fds: handed.theirs });
    } catch (error) {
      if (error instanceof SyscallError && error.code === "ELOOP") this.#plan.becomeStale();
      opened.close();
      throw this.#plans.explain?.(error) ?? error;
    } finally {
      handed?.close();
    }
  }

  /** Launches the program; makes another plan where a file is gone that the plan has found. */
  #spawn(streams: ProgramStreams): LaunchedProcess {
    for (let plans = 1;; plans++) {
      try {
        return this.#launcher.spawn(this.#spec(streams));
      } catch (error) {
        if (!this.#plan.hasMissed || plans === MOST_PLANS) throw error;
      }
      this.#launcher = this.#plans.launcher(this.#planOptions);
      this.#admit();
    }
  }

  /** Throws if the command is aborted, or if the needs of it and the recipe are not granted. */
  #admit(): void {
    this.#options.signal?.throwIfAborted();
    this.#refresh();
    if (this.#grants === undefined) return;
    const needs = this.#needs(this.#plan);
    this.#grants.require(needs);
    if (reachesSockets(this.#plan.access)) this.#grants.requireSockets(needs);
  }

  #needs(plan: PlanBuilder): readonly HostAccess[] {
    const { uid, gid, env = {}, terminal } = this.#options;
    const inherited = this.#inherits ? environmentStrings().map(nameAt) : [];
    const variables = inherited.filter((name) =>
      !Object.hasOwn(env, name) && !plan.state.environment.has(name)
    );
    return requiredAccess(plan.access, { program: this.#program, uid, gid, terminal, variables });
  }

  get #inherits(): boolean {
    return this.#options.clearEnv !== true && !this.#plan.state.clearsEnvironment;
  }

  /** The hosts that the script is a proxy to, by the permissions or by a step. */
  get #hosts(): Hosts | undefined {
    const { hosts } = this.#plan.state;
    return this.#grants?.hosts ?? (hosts && new Hosts(hosts.hosts, hosts.deny));
  }

  /** Starts what serves the container from here, and ends with it. */
  #served(launched: LaunchedProcess): Served {
    return serveContainer(launched, this.#plan, {
      hosts: this.#hosts,
      audit: this.#options.audit ?? false,
      notify: this.#options.notify,
    });
  }

  /** Returns the strings of this process's environment that the program gets. */
  #inherited(): EnvironmentStrings {
    if (!this.#inherits && this.#plan.state.keptVariables.size === 0) return [];
    const strings = environmentStrings();
    if (this.#inherits && this.#grants === undefined) return strings;
    return strings.filter((address) => this.#inheritsVariable(nameAt(address)));
  }

  #inheritsVariable(name: string): boolean {
    return (this.#inherits || includesVariable(this.#plan.state.keptVariables, name)) &&
      (this.#grants?.hasVariable(name) ?? true);
  }

  /** Returns the variables that are added to these strings, or override them. */
  #changes(notify: string | undefined): ReadonlyMap<string, string> {
    const { environment } = this.#plan.state;
    const grants = this.#grants;
    const { env } = this.#options;
    const hosts = this.#hosts;
    const hasChanges = [grants, hosts, env, notify].some((changing) => changing !== undefined);
    if (!hasChanges) return environment;
    const changes = new Map(environment);
    if (grants !== undefined) {
      for (const [name, value] of this.#inherits ? Object.entries(DEFAULT_VARIABLES) : []) {
        if (!changes.has(name) && !grants.hasVariable(name)) changes.set(name, value);
      }
    }
    for (const [name, value] of hosts ? proxyVariables(hosts) : []) changes.set(name, value);
    for (const [name, value] of Object.entries(env ?? {})) changes.set(name, value);
    if (notify !== undefined) changes.set("NOTIFY_SOCKET", notifyVariable(notify));
    return changes;
  }

  #spec(streams: ProgramStreams): ExecSpec {
    const { args = [], argv0, cwd, name } = this.#options;
    const inherited = this.#inherited();
    const notify = this.#options.notify && newNotifyName();
    const changes = this.#changes(notify);
    const inheritedPath = this.#inheritsVariable("PATH") ? environmentVariable("PATH") : undefined;
    return {
      program: this.#program,
      name,
      argv0,
      args,
      environment: { inherited, changes },
      searchPath: changes.get("PATH") ?? inheritedPath ?? DEFAULT_PATH,
      cwd: cwd === undefined ? undefined : pathOf(cwd),
      ...this.#ids,
      stdio: streams.stdio ?? [],
      fds: streams.fds ?? [],
      terminal: streams.terminal,
      image: undefined,
      notify,
      timeLimit: this.#timeLimit,
    };
  }

  /** The ids that the program changes to: an ordinary user's own take no call, which would be denied. */
  get #ids(): Pick<ExecSpec, "uid" | "gid"> {
    const { uid, gid } = this.#options;
    const { caller: { euid, egid }, inUserNamespace, ids } = this.#plan.state;
    const areOwn = (uid ?? euid) === euid && (gid ?? egid) === egid;
    const isOrdinary = euid !== 0 && !inUserNamespace && ids === undefined;
    return areOwn && isOrdinary ? { uid: undefined, gid: undefined } : { uid, gid };
  }

  #terminalKinds(defaults: Kinds): Kinds {
    const { stdin, stdout, stderr } = this.#options;
    const kinds = [stdin ?? defaults[0], stdout ?? defaults[1], stderr ?? defaults[2]];
    if (kinds.every((kind) => typeof kind === "string" && kind !== "stdout")) {
      return kinds as readonly StdioKind[] as Kinds;
    }
    throw new TypeError(
      'with a terminal, the streams can only be "piped", "inherit" and "null": they are the terminal',
    );
  }

  /** The ways into a container of this command. */
  get #entrance(): Entrance {
    return { command: this.#enter, place: this.#place, accepts: acceptsIn };
  }

  /** Returns the files of a container of this command. */
  readonly #place: Entrance["place"] = ({ first, inside }, user) => {
    const plan = rethrown(first, () => this.#plans.visiting(inside, user));
    return {
      resolve: IN_ROOT,
      named: (path) => `${path} in the container`,
      make: (calls) => rethrown(first, () => visit(plan, calls)),
    };
  };

  /** Makes a command for a program that enters a container of this one. */
  readonly #enter: Entrance["command"] = (
    { first, inside },
    program,
    { user = "program", ...options },
  ) => {
    checkEnteringUser(user);
    // Other ids are set by root.
    const begins = options.uid === undefined && options.gid === undefined ? user : "root";
    const explain = (error: unknown) => orEnded(error, first);
    const launcher = (options?: PlanOptions) =>
      rethrown(first, () => this.#plans.entering(inside, begins, options));
    return new Command({ ...this.#plans, launcher, explain }, program, options);
  };

  #refusePipedInput(method: string): void {
    if (this.#options.stdin === "piped") {
      throw new TypeError(`${method}() cannot write to a piped stdin; use spawn()`);
    }
  }
}

/** Whether something accepts connections to a port of a container's loopback addresses. */
const acceptsIn: Entrance["accepts"] = ({ first, inside }, port) =>
  rethrown(first, () => accepts(planRecipe(networkSteps(inside)), port));

/** Does something in a container; its error says so if the container has ended. */
function rethrown<T>(first: ProcessIdentity, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw orEnded(error, first);
  }
}

/** Returns a bound as a number; `undefined` for none. */
function boundOf(bound: number | "unlimited" | undefined): number | undefined {
  return bound === "unlimited" || bound === Infinity ? undefined : bound;
}

/** The kinds of stdin, stdout and stderr. */
type Kinds = readonly [StdioKind, StdioKind, StdioKind];

/** The program's sides of its streams: pipes and the like, or a terminal. */
interface ProgramStreams {
  readonly stdio?: ExecSpec["stdio"];
  readonly fds?: ExecSpec["fds"];
  readonly terminal?: Terminal;
}

/** A running program, and the script's ends of its pipes. */
interface Started {
  readonly launched: LaunchedProcess;
  readonly descriptors: readonly (number | undefined)[];
  /** What is told of it, if it is audited. */
  readonly audit?: Audit | undefined;
  /** The streams of the script's that are passed on. */
  readonly passed?: PassedStreams | undefined;
}
