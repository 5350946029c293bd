/**
 * Executables in memory files.
 *
 * @module
 */

import {
  close,
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
import { ResultOf } from "../ffi/call.ts";
import { END, Label } from "../ffi/engine/program.ts";
import { syscalls } from "../ffi/syscalls.ts";

/** Makes a sealed memfd with an executable, which is given as bytes or in base64. */
export function sealedImage(name: string, given: string | Uint8Array<ArrayBuffer>): number {
  const image = typeof given === "string" ? Uint8Array.fromBase64(given) : given;
  const made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  const fd = new ResultOf(made, "image");
  // Who can see the process can open it as /proc/PID/exe, and it is executed again (CVE-2019-5736).
  const seals = fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  const failed = new Label("failed");
  const result = syscalls([
    { call: made },
    { call: write(fd, image, image.length), onFailure: failed },
    { call: seals, onZero: END, onFailure: failed },
    failed,
    { call: close(fd) },
  ]);
  return Number(result.result(made));
}
