/**
 * `ramekin stop`: asks a running container to end, and waits until it has.
 *
 * @module
 */

import { DetachedRecord } from "../../detached/mod.ts";
import type { StopOptions } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { attachTo } from "./container_of.ts";
import { printJson } from "./output.ts";
import { withProgress } from "./progress.ts";
import { signalOf } from "./signal_word.ts";
import { millisecondsOf } from "./units.ts";

/** Stops it. */
export async function run(given: Arguments): Promise<number> {
  const [signal, grace] = [given.value("signal"), given.value("grace")];
  const options: StopOptions = {
    ...(signal !== undefined && { signal: signalOf(signal) }),
    ...(grace !== undefined && { grace: millisecondsOf(grace, "grace") }),
  };
  const [word] = given.operands;
  const waiting = `waiting for ${word} to end`;
  // Its supervisor could start it again; one that has ended is stopped.
  const detached = /^\d+$/.test(word!)
    ? DetachedRecord.ofPid(Number(word))
    : DetachedRecord.find(word!);
  if (detached?.isLeft === false) {
    await withProgress(waiting, () => detached.stop(options));
    const { name, state } = detached;
    if (given.has("json")) printJson({ name, ...(state?.end && { end: state.end }) });
    return 0;
  }
  using container = attachTo(word!, given.has("any"));
  await withProgress(waiting, () => container.stop(options));
  if (given.has("json")) printJson({ name: container.name, pid: container.pid });
  return 0;
}
