/** Escapes by files of the kernel in /proc and /sys. */

import { mapCurrentUser, recipe, seccomp, unshare } from "../../mod.ts";
import { notRoot } from "../support.ts";
import { escape, unknownHere } from "./support.ts";

for (
  const name of ["interrupts", "kallsyms", "kcore", "keys", "kpagecount", "slabinfo", "timer_list"]
) {
  const attack = String.raw`
    open(my $file, "<", "/proc/${name}") or die "open: $!\n";
    sysread($file, my $bytes, 8) or die "it is empty\n";
  `;
  escape(`reading /proc/${name}`, {
    attack,
    lacking: name === "kcore"
      ? ["maskPaths", "the user namespaces", "capabilities"]
      : ["maskPaths"],
    says: /it is empty|No such file|Permission denied/,
    // The keys of an unprivileged user are not those of its user namespace.
    harmless: (name === "keys" ? notRoot : undefined) ?? unknownHere(attack),
  });
}

// Nothing is written: the kernel checks the permission when the file is opened.
for (
  const name of [
    "sysrq-trigger",
    "sys/kernel/core_pattern",
    "sys/kernel/modprobe",
    "sys/vm/panic_on_oom",
  ]
) {
  const attack = `writable("/proc/${name}")`;
  escape(`opening /proc/${name} to write`, {
    attack: name === "sysrq-trigger"
      ? String.raw`open(my $file, ">>", "/proc/${name}") or die "/proc/${name}: $!\n"`
      : attack,
    lacking: ["readonlyPaths"],
    says: /Read-only file system|No such file|Permission denied/,
    harmless: notRoot ?? unknownHere(`-e "/proc/${name}" or die "/proc/${name}: $!\\n"`),
  });
}

/** The host's mounts, without capabilities but with the same user id. */
const SAME_FILES = recipe(unshare("user", "mount"), mapCurrentUser(), seccomp());

for (
  const files of [
    "/sys/module/*/parameters/*",
    "/sys/kernel/mm/*/*",
    "/sys/fs/cgroup/*/release_agent",
    "/sys/fs/cgroup/cgroup.procs",
  ]
) {
  const attack = String.raw`
    for my $path (glob("${files}")) { exit 0 if open(my $file, "+<", $path) }
    die "No such file\n";
  `;
  escape(`opening one of ${files} to write`, {
    attack,
    lacking: SAME_FILES,
    says: /No such file/,
    harmless: notRoot ?? unknownHere(attack),
  });
}

/** A program for the kernel to run as the host's root, outside of every namespace. */
const agent = (directory: string) =>
  String.raw`
    open(my $agent, ">", "${directory}/agent") or die "agent: $!\n";
    print $agent "#!/bin/sh\n: > ${directory}/proof\n";
    close $agent;
    chmod 0755, "${directory}/agent";
    sub put { open(my $file, ">", $_[0]) or die "$_[0]: $!\n"; syswrite($file, $_[1]) or die "$_[0]: $!\n" }
    sub await_proof {
      for (1 .. 200) { -e "${directory}/proof" and unlink("${directory}/proof") and exit 0; select(undef, undef, undef, 0.05) }
      die "nothing has come of it\n";
    }
  `;

/** These two change the machine if they succeed. */
const ONLY_EMULATED = notRoot ??
  (Deno.env.has("EMULATED") ? undefined : "changes the host: deno task test:vm");

const ATTACKED = (directory: string) => ({ write: [directory] });

escape("core_pattern: what runs where a program crashes", {
  attack: (directory) =>
    String.raw`
      ${agent(directory)}
      my $before = take("/proc/sys/kernel/core_pattern");
      put("/proc/sys/kernel/core_pattern", "|${directory}/agent");
      fork or kill(11, $$);
      wait;
      END { defined $before and put("/proc/sys/kernel/core_pattern", $before) }
      await_proof();
    `,
  lacking: ["readonlyPaths"],
  options: ATTACKED,
  says: /Read-only file system|Permission denied/,
  skip: ONLY_EMULATED,
});

escape("release_agent: what runs where a control group becomes empty", {
  attack: (directory) =>
    String.raw`
      ${agent(directory)}
      mkdir "/tmp/groups";
      call("mount", "none", "/tmp/groups", "cgroup", 0, "none,name=ramekin" . int rand 1e9);
      put("/tmp/groups/release_agent", "${directory}/agent");
      mkdir "/tmp/groups/one" or die "mkdir: $!\n";
      put("/tmp/groups/one/notify_on_release", 1);
      fork or (put("/tmp/groups/one/cgroup.procs", $$), exit);
      wait;
      END { rmdir "/tmp/groups/one" }
      await_proof();
    `,
  lacking: ["seccomp", "capabilities", "the user namespaces", "the cgroup namespace"],
  options: ATTACKED,
  says: /Operation not permitted/,
  skip: ONLY_EMULATED,
});
