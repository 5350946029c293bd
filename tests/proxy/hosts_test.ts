/** Lists of granted hosts, and the addresses that names may lead to. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { sandbox } from "../../mod.ts";
import { parseIp } from "../../ffi/netlink/ip.ts";
import { parseDestinationAddress } from "../../recipe/destination_address.ts";
import { parseHost } from "../../recipe/host_name.ts";
import { Hosts } from "../../proxy/hosts.ts";
import { isPublic } from "../../proxy/public_address.ts";

/** Returns those of the hosts that the list does not grant. */
function notIn(list: readonly string[], hosts: readonly string[]): string[] {
  const granted = new Hosts(list);
  return hosts.filter((text) => {
    const { name, port } = parseHost(text)!;
    return !granted.has({ name, port: port! });
  });
}

Deno.test("a host is granted by its name, with one port or all", () => {
  const list = ["Example.org:443", "any.example", "[::1]:80"];
  const granted = ["example.org:443", "EXAMPLE.ORG.:443", "any.example:1", "[0::1]:80"];
  assertEquals(notIn(list, granted), []);
  const others = ["example.org:80", "www.example.org:443", "any.example.org:1", "[::1]:81"];
  others.push("localhost:80");
  assertEquals(notIn(list, others), others);
});

Deno.test("a wildcard grants a name and all names below it, as Deno's does", () => {
  for (const entry of ["*.example.org", "*.Example.ORG.", "*.example.org:443"]) {
    const granted = [
      "example.org:443",
      "a.example.org:443",
      "b.a.example.org:443",
      "_a.EXAMPLE.org:443",
    ];
    assertEquals(notIn([entry], granted), [], entry);
    const others = ["anexample.org:443", "example.org.evil.example:443", "org:443", "[::1]:443"];
    others.push("127.0.0.1:443", "localhost:443");
    assertEquals(notIn([entry], others), others, entry);
  }
  assertEquals(notIn(["*.example.org:443"], ["a.example.org:80"]), ["a.example.org:80"]);
});

Deno.test("what is denied is not granted, by a name, a wildcard, an address or a range", () => {
  const notDenied = (denied: string, ...hosts: string[]) => {
    const granted = new Hosts(["*.example.org", "10.0.0.0/8", "localhost", "127.0.0.0/8"], [
      denied,
    ]);
    return hosts.filter((text) => {
      const { name, port } = parseHost(text)!;
      return granted.has({ name, port: port! });
    });
  };
  const names = ["example.org:443", "a.example.org:443", "a.example.org:80"];
  assertEquals(notDenied("a.example.org", ...names), ["example.org:443"]);
  assertEquals(notDenied("a.example.org:443", ...names), [names[0], names[2]]);
  assertEquals(notDenied("*.example.org:443", ...names), ["a.example.org:80"]);
  const addresses = ["10.0.0.1:80", "[::ffff:10.0.0.1]:80", "10.1.0.1:80"];
  assertEquals(notDenied("10.0.0.0/16", ...addresses), ["10.1.0.1:80"]);
  const own = ["localhost:80", "127.0.0.1:80"];
  assertEquals(notDenied("localhost", ...own), []);
  assertEquals(notDenied("localhost:81", ...own), own);
});

Deno.test("a granted name does not lead to a denied address", async () => {
  const port = 80;
  const hosts = new Hosts(["localhost", "127.0.0.1", "[::1]"], ["[::1]", "127.0.0.1:81"]);
  const found = async (port: number) =>
    (await hosts.addressesOf({ name: "localhost", port })).map(({ bytes }) => bytes.length);
  assertEquals([await found(port), await found(81)], [[4], []]);
});

Deno.test("a range grants the addresses in it, and no others", () => {
  for (
    const [entry, granted, others] of [
      ["10.0.0.0/8", ["10.0.0.0:1", "10.255.255.255:65535"], ["11.0.0.0:1", "9.255.255.255:1"]],
      // An IPv4-mapped address is the IPv4 address: connect(2) goes there.
      ["10.1.2.3/8:80", ["10.2.0.1:80", "[::ffff:10.0.0.1]:80"], ["10.2.0.1:81", "a.example:80"]],
      ["[::ffff:10.0.0.0]/104", ["10.2.0.1:80"], ["11.0.0.0:1"]],
      ["[::ffff:10.0.0.1]", ["10.0.0.1:80"], ["10.0.0.2:1"]],
      ["[fd00::]/8:80", ["[fd12::1]:80"], ["[fd12::1]:81", "[fe00::1]:80"]],
      ["192.0.2.0/31", ["192.0.2.1:1"], ["192.0.2.2:1"]],
      ["0.0.0.0/0", ["1.2.3.4:1", "127.0.0.1:1"], ["[::1]:1", "a.example:1"]],
      ["192.0.2.1/32", ["192.0.2.1:1"], ["192.0.2.0:1"]],
    ] as const
  ) {
    assertEquals(notIn([entry], granted), [], entry);
    assertEquals(notIn([entry], others), [...others], entry);
  }
});

