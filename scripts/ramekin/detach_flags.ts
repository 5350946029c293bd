/**
 * The flags of programs that run on by themselves, and what they ask for.
 *
 * @module
 */

import type { Detached } from "../../detached/mod.ts";
import type { HealthOptions, Readiness, RestartOptions } from "../../services/mod.ts";
import { CONTAINER_NAME, isContainerName } from "../../recipe/container_name.ts";
import type { Arguments } from "./arguments.ts";
import { bytesOf, millisecondsOf } from "./units.ts";
import { type Flag, UsageError } from "./usage.ts";

/** The name, which a program that does not run on by itself can have too. */
export const NAME: Flag = {
  name: "name",
  value: "NAME",
  check: nameOf,
  summary: "the name of the container, or else that of the program",
};

/** By which ramekin starts the supervisor, with the descriptor that is told when it is ready. */
const SUPERVISOR: Flag = { name: "supervisor", value: "FD", summary: "", hidden: true };

/** The flags that take --detach. */
const DETACHED: readonly Flag[] = [
  {
    name: "restart",
    value: "WHEN",
    check: policyOf,
    completes: ["never", "on-failure", "always"],
    summary: "with -d: start it again when it has ended: on-failure, always, or never",
  },
  {
    name: "ready",
    value: "PORT|notify",
    check: readinessOf,
    summary: "with -d: wait until it accepts connections to a port, or says READY=1 (sd_notify)",
  },
  {
    name: "health-cmd",
    value: "COMMAND",
    summary: "with -d: a command of sh in the container; when it fails three times, stop it",
  },
  {
    name: "health-interval",
    value: "TIME",
    check: millisecondsOf,
    summary: "with -d: the pause between these checks, which is 30s",
  },
  {
    name: "watchdog",
    value: "TIME",
    check: watchdogOf,
    summary: "with -d: stop it when it sends no WATCHDOG=1 (sd_notify) for so long",
  },
  {
    name: "log-size",
    value: "SIZE",
    check: bytesOf,
    summary: "with -d: how much of what it writes is kept, which is 2m",
  },
  {
    name: "json",
    summary: "with -d: write its name, its supervisor and its first process as JSON",
  },
  { name: "replace", summary: "with -d: remove an ended container of this name first" },
];

/** The flags of `ramekin run` and `ramekin sandbox`. */
export const DETACH_FLAGS: readonly Flag[] = [
  {
    name: "detach",
    letter: "d",
    summary: "let it run on by itself; ramekin ps, logs, stop, wait and rm take its name",
  },
  NAME,
  ...DETACHED,
  SUPERVISOR,
];

/** Flags that tell how a program has ended to who waits for it. */
const WAITING = ["status-fd", "audit"];

/**
 * Whether the program is to run on by itself.
 *
 * @throws {UsageError} for flags that make no sense then, or only then
 */
export function isDetached(given: Arguments): boolean {
  if (given.has("detach")) {
    const flag = WAITING.find((name) => given.has(name));
    if (flag === undefined) return true;
    throw new UsageError(`--${flag} is for who waits for the program; ramekin wait tells its end`);
  }
  const flag = [...DETACHED, SUPERVISOR].find(({ name }) => given.has(name));
  if (flag?.name === "json") {
    throw new UsageError(
      "--json is for --detach; --status-fd=NUMBER tells how a program has ended",
    );
  }
  if (flag !== undefined) throw new UsageError(`--${flag.name} is for --detach`);
  return false;
}

/** The flag of the supervisor. */
export function supervisorFlag(fd: number): string {
  return `--${SUPERVISOR.name}=${fd}`;
}

/** The descriptor that is told when the program runs; `undefined` in who has to start the supervisor. */
export function supervisorFd(given: Arguments): number | undefined {
  const word = given.value(SUPERVISOR.name);
  return word === undefined ? undefined : Number(word);
}

/** What the flags say of how it is kept. */
export type Upkeep = Pick<
  Detached,
  "name" | "restart" | "ready" | "health" | "watchdog" | "logBytes" | "replace"
>;

/**
 * What the flags ask for.
 *
 * @throws {UsageError} where one makes no sense
 */
export function upkeepOf(given: Arguments): Upkeep {
  const [ready, size] = [given.value("ready"), given.value("log-size")];
  const [restart, health] = [given.value("restart"), healthOf(given)];
  const watchdog = given.value("watchdog");
  return {
    ...(restart !== undefined && { restart: policyOf(restart) }),
    ...(ready !== undefined && { ready: readinessOf(ready) }),
    ...(health !== undefined && { health }),
    ...(watchdog !== undefined && { watchdog: watchdogOf(watchdog, "watchdog") }),
    name: given.value(NAME.name),
    replace: given.has("replace"),
    logBytes: size === undefined ? USUAL_LOG : bytesOf(size, "log-size"),
  };
}

const USUAL_LOG = 2 * 2 ** 20;
const USUAL_PAUSE = 30_000;
const POLICIES = ["never", "on-failure", "always"] as const;

/** Returns the name, unless it is none. */
function nameOf(word: string): string {
  if (isContainerName(word)) return word;
  throw new UsageError(`--name=${word} is no name, which is made of ${CONTAINER_NAME}`);
}

function policyOf(word: string): RestartOptions {
  const policy = POLICIES.find((policy) => policy === word);
  if (policy !== undefined) return { policy };
  throw new UsageError(`--restart=${word}: it is ${POLICIES.join(", ")}`);
}

function readinessOf(word: string): Readiness {
  if (word === "notify") return word;
  const port = /^\d{1,5}$/.test(word) ? Number(word) : 0;
  if (port > 0 && port < 65536) return { port };
  throw new UsageError(`--ready=${word}: it is a port, from 1 to 65535, or notify`);
}

function watchdogOf(word: string, flag: string): number {
  return Math.max(millisecondsOf(word, flag), 1);
}

function healthOf(given: Arguments): HealthOptions | undefined {
  const [command, pause] = [given.value("health-cmd"), given.value("health-interval")];
  if (command !== undefined) {
    const every = pause === undefined ? USUAL_PAUSE : millisecondsOf(pause, "health-interval");
    return { every: Math.max(every, 1), command: ["sh", "-c", command] };
  }
  if (pause === undefined) return undefined;
  throw new UsageError("--health-interval is for --health-cmd");
}
