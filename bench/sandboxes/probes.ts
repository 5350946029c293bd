/**
 * What a program tries in each sandbox. Each probe is a program in Perl, which prints `through` where
 * it gets through; where that cannot be seen from within, it is looked at from outside.
 *
 * @module
 */

import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { SECRET, type World } from "./world.ts";

/** How the tool is started, where it is not started plainly. */
export type Start = "descriptor" | "input" | "log" | "terminal" | "killed" | "left";

/** Something that is tried. */
export interface Probe {
  /** What is tried, for the page. */
  readonly name: string;
  /** The program. */
  readonly attack: (world: World) => string;
  readonly start?: Start;
  /** Whether it has come through, as seen from outside. */
  readonly came?: (world: World) => boolean;
  /** Whether it takes seconds. */
  readonly heavy?: true;
  /** What would hold it in a tool that does not, by the tool's name. */
  readonly fixes?: Readonly<Record<string, string>>;
}

/** Probes of one kind. */
export interface Group {
  readonly title: string;
  readonly probes: readonly Probe[];
}

/** What every program begins with. */
export const PRELUDE = String.raw`
  use strict; $| = 1;
  sub through { print "through\n"; exit 0 }
  sub stopped { print "stopped: $_[0]\n"; exit 1 }
  sub call {
    my ($number, @args) = @_;
    my $result = syscall($number, @args);
    stopped($!) if $result == -1;
    $result
  }
  sub take { open(my $file, "<", $_[0]) or stopped($!); local $/; scalar <$file> }
  sub put { open(my $file, ">>", $_[0]) or stopped($!); syswrite($file, $_[1]) or stopped($!) }
`;

function reads(path: (world: World) => string): Probe["attack"] {
  return (world) => `take("${path(world)}") eq "${SECRET}" ? through() : stopped("empty")`;
}

