/**
 * The supervisor of a detached container: it keeps the program running, its log and its record, and
 * what lasts beside it, such as published ports and the proxy to granted hosts.
 *
 * @module
 */

import { close } from "../ffi/calls/files.ts";
import { ifThere } from "../ffi/missing.ts";
import { HIDDEN_PROCESS } from "../ffi/proc/proc_dir.ts";
import { reactor, type Watch } from "../ffi/reactor.ts";
import { syscall } from "../ffi/syscalls.ts";
import { linux, RamekinError, SyscallError } from "../mod.ts";
import { CONTAINER_NAME, isContainerName } from "../recipe/container_name.ts";
import { nameOf } from "../recipe/path.ts";
import { shown } from "../recipe/shown.ts";
import {
  type Service,
  type ServiceEvent,
  type ServiceOptions,
  supervise,
  type Supervisor,
} from "../services/mod.ts";
import { leaveStreams } from "./leave_streams.ts";
import { groupsOf } from "./left_groups.ts";
import { DetachedRecord, type DetachedState } from "./record.ts";

/** What runs on by itself, and how it is kept running. */
export interface Detached extends
  Pick<
    ServiceOptions,
    "recipe" | "cwd" | "env" | "permissions" | "restart" | "ready" | "health" | "watchdog"
  > {
  /** Its name; that of the program otherwise. */
  readonly name: string | undefined;
  /** Its program, with the arguments. */
  readonly program: readonly [string, ...string[]];
  /** Of what the recipe was made. */
  readonly source: Pick<DetachedState, "recipe" | "image">;
  /** How much is kept of what it writes. */
  readonly logBytes: number;
  /** Whether the record of one that has ended is removed, if it has the name. */
  readonly replace: boolean;
}

/**
 * Keeps it running until it has ended for good.
 *
 * @param ready the descriptor by which who has started this process is told that it runs
 * @throws {RamekinError} if there is a detached container of the name, the container cannot be made,
 * or the program has ended before it was ready
 * @throws {Deno.errors.NotFound} if there is no such program in the container
 */
export async function superviseDetached(ready: number, detached: Detached): Promise<void> {
  const { name = nameOf(detached.program[0]), replace } = detached;
  if (!isContainerName(name)) {
    throw new RamekinError(
      `a container cannot have the name ${shown(name)}; --name=NAME gives another, of ` +
        CONTAINER_NAME,
    );
  }
  const state = stateOf(name, detached);
  const record = DetachedRecord.make(state, replace);
  await new SupervisedProgram(record, state, new Caller(ready)).run(serviceOf(detached, record));
}

function stateOf(name: string, { program, source }: Detached): DetachedState {
  return {
    name,
    ...source,
    program,
    supervisor: linux.processIdentity(Deno.pid),
    status: "starting",
    isReady: false,
    restarts: 0,
    unhealthy: 0,
    startedAt: new Date().toISOString(),
  };
}

function serviceOf(
  { program: [program, ...args], logBytes, name: _, source: _source, replace: __, ...options }:
    Detached,
  { log }: DetachedRecord,
): ServiceOptions {
  const file = { path: log, maxBytes: Math.max(1, Math.floor(logBytes / 2)), keep: 1 };
  return { ...options, program, args, log: file };
}

/** Signals that the program gets when the supervisor does. */
const PASSED = ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const;
/** Signals by which it is stopped. */
const STOPPING = ["SIGTERM", "SIGINT"] as const;

/** A program with its record, and who waits for its start. */
class SupervisedProgram {
  readonly #record: DetachedRecord;
  readonly #caller: Caller;
  #state: DetachedState;
  /** Why it could not be started the first time. */
  #startError: unknown;

  constructor(record: DetachedRecord, state: DetachedState, caller: Caller) {
    this.#record = record;
    this.#state = state;
    this.#caller = caller;
  }

