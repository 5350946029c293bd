/** Directories that an automounter has not mounted yet: a daemon of autofs in a container. */

import { assertEquals } from "@std/assert";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { init, mkdir, proc, recipe, tmpfs, unshare } from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { root, test } from "../support.ts";

const MOUNT = allSyscalls(Deno.build.arch === "x86_64" ? "x86_64" : "aarch64").get("mount");

/** Mounts a tmpfs with a file on /mnt/auto, or on a directory in it, when it is first needed. */
function daemon(kind: "direct" | "indirect"): string {
  return String.raw`
    use Fcntl;
    setpgrp(0, 0);
    pipe(my $packets, my $kernel) or die;
    my ($n, $at, $type, $options) = ("auto\0", "/mnt/auto\0", "autofs\0");
    $options = "fd=" . fileno($kernel) . ",pgrp=$$,minproto=5,maxproto=5,${kind}\0";
    syscall(${MOUNT}, $n, $at, $type, 0, $options) == 0 or die "mount: $!";
    sysopen(my $directory, "/mnt/auto", O_RDONLY | O_DIRECTORY) or die "open: $!";
    my $place = "/mnt/auto${kind === "direct" ? "" : "/box"}";
    mkdir $place;
    open(my $ready, ">", "/mnt/ready");
    close($ready);
    while (sysread($packets, my $packet, 304)) {
      my ($version, $kind, $token) = unpack("lLL", $packet);
      system("mount", "-t", "tmpfs", "auto", $place);
      open(my $file, ">", "$place/soup");
      close($file);
      ioctl($directory, 0x9360, $token) or die "ioctl: $!"; # AUTOFS_IOC_READY
    }
  `;
}

/** Why there is no autofs here. */
function notHere(): string | undefined {
  if (!root) return "needs root, to mount autofs";
  const known = Deno.readTextFileSync("/proc/filesystems").split("\n");
  return known.includes("nodev\tautofs") ? undefined : "this kernel has no autofs";
}

const outer = recipe(
  unshare("mount", "pid"),
  proc(),
  tmpfs("/mnt"),
  mkdir("/mnt/auto"),
  init(),
);

for (const kind of ["direct", "indirect"] as const) {
  for (const steps of ["bind", "sandbox"] as const) {
    for (const around of [false, true]) {
      // In an indirect map nobody knows the names before they are asked for.
      if (around && kind === "indirect") continue;
      const where = around ? "the directory around it" : "it";
      test(`what is mounted when it is needed is shown: ${kind}, ${steps} of ${where}`, () => {
        const path = kind === "direct" ? "/mnt/auto" : "/mnt/auto/box";
        const source = around ? "/mnt" : path;
        const box = {
          bind: `ramekin.recipe(unshare("user", "mount"), mapRoot(), bind("${source}", "/opt"))`,
          sandbox: `ramekin.sandbox({ read: ["${source}"] })`,
        }[steps];
        const seen = steps === "sandbox" ? path : `/opt${path.slice(source.length)}`;
        const script = `
          const { bind, mapRoot, unshare } = ramekin;
          const { stdout, stderr } = ${box}.command("ls", { args: ["${seen}"] }).outputSync();
          const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
          console.log(JSON.stringify(text));`;
        const begin = `perl -e '${daemon(kind)}' &\nuntil test -e /mnt/ready; do sleep 0.01; done`;
        assertEquals(scriptInside(outer, script, begin), "soup\n");
      }, notHere());
    }
  }
}
