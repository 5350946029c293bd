/** What programs tell of themselves, as sd_notify(3) does: the option `notify`. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { loopback, mapRoot, recipe, sandbox, unshare } from "../../mod.ts";
import { test } from "../support.ts";

/** A program of perl that sends messages, in a process of its own, and waits for a line. */
const SENDS = (...messages: readonly string[]) =>
  `use Socket;
  print "$ENV{NOTIFY_SOCKET}\\n"; $| = 1; print "";
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
  my $to = pack_sockaddr_un("\\0" . substr($ENV{NOTIFY_SOCKET}, 1));
  for my $text (${messages.map((text) => `"${text}"`).join(", ")}) {
    defined send($s, $text, 0, $to) or die "send: $!";
  }
  readline STDIN;`;

type Message = Readonly<Record<string, string>>;

const BOXES = {
  "in the network of the machine": recipe(),
  "in a network of its own": recipe(unshare("user", "net", "pid"), mapRoot(), loopback()),
  "in a sandbox that may make unix sockets": sandbox({ unixSockets: true }),
};

for (const [place, box] of Object.entries(BOXES)) {
  test(`a program tells of itself, ${place}`, async () => {
    const messages: Message[] = [];
    const seen = Promise.withResolvers<void>();
    const container = box.command("perl", {
      args: ["-e", SENDS("READY=1\\nSTATUS=leek soup\\nnothing", "STOPPING=1")],
      stdin: "piped",
      stdout: "piped",
      notify: (message) => {
        if (messages.push(message) === 2) seen.resolve();
      },
    }).spawn();
    await seen.promise;
    await container.stdin.close();
    assertMatch(await container.stdout.text(), /^@ramekin-notify-[0-9a-f]{8}\n$/);
    assertEquals((await container.status).code, 0);
    assertEquals(messages, [{ READY: "1", STATUS: "leek soup" }, { STOPPING: "1" }]);
  });
}

test("what comes right before the end is told, and of others' nothing", async () => {
  const messages: Message[] = [];
  const { stdout } = await recipe().command("perl", {
    // What the script's own child sends does not come from the container.
    args: ["-e", SENDS("READY=1")],
    notify: (message) => messages.push(message),
  }).output();
  assertEquals(messages, [{ READY: "1" }]);
  const name = new TextDecoder().decode(stdout).trim();

  await using container = recipe().command("sh", {
    args: ["-c", "echo $NOTIFY_SOCKET; read line"],
    stdin: "piped",
    stdout: "piped",
    notify: (message) => messages.push(message),
  }).spawn();
  const reader = container.stdout.getReader();
  const other = new TextDecoder().decode((await reader.read()).value).trim();
  assertEquals(other === name, false);
  const stranger = new Deno.Command("perl", {
    args: ["-e", SENDS("READY=1")],
    env: { NOTIFY_SOCKET: other },
    stdin: "null",
    stdout: "null",
  });
  assertEquals((await stranger.output()).code, 0);
  await container.stdin.close();
  await container.status;
  assertEquals(messages.length, 1);
});

test("the messages take the event loop, and a function", () => {
  const command = recipe().command("true", { notify: () => {} });
  assertThrows(() => command.outputSync(), TypeError, "needs the event loop");
  const options = { notify: "yes" } as unknown as { notify: () => void };
  assertThrows(() => recipe().command("true", options), TypeError, '"notify" should be a function');
});