Deno.test("an IPv4-mapped address is checked and dialed as the IPv4 address", () => {
  assertEquals(parseDestinationAddress("::ffff:8.8.4.4"), parseIp("8.8.4.4"));
  for (const text of ["8.8.4.4", "2600::1", "::1", "64:ff9b::808:404"]) {
    assertEquals(parseDestinationAddress(text), parseIp(text));
  }
});

Deno.test("the loopback interface is included by localhost, an address and a range", () => {
  for (const entry of ["localhost", "localhost:80", "127.0.0.1", "127.9.9.9", "[::1]:1"]) {
    assertEquals(new Hosts([entry]).includesLoopback, true, entry);
  }
  for (const entry of ["127.0.0.0/8", "127.0.0.0/31", "0.0.0.0/0", "[::]/0", "*.localhost"]) {
    assertEquals(new Hosts([entry]).includesLoopback, true, entry);
  }
  for (const entry of ["a", "*.a", "10.0.0.0/8", "[fd00::]/8", "128.0.0.1"]) {
    assertEquals(new Hosts([entry]).includesLoopback, false, entry);
  }
});

Deno.test("an entry that could never match is refused, by its text", () => {
  const entries = [
    "*",
    "*:443",
    "**.x",
    "*x.org",
    "a.*.org",
    "*.",
    "*.*.x",
    "!evil.org",
    "a b",
    ":8080",
  ];
  entries.push("*.1.2.3", "*.[::1]", "10.0.0.0/33", "[::]/129", "10.0.0.0/08", "a.example/8", "/8");
  entries.push(
    "fd00::/8",
    "unix:/x",
    "vsock:1:1",
    "https://a.example",
    "a.example/path",
    "a:0",
    "a,b",
  );
  entries.push("10.0.0.0/8/8", "10.0.0.0/", "10.0.0.0/-1", "*.example.org\n", "\n*.example.org");
  for (const entry of entries) {
    const make = () => sandbox().command("true", { permissions: { net: ["a.example", entry] } });
    const { message } = assertThrows(make, TypeError);
    assertStringIncludes(message, `"net" number 2: ${JSON.stringify(entry)} is not a host`);
    assertStringIncludes(message, "*.example.org");
  }
});

const isPublicText = (text: string) => isPublic(parseIp(text)!);

Deno.test("only public addresses are what a name may lead to", () => {
  const others = [
    // This machine, its link, and those that clouds serve credentials at.
    ...["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1", "169.254.0.1", "169.254.169.254"],
    ...["100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.0.1", "fd00:ec2::254"],
    ...["fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "::", "::1", "fe80::1", "febf::1"],
    // Private networks.
    ...["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.0.1"],
    ...["fc00::1", "fdff::1", "fec0::1", "198.18.0.1", "198.19.0.1"],
    // Groups, all machines, documentation, and what is not assigned.
    ...["224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "ff02::1", "192.0.2.1"],
    ...[
      "198.51.100.1",
      "203.0.113.1",
      "192.88.99.1",
      "2001:db8::1",
      "3fff::1",
      "4000::1",
      "100::1",
    ],
    // With an IPv4 address in them.
    ...[
      "::ffff:127.0.0.1",
      "::ffff:10.0.0.1",
      "::ffff:169.254.169.254",
      "::127.0.0.1",
      "::8.8.8.8",
    ],
    ...["::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8"],
    ...["2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2001::1", "2001:0:1:2::3"],
    ...["2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:10.0.0.1"],
  ];
  assertEquals(others.filter(isPublicText), []);
  const all = [
    ...[
      "1.1.1.1",
      "8.8.8.8",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.0.1",
      "100.128.0.1",
      "126.0.0.1",
    ],
    ...["128.0.0.1", "168.63.129.15", "169.253.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1"],
    ...["192.167.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111"],
    ...["2001:200::1", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
    ...["2002:808:808::1", "2606:4700::5efe:8.8.8.8", "2606:4700::1:5efe:127.0.0.1"],
  ];
  assertEquals(all.filter((text) => !isPublicText(text)), []);
});
