/**
 * A program in a world of its own: PID 1, root, under its own name, with nothing in /tmp and no
 * network but a loopback interface.
 *
 * Prints:
 *
 *     I am PID 1, root on a-cooler-hostname.
 *     Files in /tmp: 0
 *     Network: lo
 */

import { hostname, mapRoot, proc, recipe, tmpfs, unshare } from "../mod.ts";

const box = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net"),
  mapRoot(),
  tmpfs("/tmp", { size: "10m" }),
  proc(),
  hostname("a-cooler-hostname"),
);

const script = `
  echo "I am PID $$, $(id -un) on $(uname -n)."
  echo "Files in /tmp: $(ls /tmp | wc -l)"
  echo Network: $(tail -n +3 /proc/net/dev | cut -d: -f1)
`;
await box.command("sh", { args: ["-c", script] }).spawn().status;
