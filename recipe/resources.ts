/**
 * Descriptors that a script keeps for all its launches.
 *
 * @module
 */

import { call } from "../ffi/call.ts";
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
import { engine } from "../ffi/engine/engine.ts";
import { INIT } from "../ffi/engine/bytes.ts";
import { perform } from "../ffi/perform.ts";

/** A pidfd of this process, by which a container sees whether it is still there. */
export function scriptPidfd(): number {
  return engine().once(
    "script's pidfd",
    () => perform(call("pidfd_open", Deno.pid, 0), "containers need Linux 5.3 or later"),
  );
}

/** A memfd that holds the init's image; nobody can change it. */
export function initImage(): number {
  return engine().once("init's image", () => {
    const fd = perform(memfd_create("ramekin-init", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const image = Uint8Array.fromBase64(INIT[engine().architecture]);
    perform(write(fd, image, image.length));
    // A container can open it as /proc/1/exe, and later containers begin with it (CVE-2019-5736).
    perform(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
    return fd;
  });
}
