/**
 * A root directory with two programs, and what they need: the loader and the libraries are found by
 * reading the programs themselves, so none can be missing. See chroot(2) and ld.so(8).
 *
 * Prints:
 *
 *     This is all there is: /bin/bash /bin/ls
 *     Libraries: ...libc.so.6...
 *     bash: line 3: cat: command not found
 *     bash: line 4: /bin/ls: Read-only file system
 */

import { chroot, mapRoot, programs, recipe, tmpfs, unshare } from "../mod.ts";

const jail = recipe(
  unshare("user", "mount"),
  mapRoot(),
  tmpfs("/mnt"),
  programs("/bin/bash", "/bin/ls"),
  chroot("/mnt"),
);

const script = `echo This is all there is: /bin/*
echo Libraries: /lib/*/*
cat /etc/passwd
echo broken > /bin/ls`;
await jail.command("bash", { args: ["-c", `exec 2>&1; ${script}`] }).spawn().status;
