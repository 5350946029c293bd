/** Escapes by the standard streams that a sandbox inherits. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { recipe } from "../../mod.ts";
import { claim } from "../leftovers.ts";
import { decode } from "../other_scripts.ts";
import { inDirectory, test } from "../support.ts";
import { program, SECRET } from "./support.ts";

const SCRIPT = new URL("streams_script.ts", import.meta.url).pathname;
const RUN = [Deno.execPath(), "run", "-A", "--no-check", "--quiet", SCRIPT];

/** An attack on a stream that is redirected. */
interface StreamAttack {
  readonly attack: string;
  /** How a shell in the directory runs it. */
  readonly by: string;
  readonly says: RegExp;
}

const OPEN = String.raw`use Fcntl;
  sub again { sysopen(my $file, "/proc/self/fd/$_[0]", $_[1]) or die "open: $!\n"; $file }`;

/** Runs it with a socket as its stdin, while $host exists. */
function handedBy(making: string): string {
  return `exec perl -MSocket -e '$^F = 99; ${making};
    open(STDIN, "<&", $theirs); exec @ARGV' "$@"`;
}

const ATTACKS: Readonly<Record<string, StreamAttack>> = {
  "a file to be read is changed": {
    attack: `${OPEN} truncate(again(0, O_WRONLY), 0) or die "truncate: $!\\n"`,
    by: 'exec "$@" < input',
    says: /truncate: Invalid argument|open: Permission denied/,
  },
  "a file to be read gets another mode": {
    attack: String
      .raw`chmod(0777, *STDIN) or die "chmod: $!\n"; (stat "/proc/self/fd/0")[2] == 0100777
      or die "another file\n"`,
    by: 'exec "$@" < input',
    says: /another file|chmod/,
  },
  "a log to be appended to is read": {
    attack: String.raw`${OPEN}
      sysread(again(1, O_RDONLY | O_NONBLOCK), my $log, 100) or die "read: $!\n"`,
    by: 'exec "$@" >> input',
    says: /read: Resource temporarily unavailable/,
  },
  "a log to be appended to is emptied": {
    attack: String.raw`truncate(*STDOUT, 0) or die "truncate: $!\n"`,
    by: 'exec "$@" >> input',
    says: /truncate: Invalid argument/,
  },
  "a directory leads to the one around it": {
    attack: String.raw`chdir("/proc/self/fd/0") or die "chdir: $!\n"; take("../secret")`,
    by: 'exec "$@" < sub',
    says: /stdin is a directory/,
  },
  "a named pipe gets another mode": {
    attack: String
      .raw`chmod(0777, *STDIN) or die "chmod: $!\n"; readlink("/proc/self/fd/0") !~ /^pipe:/
      or die "another file\n"`,
    by: 'exec "$@" <> fifo',
    says: /another file|chmod/,
  },
  "a socket of datagrams sends to an abstract one of the host": {
    attack: String.raw`use Socket;
      open(my $stdin, "+<&=", 0);
      send($stdin, "x", 0, getsockname($stdin) . "-host") or die "send: $!\n"`,
    by: handedBy(`
      socket(my $theirs, AF_UNIX, SOCK_DGRAM, 0) or die;
      bind($theirs, pack("S", AF_UNIX)) or die;
      socket(my $host, AF_UNIX, SOCK_DGRAM, 0) or die;
      bind($host, getsockname($theirs) . "-host") or die "bind: $!"`),
    says: /stdin is a socket without a connection/,
  },
  "a connection of TCP is made anew in the network of the host": {
    attack: String.raw`use Socket;
      my $peer = getpeername(STDIN) or die "getpeername: $!\n";
      my ($port) = sockaddr_in($peer);
      connect(STDIN, pack("S x14", AF_UNSPEC)) or die "disconnect: $!\n";
      connect(STDIN, sockaddr_in($port, INADDR_LOOPBACK)) or die "connect: $!\n"`,
    by: handedBy(`
      socket(my $host, AF_INET, SOCK_STREAM, 0) or die;
      listen($host, 2) or die;
      socket(my $theirs, AF_INET, SOCK_STREAM, 0) or die;
      connect($theirs, getsockname($host)) or die "connect: $!"`),
    says: /getpeername/,
  },
};

