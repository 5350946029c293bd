/**
 * Escapes from the sandbox of `degrade`, which has no namespaces: its steps are the same whether user
 * namespaces are refused or not.
 */

import { assertEquals } from "@std/assert";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import { capabilities, noNewPrivileges, Recipe, recipe, type SandboxOptions } from "../../mod.ts";
import { degradedSteps } from "../../recipe/degraded_sandbox.ts";
import { inDirectory, inside, test } from "../support.ts";
import {
  assertEscapes,
  assertNeedsAll,
  assertStopped,
  lacking,
  type Protection,
  SECRET,
  unknownHere,
} from "./support.ts";

const version = landlockVersion();
const noFiles = version >= 3 ? undefined : "needs the Landlock of Linux 6.2";
const noScopes = version >= 6 ? undefined : "needs the Landlock of Linux 6.12";

const degraded = (options: SandboxOptions = {}) => new Recipe(degradedSteps(options));

const DENIED = /Operation not permitted/;

/** A test of an attack that each of the protections alone stops. */
function escape(
  name: string,
  protections: readonly Protection[],
  says: RegExp,
  attack: (directory: string) => string,
  options: (directory: string) => SandboxOptions = () => ({}),
  skip = noFiles,
): void {
  test(
    name,
    inDirectory((directory) => {
      Deno.writeTextFileSync(`${directory}/secret`, SECRET);
      Deno.mkdirSync(`${directory}/shown`);
      const box = degraded(options(directory));
      assertNeedsAll(box, protections, attack(directory));
      assertStopped(box, attack(directory), says);
    }),
    skip,
  );
}

/** A place beside the secret is shown. */
const shown = (directory: string): SandboxOptions => ({ read: [`${directory}/shown`] });
const written = (directory: string): SandboxOptions => ({
  write: [`${directory}/shown`],
  protect: false,
});

escape("a file that is not shown", ["landlock"], /denied/, (at) => `take("${at}/secret")`, shown);

escape("the same by .. from what is written", ["landlock"], /denied/, (at) =>
  String.raw`
    open(my $file, ">", "${at}/shown/file") or die "open: $!\n";
    chdir("${at}/shown") or die "chdir: $!\n";
    take("../secret");
  `, written);

escape("the same by a link from what is written", ["landlock"], /denied/, (at) =>
  String.raw`
    symlink("${at}/secret", "${at}/shown/link") or die "symlink: $!\n" unless -l "${at}/shown/link";
    take("${at}/shown/link");
  `, written);

escape(
  "a hard link to it in what is written",
  ["landlock"],
  /denied|cross-device/,
  (at) =>
    String.raw`
    unlink("${at}/shown/hard");
    link("${at}/secret", "${at}/shown/hard") or die "link: $!\n";
  `,
  written,
);

escape(
  "a change of what is shown to be read",
  ["landlock"],
  /denied/,
  (at) => String.raw`open(my $file, ">", "${at}/shown/file") or die "open: $!\n"`,
  shown,
);

escape(
  "a mode of what is shown to be read",
  ["seccomp"],
  DENIED,
  (at) => String.raw`chmod(0700, "${at}/shown") or die "chmod: $!\n"`,
  shown,
);

escape(
  "a write to the temporary directory of all",
  ["landlock"],
  /denied/,
  (at) => String.raw`open(my $file, ">", "${at}/new") or die "open: $!\n"`,
);

const deniedIn = (at: string): SandboxOptions => ({
  write: [at],
  denyRead: [`${at}/secret`],
  denyWrite: [`${at}/kept`],
  protect: false,
});

escape(
  "a file that is denied in what is shown",
  ["landlock"],
  /denied/,
  (at) => `take("${at}/secret")`,
  deniedIn,
);

escape(
  "the same by another name that the program makes",
  ["landlock"],
  /denied/,
  (at) =>
    String.raw`
    my $other = "${at}/shown/other-$$";
    rename("${at}/secret", $other) or die "rename: $!\n";
    take($other) or die;
    rename($other, "${at}/secret");
  `,
  deniedIn,
);

escape(
  "a denied file that is missing",
  ["landlock"],
  /denied/,
  (at) => String.raw`open(my $file, ">", "${at}/kept") or die "open: $!\n"; unlink("${at}/kept")`,
  deniedIn,
);

escape("a directory around a denied file, moved", ["landlock"], /denied/, (at) =>
  String.raw`
    rename("${at}", "${at}-moved") or die "rename: $!\n";
    rename("${at}-moved", "${at}");
  `, (at) => ({ ...deniedIn(at), write: ["/var/tmp", at] }));

escape("a connection", ["seccomp"], DENIED, () =>
  String.raw`
    use Socket;
    socket(my $socket, AF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
  `);

escape(
  "a datagram from a connected pair to any unix socket",
  ["seccomp"],
  /type not supported/,
  () =>
    String.raw`
    use Socket;
    socketpair(my $one, my $two, AF_UNIX, SOCK_DGRAM, 0) or die "socketpair: $!\n";
  `,
);

