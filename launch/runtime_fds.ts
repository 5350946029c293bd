/**
 * Descriptors that a script keeps for all its launches.
 *
 * @module
 */

import { call, Output } from "../ffi/call.ts";
import {
  F_ADD_SEALS,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  fcntl,
  memfd_create,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  write,
} from "../ffi/calls/files.ts";
import {
  CHANGEABLE_SIGNALS,
  gettid,
  isIgnored,
  PR_GET_TID_ADDRESS,
  prctl,
  rt_sigaction,
  sigactionOutput,
} from "../ffi/calls/processes.ts";
import { hasClone3 } from "../ffi/clone3_support.ts";
import { INIT } from "../ffi/engine/bytes.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import type { ScriptFacts, ThreadWord } from "./script_frame.ts";

/** A pidfd of this process, by which a container sees whether it is still there. */
export const scriptPidfd: () => number = perEngine(() =>
  syscall(
    call("pidfd_open", Deno.pid, 0),
    "containers need this call: Linux 5.3, and no seccomp filter that hides it",
  )
);

/** Where a container sees whether the script's thread is still there, if that can be known. */
const scriptThread = perEngine((): ThreadWord | undefined => {
  const [address, id] = [new Output(8, "&address"), gettid()];
  const asked = { call: prctl(PR_GET_TID_ADDRESS, address), accept: ["EINVAL"] as const };
  const outcome = syscalls([{ call: id }, asked]);
  const thread = {
    address: outcome.output(address).getBigUint64(0, true),
    id: Number(outcome.result(id)),
  };
  // Some libraries have another word cleared at the end of a thread.
  const word = Deno.UnsafePointer.create(thread.address);
  if (word === null) return undefined;
  return new Deno.UnsafePointerView(word).getInt32() === thread.id ? thread : undefined;
});

/** The signals that this process ignores, as Deno does SIGPIPE. */
const ignoredSignals = perEngine((): readonly number[] => {
  const asked = CHANGEABLE_SIGNALS.map((signal) => {
    const action = sigactionOutput();
    return { signal, action, call: rt_sigaction(signal, null, action) };
  });
  const outcome = syscalls(asked.map(({ call }) => ({ call })));
  return asked.filter(({ action }) => isIgnored(outcome.output(action)))
    .map(({ signal }) => signal);
});

/** What the frame of a launch has to know of the script. */
export function scriptFacts(): ScriptFacts {
  return { thread: scriptThread(), ignored: hasClone3() ? ignoredSignals() : undefined };
}

/** A memfd that holds the init's image; nobody can change it. */
export const initImage: () => number = perEngine((loaded) => {
  const fd = syscall(memfd_create("ramekin-init", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const image = Uint8Array.fromBase64(INIT[loaded.architecture]);
  syscall(write(fd, image, image.length));
  // A container can open it as /proc/1/exe, and later containers begin with it (CVE-2019-5736).
  syscall(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  return fd;
});
