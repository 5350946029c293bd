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
import { syscall } from "../ffi/syscalls.ts";

/** Makes a sealed memfd with an executable, which is given as bytes or in base64. */
export function sealedImage(name: string, given: string | Uint8Array<ArrayBuffer>): number {
  const fd = syscall(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const image = typeof given === "string" ? Uint8Array.fromBase64(given) : given;
  try {
    syscall(write(fd, image, image.length));
    // Who can see the process can open it as /proc/PID/exe, and it is executed again (CVE-2019-5736).
    syscall(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  } catch (error) {
    syscall(close(fd));
    throw error;
  }
  return fd;
}
