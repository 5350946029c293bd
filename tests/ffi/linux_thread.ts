/** A separate thread for calls that change it, and which users may make them. */

import * as linux from "../../ffi/linux/mod.ts";
import { engine } from "../../ffi/engine/engine.ts";

// Loaded before the first test, which would be said to leak it: the engine stays.
engine();

/** Why tests that need root are left out, if they are. */
export const notRoot: string | undefined = linux.capget().effective.includes("CAP_SYS_ADMIN")
  ? undefined
  : "needs root";

/** Why tests of what is denied to ordinary users are left out, if they are. */
export const isRoot: string | undefined = notRoot === undefined ? "root may do it" : undefined;

/** What has come out of a thread. */
type Message<T> = { readonly value: T } | { readonly error: string };

/**
 * Runs a function in a Worker, so on a thread of its own, which ends with it. The function must
 * stand for itself: its source is what the Worker gets.
 */
export async function inThread<T, A = undefined>(
  task: (calls: typeof linux, argument: A) => T,
  argument?: A,
): Promise<T> {
  const source = `
    import * as linux from ${JSON.stringify(import.meta.resolve("../../ffi/linux/mod.ts"))};
    try {
      postMessage({ value: (${task})(linux, ${JSON.stringify(argument)}) });
    } catch (error) {
      postMessage({ error: String(error?.stack ?? error) });
    }`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  try {
    const message = await new Promise<Message<T>>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
    if ("error" in message) throw new Error(message.error);
    return message.value;
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
}

/** The files that this process has open, by number; those of the look itself left out. */
export function openFiles(): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${name}`);
      if (!target.endsWith("/fd")) found.set(name, target);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found;
}
