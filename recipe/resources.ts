/**
 * Descriptors that a script keeps for all its launches.
 *
 * @module
 */

import { call } from "../ffi/call.ts";
import { engine } from "../ffi/engine/engine.ts";
import { INIT } from "../ffi/engine/bytes.ts";
import { perform } from "../ffi/perform.ts";

const MFD_CLOEXEC = 1;

/** A pidfd of this process, by which a container sees whether it is still there. */
export function scriptPidfd(): number {
  return engine().once(
    "script's pidfd",
    () => perform(call("pidfd_open", Deno.pid, 0), "containers need Linux 5.3 or later"),
  );
}

/** A memfd that holds the init's image. */
export function initImage(): number {
  return engine().once("init's image", () => {
    const fd = perform(call("memfd_create", "ramekin-init", MFD_CLOEXEC));
    const image = Uint8Array.fromBase64(INIT[engine().architecture]);
    perform(call("write", fd, image, image.length));
    return fd;
  });
}