  async run(options: ServiceOptions): Promise<void> {
    const { name } = this.#record;
    try {
      const kitchen = supervise({ [name]: options });
      this.#listen(kitchen, kitchen.services[name]!);
      for await (const event of kitchen.events) {
        this.#take(event, kitchen, kitchen.services[name]!);
      }
      if (this.#startError !== undefined) throw this.#startError;
    } catch (error) {
      this.#record.remove();
      throw error;
    }
    this.#change({ ...this.#state, status: "ended", endedAt: new Date().toISOString() });
    if (this.#caller.isTold) return;
    // Who has called has given up, by Ctrl-C: there is nobody to be told.
    if (this.#caller.isGone) return this.#record.remove();
    throw new RamekinError(
      `${name} ${this.#state.end?.reason ?? "was stopped"} before it was ready; ramekin logs ` +
        `${name} has what it wrote`,
    );
  }

  #listen(kitchen: Supervisor, service: Service): void {
    void this.#caller.gone.then(() => kitchen.stop());
    for (const signal of STOPPING) {
      Deno.addSignalListener(signal, () => void kitchen.stop(this.#record.stopOptions));
    }
    for (const signal of PASSED) {
      Deno.addSignalListener(signal, () => {
        try {
          service.container?.kill(signal);
        } catch (error) {
          // It has ended meanwhile.
          if (!(error instanceof TypeError)) throw error;
        }
      });
    }
  }

  #take(event: ServiceEvent, kitchen: Supervisor, service: Service): void {
    if (event.kind === "failed" && this.#state.status === "starting") {
      this.#startError = event.error;
      void kitchen.stop();
    }
    if (this.#startError !== undefined) return;
    this.#change(stateAfter(event, this.#state, service));
    if (event.kind === "ready") this.#caller.tell(this.#record.name);
  }

  #change(state: DetachedState): void {
    if (state === this.#state) return;
    this.#state = state;
    try {
      this.#record.write(state);
    } catch (error) {
      // A full disk ends no service.
      if (!(error instanceof SyscallError)) throw error;
    }
  }
}

/** The state of a service after an event. */
function stateAfter(
  event: ServiceEvent,
  { container, cgroups, ...state }: DetachedState,
  service: Service,
): DetachedState {
  const running = {
    ...(container !== undefined && { container }),
    ...(cgroups !== undefined && { cgroups }),
  };
  switch (event.kind) {
    case "started":
      return { ...state, status: "running", ...runningOf(service) };
    case "ready":
      return { ...state, ...running, isReady: true };
    case "status":
      return { ...state, ...running, statusText: event.text };
    case "unhealthy":
      return { ...state, ...running, unhealthy: event.failures };
    case "failed":
      return { ...state, ...running, failure: event.reason };
    case "ended": {
      const { success: _, ...end } = event.status;
      return { ...state, isReady: false, unhealthy: 0, end: { ...end, reason: event.reason } };
    }
    case "restarting":
      return { ...state, ...running, status: "restarting", restarts: event.restarts };
    case "stopping":
    case "stopped":
      return { ...state, ...running };
  }
}

/** Where the container is that runs now; nothing if it has ended already. */
function runningOf({ container }: Service): Pick<DetachedState, "container" | "cgroups"> {
  try {
    const identity = container?.identity;
    return identity === undefined ? {} : {
      container: identity,
      cgroups: ifThere(() => groupsOf(identity.pid), HIDDEN_PROCESS) ?? [],
    };
  } catch (error) {
    // That of a container that has ended.
    if (error instanceof TypeError) return {};
    throw error;
  }
}

/** Who waits for the start, at the other end of a pipe. */
class Caller {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #gone = Promise.withResolvers<void>();
  #is: "waiting" | "told" | "gone" = "waiting";

  constructor(fd: number) {
    this.#fd = fd;
    this.#watch = reactor().watch(fd);
    this.#watch.unref();
    // An end to be written can be read never, and is told by the kernel that the other one is closed.
    void this.#watch.ready("readable").then(() => this.#waits() && this.#leave("gone"));
  }

  /** Resolves when who has called is gone before it was told, and does not know of the container. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  #waits(): boolean {
    return this.#is === "waiting";
  }

  #leave(is: "told" | "gone"): void {
    this.#is = is;
    this.#watch.close();
    syscall(close(this.#fd));
    if (is === "gone") this.#gone.resolve();
  }

  get isTold(): boolean {
    return this.#is === "told";
  }

  get isGone(): boolean {
    return this.#is === "gone";
  }

  /** Tells once that it runs, and lets go of the caller's streams. */
  tell(name: string): void {
    if (!this.#waits()) return;
    const sent = ifThere(() => linux.write(this.#fd, new TextEncoder().encode(name)), ["EPIPE"]);
    this.#leave(sent === undefined ? "gone" : "told");
    leaveStreams();
  }
}
