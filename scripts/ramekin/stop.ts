/**
 * `ramekin stop`: asks a running container to end, and waits until it has.
 *
 * @module
 */

import { DetachedRecord } from "../../detached/mod.ts";
import { SIGNALS, type StopOptions } from "../../mod.ts";
import { nearest } from "../../recipe/nearest.ts";
import type { Arguments } from "./arguments.ts";
import { attachTo } from "./container_of.ts";
import { printJson } from "./output.ts";
import { millisecondsOf } from "./units.ts";
import { UsageError } from "./usage.ts";

/** Stops it. */
export async function run(given: Arguments): Promise<number> {
  const [signal, grace] = [given.value("signal"), given.value("grace")];
  const options: StopOptions = {
    ...(signal !== undefined && { signal: signalOf(signal) }),
    ...(grace !== undefined && { grace: millisecondsOf(grace, "grace") }),
  };
  const [word] = given.operands;
  // Its supervisor could start it again; one that has ended is stopped.
  const detached = /^\d+$/.test(word!)
    ? DetachedRecord.ofPid(Number(word))
    : DetachedRecord.find(word!);
  if (detached?.isLeft === false) {
    await detached.stop(options);
    const { name, state } = detached;
    if (given.has("json")) printJson({ name, ...(state?.end && { end: state.end }) });
    return 0;
  }
  using container = attachTo(word!, given.has("any"));
  await container.stop(options);
  if (given.has("json")) printJson({ name: container.name, pid: container.pid });
  return 0;
}

/** Reads a signal: by its name, with SIG before it or without, or by its number. */
function signalOf(word: string): Deno.Signal | number {
  const name = word.startsWith("SIG") ? word : `SIG${word}`;
  if (Object.hasOwn(SIGNALS, name)) return name as Deno.Signal;
  const number = Number(word);
  if (/^\d+$/.test(word) && number <= LAST_SIGNAL) return number;
  const near = nearest(name, Object.keys(SIGNALS));
  const meant = near === undefined ? "one is TERM, SIGUSR1 or 9" : `did you mean ${near}?`;
  throw new UsageError(`--signal=${word} is no signal; ${meant}`);
}

/** The last signal of Linux: SIGRTMAX of signal(7). */
const LAST_SIGNAL = 64;
