/** Connections to the proxy, with fake clients and hosts. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { serve } from "../../proxy/connection.ts";
import { type Connect, dial } from "../../proxy/dial.ts";
import { Hosts } from "../../proxy/hosts.ts";
import type { Stream } from "../../proxy/stream.ts";
import { rounds } from "../rounds.ts";

const decoder = new TextDecoder("latin1");

/** A fake stream: it sends its parts, then waits or ends. */
class Side implements Stream {
  written = "";
  ended = false;
  closed = false;
  readonly #parts: (string | Uint8Array)[];
  readonly #ends: boolean;
  readonly #whenClosed = Promise.withResolvers<void>();

  constructor(parts: (string | Uint8Array)[], ends = true) {
    this.#parts = [...parts];
    this.#ends = ends;
  }

  async read(): Promise<Uint8Array> {
    // Other tasks run in between, as with a network.
    await Promise.resolve();
    if (this.closed) return new Uint8Array();
    const part = this.#parts.shift();
    if (part !== undefined) return typeof part === "string" ? latin1(part) : part;
    if (!this.#ends) await this.#whenClosed.promise;
    return new Uint8Array();
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.closed) throw new Deno.errors.BrokenPipe();
    this.written += decoder.decode(bytes);
    return Promise.resolve();
  }

  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.#whenClosed.resolve();
  }
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

interface Served {
  readonly client: Side;
  readonly host: Side;
  readonly connected: string[];
}

/** Serves a client that may connect to `granted.example`. */
async function served(
  parts: (string | Uint8Array)[],
  answer: string[] = [],
  patience?: number,
): Promise<Served> {
  const hosts = new Hosts(["granted.example"]);
  const [client, host] = [new Side(parts), new Side(answer)];
  const connected: string[] = [];
  const connect: Connect = async (to) => {
    connected.push(`${to.name}:${to.port}`);
    return hosts.has(to) ? host : await dial(to, hosts, () => true);
  };
  await serve(client, connect, patience);
  assert(client.closed);
  return { client, host, connected };
}

Deno.test("a tunnel forwards bytes in both directions, also those that came early", async () => {
  const { client, host } = await served(
    ["CONNECT granted.example:443 HTTP/1.1\r\n\r\nhello ", "host"],
    ["hello ", "client"],
  );
  assertEquals(client.written, "HTTP/1.1 200 OK\r\n\r\nhello client");
  assertEquals([host.written, host.ended, host.closed], ["hello host", true, true]);
});

Deno.test("a request is forwarded, and its response", async () => {
  const { client, host } = await served(
    ["GET http://granted.example/a HTTP/1.1\r\nAccept: */*\r\n\r\n"],
    ["HTTP/1.1 204 No Content\r\n", "\r\n"],
  );
  assertEquals(client.written, "HTTP/1.1 204 No Content\r\n\r\n");
  assertEquals(
    host.written,
    "GET /a HTTP/1.1\r\nHost: granted.example\r\nAccept: */*\r\nConnection: close\r\n\r\n",
  );
  assert(host.closed);
});

Deno.test("the head may come byte by byte", async () => {
  const head = "GET http://granted.example/ HTTP/1.1\r\n\r\n";
  const { host } = await served([...head], ["HTTP/1.1 200 OK\r\n\r\n"]);
  assertMatch(host.written, /^GET \/ HTTP/);
});

Deno.test("bytes after a request are dropped", async () => {
  const second = "GET http://other.example/ HTTP/1.1\r\n\r\n";
  for (
    const request of [
      `GET http://granted.example/ HTTP/1.1\r\n\r\n${second}`,
      `POST http://granted.example/ HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc${second}`,
      `POST http://granted.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n` +
      `3\r\nabc\r\n0\r\n\r\n${second}`,
    ]
  ) {
    const { host, connected } = await served([request], ["HTTP/1.1 200 OK\r\n\r\n"]);
    assertEquals(connected, ["granted.example:80"]);
    assertEquals(host.written.includes("other.example"), false);
    assertEquals(host.written.includes("abc"), request.includes("abc"));
  }
});

Deno.test("ambiguous chunks end the connection", async () => {
  const start = "POST http://granted.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (
    const chunks of [
      "3;a=b\r\nabc\r\n0\r\n\r\n",
      "3 \r\nabc\r\n0\r\n\r\n",
      "3\nabc\n0\n\n",
      "0x3\r\nabc\r\n0\r\n\r\n",
      "-3\r\nabc\r\n0\r\n\r\n",
      "3\r\nabcd\r\n0\r\n\r\n",
      "3\r\nabc\r\n0\r\nTrailer: a\r\n\r\n",
      "fffffffff\r\nabc",
      "0".repeat(100),
      "3\r\nab",
    ]
  ) {
    const { host } = await served([start + chunks, "GET / HTTP/1.1\r\n\r\n"], []);
    assert(host.closed);
    assertEquals(host.written.includes("GET /"), false, chunks);
  }
});

Deno.test("a host that is not granted gets a 403, in any spelling", async () => {
  for (
    const target of [
      "other.example:443",
      "granted.example.org:443",
      "127.0.0.1:443",
      "2130706433:443",
      "[::1]:443",
      "0:443",
    ]
  ) {
    const { client, host } = await served([`CONNECT ${target} HTTP/1.1\r\n\r\n`]);
    assertMatch(client.written, /^HTTP\/1\.1 403 Forbidden\r\n/);
    assertMatch(client.written, /is not allowed\n$/);
    assertEquals([client.ended, host.written], [true, ""]);
  }
  const { client } = await served(["GET http://other.example/ HTTP/1.1\r\n\r\n"]);
  assertMatch(client.written, /other\.example:80 is not allowed/);
});