function writes(path: (world: World) => string): Pick<Probe, "attack" | "came"> {
  return {
    attack: (world) => `put("${path(world)}", "salt")`,
    came: (world) => textOf(path(world)).includes("salt"),
  };
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The number of a system call. */
function nr(name: string): number {
  return allSyscalls(Deno.build.arch).get(name) ?? -1;
}

function connects(address: string, domain = "AF_UNIX"): string {
  return String.raw`
    use Socket;
    socket(my $socket, ${domain}, SOCK_STREAM, 0) or stopped($!);
    connect($socket, ${address}) or stopped($!);
    through();
  `;
}

const FILES: readonly Probe[] = [
  { name: "reads ~/.ssh/id_ed25519", attack: reads(({ home }) => `${home}/.ssh/id_ed25519`) },
  {
    name: "reads another file of the home directory",
    attack: reads(({ home }) => `${home}/notes.txt`),
    fixes: {
      srt: '`denyRead: ["~"]` with `allowRead: ["."]`',
      firejail: "`--whitelist=PROJECT`; for root `--blacklist` of it",
    },
  },
  {
    name: "reads a file beside the home directory",
    attack: reads(({ directory }) => `${directory}/elsewhere/letter`),
    fixes: { srt: "`denyRead`", firejail: "`--blacklist`" },
  },
  {
    name: "reads beside the project, by /proc/self/cwd/..",
    attack: reads(() => "/proc/self/cwd/../notes.txt"),
    fixes: {
      srt: '`denyRead: ["~"]` with `allowRead: ["."]`',
      firejail: "`--whitelist=PROJECT`; for root `--blacklist` of it",
    },
  },
  { name: "writes to ~/.bashrc", ...writes(({ home }) => `${home}/.bashrc`) },
  {
    name: "makes a file in the home directory",
    ...writes(({ home }) => `${home}/left`),
  },
  {
    name: "writes to ~/.bashrc through a link in the project",
    attack: ({ home, project }) =>
      `symlink("${home}/.bashrc", "${project}/link"); put("${project}/link", "salt")`,
    came: ({ home }) => textOf(`${home}/.bashrc`).includes("salt"),
  },
];

const PROJECT: readonly Probe[] = [
  {
    name: "puts a hook into .git/hooks",
    ...writes(({ project }) => `${project}/.git/hooks/pre-commit`),
    fixes: { bwrap: "`--ro-bind` of the directory", firejail: "`--read-only` of the directory" },
  },
  {
    name: "changes .git/config, which names programs",
    ...writes(({ project }) => `${project}/.git/config`),
    fixes: { bwrap: "`--ro-bind` of the file", firejail: "`--read-only` of the file" },
  },
  {
    name: "puts another .git into its place",
    attack: ({ project }) =>
      `rename("${project}/.git", "${project}/.old") or stopped($!);
        mkdir("${project}/.git") or stopped($!); mkdir("${project}/.git/hooks");
        put("${project}/.git/hooks/post-checkout", "salt")`,
    came: ({ project }) => exists(`${project}/.git/hooks/post-checkout`),
    fixes: { bwrap: "`--ro-bind` of .git", firejail: "`--read-only` of .git" },
  },
  {
    name: "makes .vscode/tasks.json, which an editor runs",
    attack: ({ project }) =>
      `mkdir("${project}/.vscode"); put("${project}/.vscode/tasks.json", "salt")`,
    came: ({ project }) => textOf(`${project}/.vscode/tasks.json`).includes("salt"),
    fixes: { bwrap: "`--ro-bind` of an empty directory" },
  },
  {
    name: "leaves a set-user-ID program in the project",
    attack: ({ project }) =>
      `put("${project}/runs-as-you", "salt"); chmod(04755, "${project}/runs-as-you")`,
    came: ({ project }) => {
      const path = `${project}/runs-as-you`;
      return exists(path) && (Deno.lstatSync(path).mode! & 0o4000) !== 0;
    },
    fixes: { bwrap: "`--seccomp`, with a filter of one's own" },
  },
];

const INHERITED: readonly Probe[] = [
  {
    name: "finds a secret in the environment",
    attack: () => `($ENV{API_TOKEN} // "") eq "${SECRET}" ? through() : stopped("none")`,
    fixes: {
      bwrap: "`--clearenv`",
      firejail: "`--rmenv`",
      srt: "`credentials.envVars`",
    },
  },
  {
    name: "reads from a descriptor that its caller left open",
    attack: () =>
      String.raw`for my $fd (3 .. 63) {
        open(my $file, "<&=", $fd) or next;
        sysread($file, my $text, 99);
        through() if defined $text && $text eq "${SECRET}";
      }
      stopped("none")`,
    start: "descriptor",
    fixes: { bwrap: "to close it before" },
  },
  {
    name: "opens the file of its standard input again, to write",
    attack: () =>
      String.raw`open(my $file, ">>", "/proc/self/fd/0") or stopped($!);
        syswrite($file, "salt")`,
    start: "input",
    came: ({ directory }) => textOf(`${directory}/input`).includes("salt"),
    fixes: { bwrap: "a pipe", firejail: "a pipe", srt: "a pipe" },
  },
  {
    name: "empties the log that it may only append to",
    attack: () => String.raw`open(my $file, "+>", "/proc/self/fd/1") or stopped($!)`,
    start: "log",
    came: ({ directory }) => !textOf(`${directory}/log`).startsWith(SECRET),
    fixes: { bwrap: "a pipe", firejail: "a pipe", srt: "a pipe" },
  },
  {
    name: "reads as a further group of its caller's",
    attack: reads(({ project }) => `${project}/of-a-group`),
  },
  {
    name: "types into its caller's terminal (TIOCSTI)",
    attack: () =>
      String.raw`my $tty;
        open($tty, "+<", "/dev/tty") or open($tty, "<&=", 0) or stopped($!);
        for my $byte (split(//, "soup\n")) { ioctl($tty, 0x5412, $byte) or stopped($!) }`,
    start: "terminal",
  },
];

const NETWORK: readonly Probe[] = [
  {
    name: "connects to a server on the host's 127.0.0.1",
    attack: ({ port }) => connects(`pack_sockaddr_in(${port}, INADDR_LOOPBACK)`, "AF_INET"),
  },
  {
    name: "connects to an abstract unix socket of the host's",
    attack: ({ abstractName }) => connects(String.raw`pack("Sa*", AF_UNIX, "\0${abstractName}")`),
  },
  {
    name: "connects to a unix socket in the project",
    attack: ({ project }) => connects(`pack_sockaddr_un("${project}/socket")`),
    fixes: {
      bwrap: "`--seccomp`, with a filter of one's own",
      firejail: "`--ignore=protocol --protocol=inet`",
    },
  },
  {
    name: "sees the host's interfaces",
    attack: () =>
      String.raw`take("/proc/net/dev") =~ /^\s*(?!lo:|tunl0:|sit0:|ip6tnl0:)\w+:/m
        ? through() : stopped("none")`,
  },
  {
    name: "makes a socket to the hypervisor (AF_VSOCK)",
    attack: () => `call(${nr("socket")}, 40, 1, 0); through()`,
    fixes: { bwrap: "`--seccomp`, with a filter of one's own" },
  },
];

const PROCESSES: readonly Probe[] = [
  {
    name: "sees a process outside, with its arguments",
    // Its own command line, and that of its tool, have the word backwards.
    attack: ({ marker }) =>
      String.raw`for my $path (glob("/proc/[0-9]*/cmdline")) {
        open(my $file, "<", $path) or next;
        local $/;
        my $words = <$file>;
        through() if index($words, reverse("${backwards(marker)}")) >= 0;
      }
      stopped("none")`,
  },
  {
    name: "sends a signal to a process outside",
    attack: ({ pid }) => `kill("USR1", ${pid}) or stopped($!)`,
    came: ({ directory }) => eventually(() => exists(`${directory}/signalled`)),
  },
  {
    name: "traces a process outside (ptrace)",
    attack: ({ pid }) => `call(${nr("ptrace")}, 0x4206, ${pid}, 0, 0); through()`,
  },
  {
    name: "goes on when its tool has ended",
    attack: ({ marker }) => goesOn(marker),
    start: "left",
  },
  {
    name: "goes on when its tool is killed",
    attack: ({ marker }) => String.raw`$0 = "${marker} goes on"; print "ready\n"; sleep 20`,
    start: "killed",
  },
  {
    name: "sees the host's name",
    attack: () => {
      const host = Deno.hostname();
      return String
        .raw`use POSIX (); (POSIX::uname())[1] eq "${host}" ? through() : stopped("another")`;
    },
    fixes: { bwrap: "`--hostname`", firejail: "`--hostname`" },
  },
];

function backwards(text: string): string {
  return [...text].reverse().join("");
}

/** A process of a session of its own, which nobody waits for. */
function goesOn(marker: string): string {
  return String.raw`
    use POSIX ();
    exit 0 if fork;
    POSIX::setsid();
    exit 0 if fork;
    $0 = "${marker} goes on";
    open(STDOUT, ">", "/dev/null"); open(STDIN, "<", "/dev/null"); open(STDERR, ">", "/dev/null");
    sleep 20;
  `;
}

const KERNEL: readonly Probe[] = [
  {
    name: "makes a user namespace",
    attack: () => `call(${nr("unshare")}, 0x10000000); through()`,
    fixes: { bwrap: "`--unshare-user --disable-userns`" },
  },
  {
    name: "mounts a filesystem",
    attack: ({ project }) =>
      String.raw`mkdir("${project}/.old"); syscall(${nr("unshare")}, 0x20000) == 0 or call(${
        nr("unshare")
      }, 0x10020000);
        call(${nr("mount")}, "none", "${project}/.old", "tmpfs", 0, 0); through()`,
    fixes: { bwrap: "`--unshare-user --disable-userns --cap-drop ALL`" },
  },
  {
    name: "opens /proc/sys/kernel/core_pattern to write",
    attack: () =>
      String.raw`use Fcntl;
        sysopen(my $file, "/proc/sys/kernel/core_pattern", O_WRONLY) or stopped($!); through()`,
  },
  {
    name: "opens a device of the machine",
    attack: () =>
      String.raw`use Fcntl;
        for my $name (qw(kvm fuse net/tun loop-control loop0 vda sda nvme0n1 mem kmsg)) {
          sysopen(my $file, "/dev/$name", O_RDONLY | O_NONBLOCK) and through();
        }
        stopped($!)`,
    fixes: { firejail: "`--private-dev`" },
  },
  {
    name: "makes a block device in the project",
    attack: ({ project }) =>
      `call(${nr("mknodat")}, -100, "${project}/disk", 0060600, 7 << 8);
        sysopen(my $file, "${project}/disk", 0) or stopped($!); through()`,
  },
  {
    name: "reaches the session's keyring (keyctl)",
    attack: () => `call(${nr("keyctl")}, 0, -3, 0); through()`,
    fixes: { bwrap: "`--seccomp`, with a filter of one's own" },
  },
  {
    name: "makes an io_uring",
    attack: () => `call(${nr("io_uring_setup")}, 4, my $parameters = "\\0" x 120); through()`,
    fixes: {
      bwrap: "`--seccomp`, with a filter of one's own",
      firejail: "`--seccomp=io_uring_setup`",
    },
  },
  {
    name: "loads a map of bpf",
    attack: () =>
      String.raw`my $map = pack("L5", 2, 4, 4, 1, 0) . "\0" x 100;
        call(${nr("bpf")}, 0, $map, length $map); through()`,
    fixes: { bwrap: "`--cap-drop ALL`" },
  },
  {
    name: "opens a counter of perf_event_open",
    attack: () =>
      String.raw`my $event = pack("LLQQQQQ", 1, 112, 0, 0, 0, 0, 0x60) . "\0" x 64;
        call(${nr("perf_event_open")}, $event, 0, -1, -1, 0); through()`,
    fixes: { bwrap: "`--seccomp`, with a filter of one's own" },
  },
  {
    name: "halts the kernel in its work (userfaultfd)",
    attack: () => `call(${nr("userfaultfd")}, 1); through()`,
    fixes: { bwrap: "`--seccomp`, with a filter of one's own" },
  },
  {
    name: "reads the kernel's log",
    attack: () => `my $log = "\\0" x 4096; call(${nr("syslog")}, 3, $log, 4096); through()`,
    fixes: { bwrap: "`--cap-drop ALL`" },
  },
];

/** How many processes a fork bomb of the probe has. */
const BOMB = 4200;

/** How much is written where output is without end. */
const MEBIBYTES = 80;

const LIMITS: readonly Probe[] = [
  {
    name: `starts ${BOMB} processes`,
    heavy: true,
    attack: () =>
      String.raw`my @children;
        while (@children < ${BOMB}) {
          my $pid = fork;
          last unless defined $pid;
          if ($pid == 0) { sleep 60; exit }
          push @children, $pid;
        }
        my $count = @children;
        kill("KILL", @children);
        waitpid($_, 0) for @children;
        $count == ${BOMB} ? through() : stopped("after $count")`,
    fixes: {
      bwrap: "`prlimit --nproc` before it, not for root",
      srt: "`prlimit --nproc` before it, not for root",
      firejail: "`--rlimit-nproc`, not for root",
    },
  },
  {
    name: "can fill half of the memory with files",
    attack: () =>
      String.raw`my ($memory) = take("/proc/meminfo") =~ /^MemTotal:\s+(\d+)/;
        my ($sum, %known) = (0);
        for (split(/\n/, take("/proc/self/mountinfo"))) {
          my ($device, $point) = (split(/ /))[2, 4];
          next unless / - tmpfs / && -d $point && !$known{$device}++;
          open(my $file, ">", "$point/probe") or next;
          unlink("$point/probe");
          my ($size) = (split(/\n/, qx(df -k --output=avail '$point')))[1];
          $sum += $size;
        }
        $sum * 2 >= $memory * 0.95 ? through() : stopped("$sum KiB")`,
    fixes: { bwrap: "`--size` before each `--tmpfs`, and `--remount-ro` of / and /dev" },
  },
  {
    name: `writes ${MEBIBYTES} MiB of output`,
    heavy: true,
    attack: () =>
      String.raw`my $bytes = "soup" x 16384;
        for (1 .. ${MEBIBYTES} * 16) { syswrite(STDOUT, $bytes) or stopped($!) }
        print STDOUT "\n"; through()`,
    fixes: { bwrap: "`| head -c`", srt: "`| head -c`", firejail: "`| head -c`" },
  },
];

/** All probes. */
export const GROUPS: readonly Group[] = [
  { title: "Files", probes: FILES },
  { title: "Files of the project that other programs trust", probes: PROJECT },
  { title: "What is inherited", probes: INHERITED },
  { title: "The network", probes: NETWORK },
  { title: "Processes", probes: PROCESSES },
  { title: "The kernel", probes: KERNEL },
  { title: "Limits", probes: LIMITS },
];

/** Waits for a moment for something that another process does. */
function eventually(is: () => boolean): boolean {
  for (let tries = 0; tries < 5; tries++) {
    if (is()) return true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
  return false;
}