for (const [name, { attack, by, says }] of Object.entries(ATTACKS)) {
  test(
    `an inherited stream: ${name}`,
    inDirectory((directory) => {
      const prepare = () => {
        Deno.writeTextFileSync(`${directory}/secret`, SECRET);
        Deno.writeTextFileSync(`${directory}/input`, SECRET);
        Deno.chmodSync(`${directory}/input`, 0o644);
        Deno.chmodSync(`${directory}/fifo`, 0o644);
      };
      Deno.mkdirSync(`${directory}/sub`);
      new Deno.Command("mkfifo", { args: ["fifo"], cwd: directory }).outputSync();
      const run = (how: string) => {
        prepare();
        return new Deno.Command("sh", {
          args: ["-c", by, "sh", ...RUN, how, program(attack)],
          cwd: directory,
          env: { NO_COLOR: "1" },
        }).outputSync();
      };
      const handed = run("handed");
      assertEquals(handed.code, 0, `the attack does not work: ${decode(handed.stderr)}`);
      const whole = run("whole");
      assert(whole.code !== 0, "the attack works");
      assertMatch(decode(whole.stderr), says);
      assertEquals(Deno.readTextFileSync(`${directory}/input`), SECRET);
      for (const file of ["input", "fifo"]) {
        assertEquals(Deno.statSync(`${directory}/${file}`).mode! & 0o777, 0o644);
      }
    }),
  );
}

/** Runs a command with another terminal as its stderr, and types there. */
const ON_ANOTHER_TERMINAL = `perl -e '
  open(my $master, "+<", "/dev/ptmx") or die "ptmx: $!\\n";
  my $number = pack("i", 0);
  ioctl($master, 0x40045431, $number) or die "TIOCSPTLCK: $!\\n";
  ioctl($master, 0x80045430, $number) or die "TIOCGPTN: $!\\n";
  open(my $slave, "+<", "/dev/pts/" . unpack("i", $number)) or die "pts: $!\\n";
  unless (my $pid = fork) {
    open(STDOUT, ">", "/dev/null");
    open(STDERR, ">&", $slave);
    exec @ARGV;
  }
  syswrite($master, "my password\\n");
  wait;
  my $code = $? >> 8;
  sysread($master, my $shown, 4096);
  print "$shown code $code."' "$@"`;

/** Runs it in a terminal where a line was typed, and returns what the terminal shows. */
async function typedAt(script: string, how: string, attack: string): Promise<string> {
  await using container = recipe().command("sh", {
    args: ["-c", script, "sh", ...RUN, how, program(attack)],
    terminal: true,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  claim(container.pid);
  const writer = container.stdin.getWriter();
  await writer.write(new TextEncoder().encode("my password\n"));
  const shown = await container.stdout.text();
  writer.releaseLock();
  return shown;
}

const TERMINALS = {
  "a terminal that is to be written to": `"$@" < /dev/null > /dev/null; echo "code $?."`,
  "a terminal beside that of the input": ON_ANOTHER_TERMINAL,
};

for (const [name, script] of Object.entries(TERMINALS)) {
  test(`an inherited stream: ${name} is read`, async () => {
    // It makes a line of input for itself: what it could read is what the user types.
    const attack = String.raw`
      open(my $terminal, "+<&=", 2) or die "open: $!\n";
      my $line = <$terminal>;
      defined $line or die "nothing is read\n";`;
    for (const [how, works] of [["handed", true], ["whole", false]] as const) {
      const shown = await typedAt(script, how, attack);
      assertEquals(/code 0\./.test(shown), works, `${how}: ${shown}`);
      if (!works) assertMatch(shown, /nothing is read|open: /);
    }
  });
}

test("a terminal is one, by whatever name it was opened", async () => {
  const shown = await typedAt(
    `"$@" < /dev/tty; echo "code $?."`,
    "whole",
    String.raw`-t STDIN && -t STDOUT && -t STDERR or die "no terminal\n"`,
  );
  assertMatch(shown, /code 0\./);
});
