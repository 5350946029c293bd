/**
 * Programs on one processor. Where several work together, which of them share a processor decides more
 * than who has started them.
 *
 * @module
 */

import { Struct } from "../ffi/call.ts";
import { sched_setaffinity } from "../ffi/calls/processors.ts";
import { syscall } from "../ffi/syscalls.ts";

/** Does something while the programs that this thread starts are kept to the first processor. */
export async function onOneProcessor<T>(act: () => Promise<T>): Promise<T> {
  const all = processors();
  const first = all.findIndex((byte) => byte !== 0);
  const one = new Uint8Array(all.length);
  one[first] = all[first]! & -all[first]!;
  keepTo(one);
  try {
    return await act();
  } finally {
    keepTo(all);
  }
}

function keepTo(mask: Uint8Array<ArrayBuffer>): void {
  syscall(sched_setaffinity(0, new Struct(mask, "mask")));
}

/** The mask of those that this thread may run on: words of 32 bits, the last ones first (proc(5)). */
function processors(): Uint8Array<ArrayBuffer> {
  const status = Deno.readTextFileSync("/proc/thread-self/status");
  const [, words] = /^Cpus_allowed:\s*(\S+)/m.exec(status)!;
  const hex = words!.replaceAll(",", "").padStart(16 * Math.ceil(words!.length / 16), "0");
  return Uint8Array.fromHex(hex).reverse();
}