escape(
  "a unix socket, with the host's network",
  ["seccomp"],
  /family not supported/,
  () =>
    String.raw`
    use Socket;
    socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
  `,
  () => ({ net: "host" }),
);

for (
  const [name, says, call] of [
    ["a user namespace", DENIED, `call("unshare", 0x10000000)`],
    ["io_uring", DENIED, String.raw`my $p = "\0" x 120; call("io_uring_setup", 4, $p)`],
    [
      "shared memory of the machine",
      DENIED,
      `my $id = call("shmget", 0, 4096, 0600); call("shmctl", $id, 0, 0)`,
    ],
  ] as const
) {
  escape(name, ["seccomp"], says, () => call, undefined, noFiles ?? unknownHere(call));
}

const QUEUE = String.raw`
  my $name = "ramekin-$$\0";
  my $queue = syscall(number("mq_open"), $name, 0102, 0600, 0);
  my $why = $!;
  # What Landlock does not let be opened is made all the same.
  syscall(number("mq_unlink"), $name);
  die "mq_open: $why\n" if $queue == -1;
`;

escape(
  "a message queue of the machine",
  ["seccomp", "landlock"],
  DENIED,
  () => QUEUE,
  undefined,
  noFiles ?? unknownHere(QUEUE),
);

/** Runs a body while another process of this user runs, which this one may trace and signal. */
async function beside(body: (pid: number) => void): Promise<void> {
  await using other = recipe(capabilities({ permitted: [] }), noNewPrivileges())
    .command("env", { args: ["-", `SOUP=${SECRET}`, "sleep", "600"] }).spawn();
  body(other.pid);
}

test("the environment of another process", () =>
  beside((pid) => {
    const attack = `take("/proc/${pid}/environ") =~ /SOUP/ or die "there is none\\n"`;
    assertNeedsAll(degraded(), ["landlock"], attack);
    assertStopped(degraded(), attack, /denied/);
    assertStopped(degraded({ read: ["/"] }), attack, /denied/);
  }), noFiles);

test("a signal to another process", () =>
  beside((pid) => {
    const attack = `kill(0, ${pid}) or die "kill: $!\\n"`;
    assertNeedsAll(degraded(), ["landlock"], attack);
    assertStopped(degraded(), attack, DENIED);
  }), noScopes);

test("a limit of another process", () =>
  beside((pid) => {
    const attack = String.raw`
      my $limit = "\0" x 16;
      call("prlimit64", ${pid}, 0, 0, $limit);
      call("prlimit64", ${pid}, 0, $limit, 0);
    `;
    assertNeedsAll(degraded(), ["seccomp"], attack);
    assertStopped(degraded(), attack, DENIED);
    const own = String.raw`my $limit = "\0" x 16; call("prlimit64", 0, 7, 0, $limit)`;
    assertEscapes(degraded(), own);
  }), noFiles);

test("an abstract socket, which Landlock isolates too", () => {
  const name = `ramekin-${crypto.randomUUID()}`;
  const address = { path: `\0${name}`, transport: "unix" } as const;
  using listener = Deno.listen(address);
  void listener;
  const attack = String.raw`
    use Socket;
    socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
    connect($socket, pack("Sa*", AF_UNIX, "\0${name}")) or die "connect: $!\n";
  `;
  const box = degraded({ net: "host" });
  assertEscapes(lacking(box, "landlock", "seccomp"), attack);
  assertStopped(lacking(box, "seccomp"), attack, /connect: Operation not permitted/);
}, noScopes);

/** Requests of ioctl(2) that a filter denies before the kernel looks at the file. */
const REQUESTS = {
  "flags of a file": 0x4008_6602,
  "its version": 0x4008_7602,
  "that nobody can change it any more, by fs-verity": 0x4080_6685,
  "a policy of encryption": 0x800c_6613,
  "attributes of FAT": 0x4004_7211,
  "flags of a subvolume": 0x4008_941a,
  "a subvolume": 0x5000_940e,
  "typing into a terminal": 0x5412,
} as const;

test("requests of ioctl that Landlock does not see", () => {
  for (const [name, request] of Object.entries(REQUESTS)) {
    const attack = String.raw`
      open(my $directory, "<", "/usr/bin/perl") or die;
      my $value = "\0" x 4096;
      ioctl($directory, ${request}, $value) or die "ioctl: $!\n";
    `;
    assertStopped(degraded(), attack, DENIED, name);
  }
}, noFiles);

test("what the program has", () => {
  const script = "grep -E '^(CapPrm|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t\\n'; " +
    "pwd; env | cut -d= -f1 | sort | tr '\\n' ' '; echo >/dev/null; head -c 1 /dev/urandom | wc -c";
  assertEquals(
    inside(degraded(), script),
    "CapPrm:0000000000000000NoNewPrivs:1Seccomp:2/\nHOME LANG PATH PWD 1",
  );
}, noFiles);
