/**
 * A program in a root directory of yours: one that debootstrap or `docker export` has made, or the
 * unpacked tar file of a distribution. Nothing of this machine is left in sight.
 *
 *     deno run --allow-ffi examples/rootfs.ts DIRECTORY [PROGRAM [ARGUMENT ...]]
 *
 * Prints, when it is given a directory with busybox and `sh -c 'echo "PID $$ on $(hostname):" /*'`:
 *
 *     PID 1 on rootfs: /bin /dev /proc /sys /tmp
 */
// deno-lint-ignore-file no-console

import { hostname, mapRoot, recipe, root, unshare } from "../mod.ts";

const [directory, program = "sh", ...args] = Deno.args;
if (directory === undefined) {
  console.log("Which directory? deno run --allow-ffi examples/rootfs.ts DIRECTORY [PROGRAM ...]");
  Deno.exit(2);
}

const box = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net"),
  mapRoot(),
  root(directory),
  hostname("rootfs"),
);

const { code } = await box.command(program, { args }).spawn().status;
Deno.exit(code);
