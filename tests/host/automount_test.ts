/** Directories that an automounter has not mounted yet: a daemon of autofs in a container. */

import { assertEquals, assertMatch } from "@std/assert";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { init, mkdir, proc, propagation, recipe, tmpfs, unshare } from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { root, test } from "../support.ts";
import { decode } from "../other_scripts.ts";
import { RUN } from "../ramekin/support.ts";

const MOUNT = allSyscalls(Deno.build.arch === "x86_64" ? "x86_64" : "aarch64").get("mount");

/** Mounts a tmpfs with a file on /mnt/auto, or on whatever is asked for in it, when it is needed. */
function daemon(kind: "direct" | "indirect"): string {
  return String.raw`
    use Fcntl;
    setpgrp(0, 0);
    pipe(my $packets, my $kernel) or die;
    my ($n, $at, $type, $options) = ("auto\0", "/mnt/auto\0", "autofs\0");
    $options = "fd=" . fileno($kernel) . ",pgrp=$$,minproto=5,maxproto=5,${kind}\0";
    syscall(${MOUNT}, $n, $at, $type, 0, $options) == 0 or die "mount: $!";
    sysopen(my $directory, "/mnt/auto", O_RDONLY | O_DIRECTORY) or die "open: $!";
    open(my $ready, ">", "/mnt/ready");
    close($ready);
    while (sysread($packets, my $packet, 304)) {
      my ($token, $name) = unpack("x8 L x32 Z*", $packet);
      my $place = "/mnt/auto${kind === "direct" ? "" : "/$name"}";
      mkdir $place;
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
  propagation("/mnt", "shared"), // as systemd makes the mounts of a machine
  mkdir("/mnt/auto"),
  init(),
);

/** What `ls` of a path says in a container that a script in the namespace of the daemon makes. */
function listed(kind: "direct" | "indirect", box: string, path: string): unknown {
  const script = `
    const { bind, mapRoot, unshare } = ramekin;
    const { stdout, stderr } = ${box}.command("ls", { args: ["${path}"] }).outputSync();
    const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
    console.log(JSON.stringify(text));`;
  const begin = `perl -e '${daemon(kind)}' &\nuntil test -e /mnt/ready; do sleep 0.01; done`;
  return scriptInside(outer, script, begin);
}

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
        assertEquals(listed(kind, box, seen), "soup\n");
      }, notHere());
    }
  }
}

test("names that nobody has asked for are mounted in the container with slave mounts alone", () => {
  const around = (options: string) =>
    `ramekin.recipe(unshare("user", "mount"${options}), mapRoot(), bind("/mnt/auto", "/opt"))`;
  const seen = listed("indirect", around(', { propagation: "slave" }'), "/opt/box");
  assertEquals(seen, "soup\n");
  const failed = listed("indirect", around(""), "/opt/box");
  assertMatch(String(failed), /Too many levels of symbolic links/);
}, notHere());

test("a launch that waits for an automounter without an answer is ended by Ctrl-C", () => {
  const silent = daemon("direct").replace(/system\("mount".*/, "sleep 1000;");
  const words = [...RUN, "run", "-A", "/mnt/box.yaml", "--", "true"].join(" ");
  const begin = `perl -e '${silent}' &\nuntil test -e /mnt/ready; do sleep 0.01; done
    printf 'steps:\\n- { step: unshare, kinds: [mount] }\\n- { step: tmpfs, target: /mnt/auto }' \\
      > /mnt/box.yaml
    code=0; timeout -k 20 -s INT 2 ${words} || code=$?`;
  const { stdout, stderr } = outer.command("sh", { args: ["-euc", `${begin}\necho $code`] })
    .outputSync();
  // 137 where it takes SIGKILL.
  assertEquals([decode(stdout), decode(stderr)], ["124\n", ""]);
}, notHere());

test("a launch that waits for an automounter without an answer is ended by its timeout", () => {
  const silent = daemon("direct").replace(/system\("mount".*/, "sleep 1000;");
  const script = `
    const box = ramekin.recipe(ramekin.unshare("mount"), ramekin.tmpfs("/mnt/auto"));
    try {
      box.command("true", { timeout: 0, killAfter: 0 }).outputSync();
    } catch ({ name, step, stepIndex }) {
      console.log(JSON.stringify([name, step, stepIndex]));
    }`;
  const begin = `perl -e '${silent}' &\nuntil test -e /mnt/ready; do sleep 0.01; done`;
  assertEquals(scriptInside(outer, script, begin), ["LaunchTimeoutError", "tmpfs", 1]);
}, notHere());

test("what has been unmounted since the plan was made is mounted again", () => {
  const script = `
    const { bind, linux, mapRoot, unshare } = ramekin;
    const box = ramekin.recipe(unshare("user", "mount"), mapRoot(), bind("/mnt", "/opt"));
    const command = box.command("ls", { args: ["/opt/auto"] });
    const seen = [];
    for (let times = 0; times < 2; times++) {
      seen.push(new TextDecoder().decode(command.outputSync().stdout));
      linux.umount2("/mnt/auto");
    }
    console.log(JSON.stringify(seen));`;
  const begin = `perl -e '${daemon("direct")}' &\nuntil test -e /mnt/ready; do sleep 0.01; done`;
  assertEquals(scriptInside(outer, script, begin), ["soup\n", "soup\n"]);
}, notHere());
