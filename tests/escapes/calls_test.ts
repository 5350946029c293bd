/** Escapes by system calls that reach into the kernel. */

import { notRoot } from "../support.ts";
import { escape, unknownHere } from "./support.ts";

const DENIED = /Operation not permitted/;

const RING = String.raw`
  my $parameters = "\0" x 120;
  call("io_uring_setup", 4, $parameters);
`;

escape("io_uring, whose work no filter of system calls sees", {
  attack: RING,
  lacking: ["seccomp"],
  says: DENIED,
  harmless: unknownHere(RING),
});

escape("userfaultfd, which halts the kernel in the midst of its work", {
  attack: `call("userfaultfd", 1)`,
  lacking: ["seccomp"],
  says: DENIED,
  harmless: unknownHere(`call("userfaultfd", 1)`),
});

/** An array of one element: BPF_MAP_CREATE. */
const MAP = String.raw`
  my $attributes = pack("L5", 2, 4, 4, 1, 0) . "\0" x 100;
  call("bpf", 0, $attributes, length $attributes);
`;

escape("bpf, a program in the kernel", {
  attack: MAP,
  lacking: ["seccomp", "capabilities", "the user namespaces"],
  says: DENIED,
  harmless: notRoot ?? unknownHere(MAP),
});

/** The process's own CPU clock, without the kernel's share (exclude_kernel, exclude_hv). */
const COUNTER = String.raw`
  my $attributes = pack("LLQQQQQ", 1, 112, 0, 0, 0, 0, 0x60) . "\0" x 64;
  call("perf_event_open", $attributes, 0, -1, -1, 0);
`;

/** Whether the call needs a capability here, as on Debian, and not on other systems. */
const reserved = Number(Deno.readTextFileSync("/proc/sys/kernel/perf_event_paranoid")) > 2;

escape("perf_event_open", {
  attack: COUNTER,
  lacking: reserved ? ["seccomp", "capabilities", "the user namespaces"] : ["seccomp"],
  says: DENIED,
  harmless: (reserved ? notRoot : undefined) ?? unknownHere(COUNTER),
});

escape("keyctl: keys do not know of namespaces", {
  attack: String.raw`call("add_key", "user", "ramekin", "soup", 4, -2)`,
  lacking: ["seccomp"],
  says: DENIED,
  harmless: unknownHere(`call("keyctl", 0, -2, 0)`),
});

/** The file is not a module: the error is another one if the caller may load modules. */
const MODULE = String.raw`
  my ($image, $parameters) = ("no module", "");
  exit 0 if syscall(number("init_module"), $image, length $image, $parameters) == -1 && $!{ENOEXEC};
  die "init_module: $!\n";
`;

escape("a kernel module", {
  attack: MODULE,
  lacking: ["seccomp", "capabilities", "the user namespaces"],
  says: DENIED,
  harmless: notRoot ?? unknownHere(MODULE),
});

/** With a wrong magic number nothing happens; the error is another one if the caller may reboot. */
const REBOOT = String.raw`
  exit 0 if syscall(number("reboot"), 0, 0, 0, 0) == -1 && $!{EINVAL};
  die "reboot: $!\n";
`;

escape("reboot", {
  attack: REBOOT,
  lacking: ["seccomp", "capabilities", "the user namespaces"],
  says: DENIED,
  harmless: notRoot ?? unknownHere(REBOOT),
});

/** More segments than the kernel accepts: the error is another one if the caller may use kexec. */
const KEXEC = String.raw`
  my $parts = "\0" x 32;
  exit 0 if syscall(number("kexec_load"), 0, 1000, $parts, 0) == -1 && $!{EINVAL};
  die "kexec_load: $!\n";
`;

escape("kexec", {
  attack: KEXEC,
  lacking: ["seccomp", "capabilities", "the user namespaces"],
  says: DENIED,
  harmless: notRoot ?? unknownHere(KEXEC),
});

const LOG = String.raw`my $log = "\0" x 4096; call("syslog", 3, $log, 4096)`;

escape("the kernel's log", {
  attack: LOG,
  lacking: ["seccomp", "capabilities", "the user namespaces"],
  says: DENIED,
  harmless: notRoot ?? unknownHere(LOG),
});

for (
  const [name, family, type] of [["AF_VSOCK", 40, 1], ["AF_ALG", 38, 5]] as const
) {
  const attack = `call("socket", ${family}, ${type}, 0)`;
  escape(`sockets of ${name}`, {
    attack,
    lacking: ["seccomp"],
    says: /Address family not supported/,
    harmless: unknownHere(attack),
  });
}

escape("a user namespace, in which one has all capabilities", {
  attack: `call("unshare", 0x10000000)`,
  lacking: ["seccomp", "sysctl"],
  says: DENIED,
});

escape("a user namespace by clone3, whose flags no filter sees", {
  attack: String.raw`
    my $arguments = pack("Q8", 0x10000000, 0, 0, 0, 17, 0, 0, 0);
    my $pid = call("clone3", $arguments, 64);
    exit 0 if $pid == 0;
    waitpid($pid, 0);
    die "the child ends with $?" if $? != 0;
  `,
  lacking: ["seccomp", "sysctl"],
  says: /Function not implemented/,
});

escape("a user namespace by clone, with flags where the kernel does not look", {
  // A filter that compares the whole register can be evaded by the upper half.
  attack: String.raw`
    my $pid = call("clone", 0x7f0000000000 | 0x10000000 | 17, 0, 0, 0, 0);
    exit 0 if $pid == 0;
    waitpid($pid, 0);
  `,
  lacking: ["seccomp", "sysctl"],
  says: DENIED,
});