Deno.test("names are compared without case and final dot", async () => {
  for (const name of ["GRANTED.example", "granted.example.", "Granted.Example."]) {
    const { connected, client } = await served([`CONNECT ${name}:443 HTTP/1.1\r\n\r\n`]);
    assertEquals(connected, ["granted.example:443"]);
    assertMatch(client.written, /^HTTP\/1\.1 200 /);
  }
});

Deno.test("the host of the request line is used, and not that of a header", async () => {
  const { connected, host } = await served([
    "GET http://granted.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n",
  ]);
  assertEquals(connected, ["granted.example:80"]);
  assertMatch(host.written, /\r\nHost: granted\.example\r\n/);
  assertEquals(host.written.includes("other"), false);
});

Deno.test("a head that is invalid, too long or truncated gets an error", async () => {
  const status = async (...parts: string[]) =>
    (await served(parts)).client.written.match(/^HTTP\/1\.1 (\d+)/)?.[1];
  assertEquals(await status("GET / HTTP/1.1\r\n\r\n"), "400");
  assertEquals(await status("GET http://granted.example/ HTTP/1.1\n\n"), "400");
  assertEquals(await status("GET http://granted.example/ HTTP/1.1\r\nA: b"), "400");
  assertEquals(
    await status("GET http://granted.example/ HTTP/1.1\r\nA: ", "b".repeat(40_000)),
    "431",
  );
  assertEquals(await status("G".repeat(40_000)), "431");
  assertEquals(await status(""), undefined);
});

Deno.test("a client that sends nothing is disconnected", async () => {
  for (const parts of [[], ["GET http://granted.exam"], ["\x05\x01"]]) {
    const client = new Side(parts, false);
    // The proxy does not keep the script alive.
    const timer = setInterval(() => {}, 1000);
    await serve(client, () => Promise.reject(new Error("nobody asks")), 1);
    clearInterval(timer);
    assert(client.closed);
  }
});

Deno.test("a host that cannot be reached gets an error", async () => {
  const client = new Side(["CONNECT granted.example:443 HTTP/1.1\r\n\r\n"]);
  await serve(client, () => Promise.reject(new Deno.errors.ConnectionRefused()));
  assert(client.closed);
});

const hello = "\x05\x01\x00";
const named = (name: string, port = 443) =>
  `\x05\x01\x00\x03${String.fromCharCode(name.length)}${name}` +
  String.fromCharCode(port >> 8, port & 255);

Deno.test("SOCKS 5 connects to a name", async () => {
  const { client, host, connected } = await served(
    [hello + named("Granted.example") + "hello ", "host"],
    ["hello client"],
  );
  assertEquals(connected, ["granted.example:443"]);
  assertEquals(client.written, `\x05\x00\x05\x00\x00\x01${"\0".repeat(6)}hello client`);
  assertEquals(host.written, "hello host");
});

Deno.test("SOCKS 5 refuses hosts that are not granted, and invalid requests", async () => {
  const reply = async (request: string, greeting = hello) =>
    [...latin1((await served([greeting, request])).client.written)].slice(0, 4);
  const notAllowed = [5, 0, 5, 2];
  assertEquals(await reply(named("other.example")), notAllowed);
  assertEquals(await reply(named("granted.example", 0)), notAllowed);
  assertEquals(await reply(named("")), notAllowed);
  assertEquals(await reply(named("a@granted.example")), notAllowed);
  assertEquals(await reply(named("granted.example:1")), notAllowed);
  assertEquals(await reply(named("granted.example\0")), notAllowed);
  assertEquals(await reply("\x05\x01\x00\x01\x7f\0\0\x01\x01\xbb"), notAllowed, "127.0.0.1");
  assertEquals(await reply(`\x05\x01\x00\x04${"\0".repeat(15)}\x01\x01\xbb`), notAllowed, "::1");
  assertEquals(await reply("\x05\x02\x00\x01\0\0\0\0\0\x50"), [5, 0, 5, 7], "BIND");
  assertEquals(await reply("\x05\x01\x00\x09"), [5, 0], "an address of no kind");
  assertEquals(await reply("\x04\x01\x00\x01"), [5, 0], "another version");
  assertEquals(await reply("", "\x05\x01\x02"), [5, 255], "a password alone");
  assertEquals(await reply("", "\x04\x01\x00\x50\x7f\0\0\x01\0"), [72, 84, 84, 80], "SOCKS 4");
});

Deno.test("arbitrary bytes reach no host, and crash nothing", async () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const pieces = [
    "\x05\x01\x00",
    "\x05\x01\x00\x03",
    "CONNECT ",
    "GET http://",
    "other.example",
    ":443",
    " HTTP/1.1",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "\0",
    "@",
  ];
  for (let round = 0; round < rounds(3000); round++) {
    const parts = Array.from(
      { length: 1 + random() * 8 },
      () =>
        random() < 0.7
          ? pieces[Math.floor(random() * pieces.length)]!
          : String.fromCharCode(...Array.from({ length: random() * 20 }, () => random() * 256)),
    );
    const { host } = await served(random() < 0.5 ? parts : [parts.join("")]);
    assertEquals(host.written, "");
  }
});
