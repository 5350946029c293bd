/**
 * Lets go of the standard streams of the caller, so that who reads them to their end finds it.
 *
 * @module
 */

import { dup3, O_CLOEXEC } from "../ffi/calls/files.ts";
import { namesIn } from "../ffi/files/read_dir.ts";
import { readLinks } from "../ffi/files/read_links.ts";
import { syscall } from "../ffi/syscalls.ts";
import { linux } from "../mod.ts";

const STREAMS = 3;

/** Puts /dev/null in the place of the standard streams, and of the duplicates that Deno has of them. */
export function leaveStreams(): void {
  const fds = namesIn("/proc/self/fd").map(Number).sort((a, b) => a - b);
  const links = readLinks(fds.map((fd) => `/proc/self/fd/${fd}`));
  const streams = new Set(fds.flatMap((fd, index) => fd < STREAMS ? [links[index]] : []));
  using nothing = linux.open("/dev/null", linux.O_RDWR | linux.O_CLOEXEC);
  fds.forEach((fd, index) => {
    const isSame = links[index] !== undefined && streams.has(links[index]);
    if (!isSame || fd === nothing.number) return;
    syscall(dup3(nothing.number, fd, fd < STREAMS ? 0 : O_CLOEXEC));
  });
}
