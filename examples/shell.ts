/**
 * An interactive shell in a container, with a terminal of its own: job control, editors and pagers
 * work in it. Run it in a terminal, and leave with `exit`.
 *
 * Prints, when `tty; uname -n; exit 3` is typed:
 *
 *     # tty; uname -n; exit 3
 *     /dev/pts/0
 *     shell
 *     The shell has ended with 3.
 */
// deno-lint-ignore-file no-console

import { devices, hostname, mapRoot, proc, recipe, setEnv, tmpfs, unshare } from "../mod.ts";

const box = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net"),
  mapRoot(),
  tmpfs("/tmp"),
  devices(),
  proc(),
  hostname("shell"),
  setEnv({ PS1: "# " }),
);

const { code } = await box.command("sh", { terminal: true }).spawn().status;
console.log(`The shell has ended with ${code}.`);
