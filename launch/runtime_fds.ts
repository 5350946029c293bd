/**
 * Descriptors and facts of the script that all its launches use.
 *
 * @module
 */

import { call, Output } from "../ffi/call.ts";
import { gettid, PR_GET_TID_ADDRESS, prctl } from "../ffi/calls/processes.ts";
import { hasClone3 } from "../ffi/clone3_support.ts";
import { INIT } from "../ffi/engine/bytes.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { ignoredSignals } from "./ignored_signals.ts";
import { sealedImage } from "./sealed_image.ts";
import type { ScriptFacts, ThreadWord } from "./script_frame.ts";

/** A pidfd of this process, by which a container checks whether the script still runs. */
export const scriptPidfd: () => number = perEngine(() =>
  syscall(
    call("pidfd_open", Deno.pid, 0),
    "containers need this call: Linux 5.3, and no seccomp filter that hides it",
  )
);

/** The word by which a container checks whether the script's thread still runs, if there is one. */
const scriptThread = perEngine((): ThreadWord | undefined => {
  const [address, id] = [new Output(8, "&address"), gettid()];
  const query = { call: prctl(PR_GET_TID_ADDRESS, address), accept: ["EINVAL"] as const };
  const outcome = syscalls([{ call: id }, query]);
  const thread = {
    address: outcome.output(address).getBigUint64(0, true),
    id: Number(outcome.result(id)),
  };
  // Some C libraries register another word than the thread id (set_tid_address(2)).
  const word = Deno.UnsafePointer.create(thread.address);
  if (word === null) return undefined;
  return new Deno.UnsafePointerView(word).getInt32() === thread.id ? thread : undefined;
});

/** Returns the facts of the script that a frame needs. */
export function scriptFacts(): ScriptFacts {
  return { thread: scriptThread(), clearsHandlers: hasClone3(), ...ignoredSignals() };
}

/** A sealed memfd with the init's image. */
export const initImage: () => number = perEngine(({ architecture }) =>
  sealedImage("ramekin-init", INIT[architecture])
);
