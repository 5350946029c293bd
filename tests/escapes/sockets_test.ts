/** Escapes by sockets of the host, and by other special files. */

import { assert, assertEquals } from "@std/assert";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import { sandbox } from "../../mod.ts";
import { inDirectory, test } from "../support.ts";
import { assertEscapes, assertNeedsAll, assertStopped, lacking } from "./support.ts";

/** Returns a name that no other socket has. */
const NAME = `ramekin-${crypto.randomUUID()}`;

/** Connects to an abstract socket with the name. */
const CONNECT = String.raw`
  use Socket;
  socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
  connect($socket, pack("Sa*", AF_UNIX, "\0${NAME}")) or die "connect: $!\n";
`;

/** Runs a server on an abstract socket of the host, while the body runs. */
async function whileListening(body: () => void): Promise<void> {
  const script = String.raw`
    use Socket;
    socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die;
    bind($socket, pack("Sa*", AF_UNIX, "\0${NAME}")) or die;
    listen($socket, 100) or die;
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

test("an abstract unix socket of the host's", () =>
  whileListening(() => {
    assertNeedsAll(sandbox(), ["the net namespace"], CONNECT);
    assertStopped(sandbox(), CONNECT, /Connection refused/);
  }));

const version = landlockVersion();

test("an abstract unix socket of the host's, with the host's network", () =>
  whileListening(() => {
    const box = sandbox({ net: "host" });
    assertEscapes(lacking(box, "landlock"), CONNECT);
    assertStopped(box, CONNECT, /Operation not permitted/);
  }), version < 6 ? "needs Landlock's version 6, of Linux 6.12" : undefined);

test(
  "what serves in a directory that can be read is reached, as its file is not changed by that",
  inDirectory((directory) => {
    using listener = Deno.listen({ transport: "unix", path: `${directory}/socket` });
    assertEquals(listener.addr.transport, "unix");
    const connect = String.raw`
      use Socket;
      socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
      connect($socket, sockaddr_un("${directory}/socket")) or die "connect: $!\n";
    `;
    const write = String.raw`
      open(my $pipe, "+<", "${directory}/pipe") or die "open: $!\n";
      syswrite($pipe, "soup") or die "write: $!\n";
    `;
    assert(new Deno.Command("mkfifo", { args: [`${directory}/pipe`] }).outputSync().success);
    for (const attack of [connect, write]) {
      assertEscapes(sandbox({ read: [directory] }), attack);
      assertStopped(sandbox(), attack, /No such file/);
    }
  }),
);
