/** Escapes by sockets of the host, and by other special files. */

import { assert } from "@std/assert";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import { sandbox } from "../../mod.ts";
import { inDirectory, test } from "../support.ts";
import { assertEscapes, assertNeedsAll, assertStopped, lacking } from "./support.ts";

/** A name that no other socket has. */
const NAME = `ramekin-${crypto.randomUUID()}`;

/** The address of an abstract socket with the name, in Perl. */
const ABSTRACT = String.raw`pack("Sa*", AF_UNIX, "\0${NAME}")`;

const CONNECT = connectTo(ABSTRACT);

function connectTo(address: string): string {
  return String.raw`
    use Socket;
    socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
    connect($socket, ${address}) or die "connect: $!\n";
  `;
}

/** Runs a server on the host, with a stream at one address and a datagram socket at another. */
async function whileServing(
  addresses: { readonly stream: string; readonly datagram?: string },
  body: () => void,
): Promise<void> {
  const script = String.raw`
    use Socket;
    sub serve {
      my ($type, $address) = @_;
      socket(my $socket, AF_UNIX, $type, 0) or die;
      bind($socket, $address) or die;
      listen($socket, 100) or die if $type == SOCK_STREAM;
      $socket
    }
    my $stream = serve(SOCK_STREAM, ${addresses.stream});
    my $datagram = serve(SOCK_DGRAM, ${addresses.datagram ?? `pack("S", AF_UNIX)`});
    $| = 1;
    print "listening";
    <STDIN>;
  `;
  const child = new Deno.Command("perl", {
    args: ["-e", script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  try {
    await reader.read();
    body();
  } finally {
    await child.stdin.close();
    await reader.cancel();
    await child.status;
  }
}

const whileListening = (body: () => void) => whileServing({ stream: ABSTRACT }, body);

test("an abstract unix socket of the host's", () =>
  whileListening(() => {
    assertNeedsAll(sandbox(), ["the net namespace"], CONNECT);
    assertStopped(sandbox(), CONNECT, /Connection refused/);
  }));

const version = landlockVersion();

test("an abstract unix socket of the host's, with the host's network", () =>
  whileListening(() => {
    const box = sandbox({ net: "host" });
    assertEscapes(lacking(box, "landlock", "seccomp"), CONNECT);
    assertStopped(box, CONNECT, /socket: Address family not supported/);
    if (version < 6) return; // Landlock isolates abstract sockets from Linux 6.12 on.
    assertNeedsAll(box, ["landlock", "seccomp"], CONNECT);
    const allowed = sandbox({ net: "host", unixSockets: true });
    assertStopped(allowed, CONNECT, /connect: Operation not permitted/);
  }));

/** Ways to reach one of the two sockets of a directory by its path. */
const BY_PATH: Readonly<Record<string, (directory: string) => string>> = {
  "a stream": (directory) => connectTo(`pack_sockaddr_un("${directory}/stream")`),
  "a datagram": (directory) =>
    String.raw`socket(my $one, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!\n"; ${send(directory)}`,
  "a datagram from one of a pair": (directory) =>
    String.raw`
      socketpair(my $one, my $other, AF_UNIX, SOCK_DGRAM, 0) or die "socketpair: $!\n";
      ${send(directory)}
    `,
  "a datagram from one of a pair of SOCK_RAW": (directory) =>
    String.raw`
      socketpair(my $one, my $other, AF_UNIX, SOCK_RAW, 0) or die "socketpair: $!\n";
      ${send(directory)}
    `,
  "a domain with bits where the kernel does not look": (directory) =>
    String.raw`
      open(my $one, "+<&=", call("socket", 0x100000001, SOCK_DGRAM, 0)) or die "fdopen: $!\n";
      ${send(directory)}
    `,
};

function send(directory: string): string {
  return String.raw`
    send($one, "soup", 0, pack_sockaddr_un("${directory}/datagram")) or die "send: $!\n";
  `;
}

for (const [way, attackIn] of Object.entries(BY_PATH)) {
  test(`a unix socket in a directory that can be read: ${way}`, async () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o755);
      const [stream, datagram] = ["stream", "datagram"]
        .map((name) => `pack_sockaddr_un("${directory}/${name}")`) as [string, string];
      await whileServing({ stream, datagram }, () => {
        const attack = `use Socket; ${attackIn(directory)}`;
        const box = sandbox({ read: [directory] });
        assertNeedsAll(box, ["seccomp"], attack);
        assertStopped(box, attack, /(family|type) not supported/);
        assertEscapes(sandbox({ read: [directory], unixSockets: true }), attack);
        // Without the directory there is nothing to reach, and a program may make sockets.
        assertStopped(sandbox(), attack, /(connect|send): No such file/);
      });
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

test(
  "a pipe in a directory that can be read is written to, as its file is not changed by that",
  inDirectory((directory) => {
    const write = String.raw`
      open(my $pipe, "+<", "${directory}/pipe") or die "open: $!\n";
      syswrite($pipe, "soup") or die "write: $!\n";
    `;
    assert(new Deno.Command("mkfifo", { args: [`${directory}/pipe`] }).outputSync().success);
    assertEscapes(sandbox({ read: [directory] }), write);
    assertStopped(sandbox(), write, /No such file/);
  }),
);

test(
  "pairs of streams can be made in any sandbox",
  inDirectory((directory) => {
    const talk = `use Socket;
      for my $type (SOCK_STREAM, SOCK_SEQPACKET) {
        socketpair(my $one, my $other, AF_UNIX, $type, 0) or die "socketpair: $!\n";
        syswrite($one, "soup") == 4 && sysread($other, my $word, 4) == 4 or die "no soup\n";
      }`;
    assertEscapes(sandbox({ write: [directory] }), talk);
  }),
);
