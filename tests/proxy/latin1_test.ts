/** Bytes as letters. */

import { assertEquals } from "@std/assert";
import { decodeLatin1, encodeLatin1 } from "../../proxy/latin1.ts";
import { parseRequest } from "../../proxy/request.ts";

Deno.test("every byte is a letter, and the same byte again", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assertEquals(encodeLatin1(decodeLatin1(bytes)), bytes);
});

Deno.test("a header in UTF-8 is passed on as it came", () => {
  const head = "GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\nX-Title: é € 日本\r\n\r\n";
  const request = parseRequest(decodeLatin1(new TextEncoder().encode(head)));
  const sent = new TextDecoder().decode(
    encodeLatin1(request.kind === "tunnel" ? "" : request.head),
  );
  assertEquals(/^X-Title: (.*)\r$/m.exec(sent)?.[1], "é € 日本");
});
