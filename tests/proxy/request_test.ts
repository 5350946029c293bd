/** Requests to the proxy, and those that it refuses as ambiguous. */

import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { parseHost } from "../../recipe/host_name.ts";
import { Refusal } from "../../proxy/refusal.ts";
import { parseRequest } from "../../proxy/request.ts";

Deno.test("all spellings of a host have one canonical form", () => {
  for (
    const [text, name, port] of [
      ["example.org", "example.org", undefined],
      ["EXAMPLE.Org:443", "example.org", 443],
      ["example.org.:443", "example.org", 443],
      ["bücher.example", "xn--bcher-kva.example", undefined],
      ["127.0.0.1:80", "127.0.0.1", 80],
      ["127.1", "127.0.0.1", undefined],
      ["0x7f.0.0.1", "127.0.0.1", undefined],
      ["0177.1", "127.0.0.1", undefined],
      ["2130706433:1", "127.0.0.1", 1],
      ["0", "0.0.0.0", undefined],
      ["[::1]:443", "::1", 443],
      ["[0:0::0001]", "::1", undefined],
      ["[::FFFF:127.0.0.1]", "::ffff:7f00:1", undefined],
    ] as const
  ) {
    assertEquals(parseHost(text), { name, port }, text);
  }
});

Deno.test("texts that are not hosts are refused", () => {
  const none = [
    "",
    ":80",
    "a:",
    "a:0",
    "a:65536",
    "a:1:2",
    "::1",
    "[::1",
    "a b",
    "a/b",
    "u@a",
    "a?b",
  ];
  none.push("a".repeat(64), Array(64).fill("abc").join("."));
  none.push(
    "a#b",
    "a\\b",
    "a%2eb",
    "a:8o",
    "[a]",
    "!a",
    "*.a",
    "a*",
    "a..b",
    ".a",
    "a,b",
    "a b.c",
    "256.1.1.1",
    "1.2.3.4.5",
    "a\n",
    "\ta",
    "a:+1",
  );
  for (const text of none) assertEquals(parseHost(text), undefined, JSON.stringify(text));
});

const head = (...lines: string[]) => [...lines, "\r\n"].join("\r\n");

Deno.test("CONNECT requests a tunnel", () => {
  assertEquals(parseRequest(head("CONNECT example.org:443 HTTP/1.1", "Host: other.example")), {
    kind: "tunnel",
    to: { name: "example.org", port: 443 },
  });
  assertEquals(parseRequest(head("CONNECT [::1]:443 HTTP/1.0")), {
    kind: "tunnel",
    to: { name: "::1", port: 443 },
  });
});

Deno.test("a request is forwarded in the form that the host expects", () => {
  const request = parseRequest(head(
    "POST http://Example.org:8080/a?b HTTP/1.1",
    "Host: other.example",
    "Accept: */*",
    "Proxy-Authorization: Basic c2VjcmV0",
    "Proxy-Connection: keep-alive",
    "Connection: keep-alive, X-Private, Content-Length",
    "X-Private: 1",
    "Content-Length:  3 ",
    "Upgrade: h2c",
    "Empty:",
  ));
  assertEquals(request, {
    kind: "forward",
    to: { name: "example.org", port: 8080 },
    head: head(
      "POST /a?b HTTP/1.1",
      "Host: example.org:8080",
      "Accept: */*",
      "Content-Length: 3",
      "Empty: ",
      "Connection: close",
    ),
    body: { length: 3 },
  });
  const lines = (target: string) => {
    const request = parseRequest(head(`GET ${target} HTTP/1.1`));
    return request.kind === "forward" ? request.head.split("\r\n").slice(0, 2) : [];
  };
  assertEquals(lines("HTTP://a"), ["GET / HTTP/1.1", "Host: a"]);
  assertEquals(lines("http://[::1]?b"), ["GET /?b HTTP/1.1", "Host: [::1]"]);
  assertEquals(lines("http://0x7f.1/"), ["GET / HTTP/1.1", "Host: 127.0.0.1"]);
});

