/** Addresses: read strictly, and written in the one form that everybody compares. */

import { assertEquals } from "@std/assert";
import { formatIp, networkOf, parseIp, parsePrefix } from "../../ffi/netlink/ip.ts";

function shown(text: string): string | undefined {
  const ip = parseIp(text);
  return ip && formatIp(ip.bytes);
}

Deno.test("IPv4 addresses are four numbers, and other notations are refused", () => {
  for (const text of ["0.0.0.0", "10.0.0.2", "255.255.255.255"]) assertEquals(shown(text), text);
  const none = ["", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.-4", "1.2.3.4 "];
  for (const text of [...none, "0x7f.0.0.1", "1.2.3.4/24", "1..2.3", "a.b.c.d", "1e1.0.0.1"]) {
    assertEquals(parseIp(text), undefined, text);
  }
});

Deno.test("IPv6 addresses are parsed in all forms, and formatted in one", () => {
  const forms = {
    "::": "::",
    "::1": "::1",
    "fd00::2": "fd00::2",
    "FD00:0:0:0:0:0:0:2": "fd00::2",
    "1:0:0:2:0:0:0:3": "1:0:0:2::3",
    "1:0:0:2:3:0:0:4": "1::2:3:0:0:4",
    "1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8",
    "1:2:3:0:5:6:7:8": "1:2:3:0:5:6:7:8",
    "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
    "::ffff:10.0.0.1": "::ffff:a00:1",
    "1:2:3:4:5:6:10.0.0.1": "1:2:3:4:5:6:a00:1",
  };
  for (const [text, expected] of Object.entries(forms)) assertEquals(shown(text), expected, text);
  const none = [":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::"];
  const more = [
    "1:2:3:4:5:6:7:8::",
    "::1%eth0",
    "10.0.0.1::",
    "::10.0.0.256",
    "1:",
    ":1",
    "::1/64",
  ];
  for (const text of [...none, ...more]) assertEquals(parseIp(text), undefined, text);
});

Deno.test("a prefix is an address and a length that fits it", () => {
  assertEquals(parsePrefix("10.0.0.2/24")?.length, 24);
  assertEquals(parsePrefix("fd00::2/128")?.length, 128);
  assertEquals(parsePrefix("0.0.0.0/0")?.length, 0);
  for (const text of ["10.0.0.2", "10.0.0.2/", "10.0.0.2/33", "fd00::/129", "10.0.0.2/024"]) {
    assertEquals(parsePrefix(text), undefined, text);
  }
  for (const text of ["/24", "10.0.0.2/-1", "10.0.0.2/8/8", "10.0.0.2/2 4"]) {
    assertEquals(parsePrefix(text), undefined, text);
  }
});

Deno.test("the network of an address has the bits of its prefix", () => {
  const network = (text: string) => formatIp(networkOf(parsePrefix(text)!));
  assertEquals(network("10.1.2.3/8"), "10.0.0.0");
  assertEquals(network("10.1.2.255/25"), "10.1.2.128");
  assertEquals(network("10.1.2.3/32"), "10.1.2.3");
  assertEquals(network("10.1.2.3/0"), "0.0.0.0");
  assertEquals(network("fd00:1:2:3:4::5/65"), "fd00:1:2:3::");
});
