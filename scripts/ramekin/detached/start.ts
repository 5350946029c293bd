/**
 * Starts the supervisor of a detached container: this very command once more, in a session of its
 * own, which lives as long as the container.
 *
 * @module
 */

import { at_fdcwd } from "../../../ffi/calls/files.ts";
import { readWholeText } from "../../../ffi/files/read_file.ts";
import { execSpec } from "../../../launch/exec.ts";
import { HandedFds } from "../../../launch/handed_fds.ts";
import { Launcher } from "../../../launch/launcher.ts";
import { reapStatus } from "../../../launch/status.ts";
import { linux } from "../../../mod.ts";
import { planRecipe } from "../../../plan/plan_recipe.ts";
import { print, printError } from "../output.ts";

/** The number of the descriptor in the supervisor. */
const READY = 3;

/**
 * Starts the supervisor, waits until the program runs and is ready, and returns 0; or the exit
 * status of what has gone wrong, which the supervisor has told on this standard error.
 */
export function startSupervisor(): number {
  const [reader, writer] = linux.pipe2();
  using read = reader;
  let pidfd: linux.OwnedFd;
  {
    using write = writer;
    pidfd = spawn(write);
  }
  using supervisor = pidfd;
  const told = readAll(read);
  if (told !== "") {
    print(told);
    return 0;
  }
  const { code, signal } = reapStatus(supervisor.number, true)!;
  if (signal !== null) printError(`ramekin: the supervisor was killed by ${signal}`);
  return code;
}

function spawn(ready: linux.OwnedFd): linux.OwnedFd {
  const [name, ...words] = readWholeText(at_fdcwd, "/proc/self/cmdline").split("\0").slice(0, -1);
  const [subcommand, ...rest] = Deno.args;
  const before = words.slice(0, words.length - Deno.args.length);
  const handed = new HandedFds([{ number: READY, fd: ready.number }], false);
  try {
    const spec = execSpec("/proc/self/exe", {
      argv0: name,
      args: [...before, subcommand!, `--supervisor=${READY}`, ...rest],
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