Deno.test("a body may come in chunks", () => {
  const request = parseRequest(head("PUT http://a/ HTTP/1.1", "Transfer-Encoding: Chunked"));
  assertEquals(request.kind === "forward" && request.body, "chunked");
});

const FORWARD = "POST http://a/ HTTP/1.1";

const REFUSED: Readonly<Record<string, string>> = {
  "no request at all": head("hello"),
  "nothing": head(""),
  "another version": head("GET http://a/ HTTP/2.0"),
  "another path": head("GET / HTTP/1.1", "Host: a"),
  "a star": head("OPTIONS * HTTP/1.1"),
  "two blanks": head("GET  http://a/ HTTP/1.1"),
  "a blank in the target": head("GET http://a/ b HTTP/1.1"),
  "a tab": head("GET\thttp://a/ HTTP/1.1"),
  "a blank before": head(" GET http://a/ HTTP/1.1"),
  "a method that is none": head("GE(T http://a/ HTTP/1.1"),
  "another scheme": head("GET https://a/ HTTP/1.1"),
  "a scheme of files": head("GET file:///etc/passwd HTTP/1.1"),
  "no host": head("GET http:/// HTTP/1.1"),
  "credentials in the URL": head("GET http://user:secret@a/ HTTP/1.1"),
  "a granted host as credentials": head("GET http://granted.example@a/ HTTP/1.1"),
  "a backslash": head("GET http://granted.example\\@a/ HTTP/1.1"),
  "an escaped host": head("GET http://%61/ HTTP/1.1"),
  "a fragment": head("GET http://a/#b HTTP/1.1"),
  "CONNECT without a port": head("CONNECT a HTTP/1.1"),
  "CONNECT with a path": head("CONNECT a:1/b HTTP/1.1"),
  "CONNECT with credentials": head("CONNECT user@a:1 HTTP/1.1"),
  "CONNECT of a URL": head("CONNECT http://a:1 HTTP/1.1"),
  "a line feed alone": head("GET http://a/ HTTP/1.1\nX: y"),
  "a line feed in a header": head(FORWARD, "A: b\nContent-Length: 5"),
  "a carriage return alone": head(FORWARD, "A: b\rContent-Length: 5"),
  "a NUL": head(FORWARD, "A: b\0c"),
  "a folded header": head(FORWARD, "A: b", " c"),
  "a blank before the colon": head(FORWARD, "Content-Length : 5"),
  "a header without a name": head(FORWARD, ": 5"),
  "a header without a colon": head(FORWARD, "Content-Length"),
  "two lengths": head(FORWARD, "Content-Length: 5", "content-length: 6"),
  "the same length twice": head(FORWARD, "Content-Length: 5", "Content-Length: 5"),
  "a list of lengths": head(FORWARD, "Content-Length: 5, 5"),
  "a length with a sign": head(FORWARD, "Content-Length: +5"),
  "a length in hexadecimal": head(FORWARD, "Content-Length: 0x5"),
  "a length that is too long": head(FORWARD, `Content-Length: ${"9".repeat(16)}`),
  "a length beside chunks": head(FORWARD, "Content-Length: 5", "Transfer-Encoding: chunked"),
  "chunks twice": head(FORWARD, "Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
  "another coding": head(FORWARD, "Transfer-Encoding: gzip, chunked"),
  "a coding that looks like chunks": head(FORWARD, "Transfer-Encoding: xchunked"),
  "chunks in HTTP/1.0": head("POST http://a/ HTTP/1.0", "Transfer-Encoding: chunked"),
  "a length that CONNECT has twice": head(
    "CONNECT a:1 HTTP/1.1",
    "Content-Length: 1",
    "Content-Length: 2",
  ),
};

for (const [name, text] of Object.entries(REFUSED)) {
  Deno.test(`a request with ${name} is refused`, () => {
    assertInstanceOf(assertThrows(() => parseRequest(text)), Refusal);
  });
}
