/**
 * Starts the supervisor of a detached container: the program of this process once more, in a session
 * of its own.
 *
 * @module
 */

import { at_fdcwd } from "../ffi/calls/files.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { execSpec } from "../launch/exec.ts";
import { HandedFds } from "../launch/handed_fds.ts";
import { Launcher } from "../launch/launcher.ts";
import { type ProcessEnd, reapStatus } from "../launch/status.ts";
import { linux } from "../mod.ts";
import { planRecipe } from "../plan/plan_recipe.ts";

/** The number of the descriptor by which a supervisor tells that the program is ready. */
const READY = 3;

/** What a supervisor has told: the name of the container; or how it has ended before. */
export type SupervisorStart = { readonly name: string } | ProcessEnd;

/**
 * Starts the supervisor, and waits until it has told that the program is ready, or has ended. It
 * writes errors to this standard error.
 *
 * @param argsFor returns its arguments, in place of `Deno.args`, for the number of that descriptor
 */
export function startSupervisor(argsFor: (ready: number) => readonly string[]): SupervisorStart {
  const [reader, writer] = linux.pipe2();
  using read = reader;
  let pidfd: linux.OwnedFd;
  {
    using write = writer;
    pidfd = spawn(write, argsFor(READY));
  }
  using supervisor = pidfd;
  const name = readAll(read);
  return name === "" ? reapStatus(supervisor.number, true)! : { name };
}

function spawn(ready: linux.OwnedFd, args: readonly string[]): linux.OwnedFd {
  const [argv0, ...words] = readWholeText(at_fdcwd, "/proc/self/cmdline").split("\0").slice(0, -1);
  const flags = words.slice(0, words.length - Deno.args.length);
  const handed = new HandedFds([{ number: READY, fd: ready.number }], false);
  try {
    const spec = execSpec("/proc/self/exe", {
      argv0,
      args: [...flags, ...args],
      // A recipe may come by the standard input; at a terminal nobody could answer.
      stdio: [Deno.stdin.isTerminal() ? "null" : "inherit", "null", "inherit"],
      fds: handed.theirs,
    });
    // It is no container, of which a marker would tell.
    const launcher = new Launcher(planRecipe([], { detached: true, recorded: true }));
    return new linux.OwnedFd(launcher.spawn(spec).pidfd);
  } finally {
    handed.close();
  }
}

/** What the supervisor tells; nothing if it has ended before. */
function readAll(reader: linux.OwnedFd): string {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  for (let count = linux.read(reader, buffer); count > 0; count = linux.read(reader, buffer)) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text;
}
