/** Interfaces of the container, their addresses and routes, compared with ip(8). */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  address,
  bridge,
  join,
  linux,
  loopback,
  recipe,
  route,
  unshare,
  veth,
} from "../../../mod.ts";
import { failing, inside, test, testOn } from "../../support.ts";
import { inNetworkOfItsOwn, ip, type Json, noIp, noTalk, startHub } from "./support.ts";

/** The addresses of an interface by ip(8), without the link-local ones of the kernel. */
function addressesOf(links: Json[], name: string): string[] {
  const infos: Json[] = links.find(({ ifname }) => ifname === name).addr_info;
  return infos.filter(({ scope }) => scope !== "link")
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

testOn(["net"], "a network namespace begins with a loopback interface that is down", (mounts) => {
  assertEquals(
    inside(mounts, "ls /proc/self/net/dev_snmp6; cut -d: -f1 /proc/net/dev | tail -1"),
    "lo\n    lo",
  );
  assertMatch(failing(mounts, "exec bash -c 'echo > /dev/tcp/127.0.0.1/80'"), /unreachable/);
}, noTalk);

testOn(["net"], "the loopback interface is brought up, for IPv4 and IPv6", (mounts) => {
  const box = mounts.with(loopback());
  for (const ip of ["127.0.0.1", "::1"]) {
    const error = failing(box, `exec bash -c 'echo > /dev/tcp/${ip}/80'`);
    assertStringIncludes(error, "Connection refused");
  }
}, noTalk);

testOn(["net"], "what the steps ask for is what ip(8) shows", (mounts) => {
  const box = mounts.with(
    loopback(),
    bridge("lan"),
    address("lan", "10.0.0.2/24"),
    address("lan", "10.0.1.2/32"),
    address("lan", "fd00::2/64"),
    route("default", { via: "10.0.0.1" }),
    route("10.9.8.7/16", { device: "lan" }),
    route("default", { via: "fd00::1", device: "lan" }),
    route("fd01::/48", { via: "fd00::3" }),
  );
  const [links, addresses, routes, routes6] = ip(box, "link", "addr", "route", "-6 route");
  assertEquals(links.map(({ ifname }: Json) => ifname), ["lo", "lan"]);
  assert(links.every(({ flags }: Json) => flags.includes("UP")));
  assertEquals(addressesOf(addresses, "lan"), ["10.0.0.2/24", "10.0.1.2/32", "fd00::2/64"]);
  const shown = (list: Json[]) =>
    list.filter(({ dst, protocol }) => protocol !== "kernel" || dst === "default")
      .map(({ dst, gateway, dev }) => `${dst} ${gateway ?? "-"} ${dev}`);
  assertEquals(shown(routes), ["default 10.0.0.1 lan", "10.9.0.0/16 - lan"]);
  assertEquals(shown(routes6), ["fd01::/48 fd00::3 lan", "default fd00::1 lan"]);
}, noIp);

testOn(["net"], "an address of IPv6 is of use at once", (mounts) => {
  const box = mounts.with(bridge("lan"), address("lan", "fd00::2/64"));
  assertStringIncludes(
    inside(box, "cat /proc/net/if_inet6"),
    "fd000000000000000000000000000002 02 40 00 82",
  );
});

test("interfaces become ports of a bridge", async () => {
  // The far ends are in the hub; the end of a network namespace deletes both ends of a veth pair.
  await using hub = startHub();
  const box = recipe(
    join(hub, "user", "net"),
    unshare("net"),
    veth("a", { peer: "x" }),
    veth("b", { peer: "y" }),
    bridge("lan", { ports: ["a", "b"] }),
  );
  const links = ip(box, "link")[0];
  assertEquals(
    links.filter(({ master }: Json) => master === "lan").map(({ ifname }: Json) => ifname).sort(),
    ["a", "b"],
  );
}, noIp);

test("what linux.* lists is what ip(8) lists", () => {
  const command = (...args: string[]) => {
    const { stdout } = new Deno.Command("ip", { args: ["-j", ...args] }).outputSync();
    return JSON.parse(new TextDecoder().decode(stdout)).filter((item: Json) =>
      item.ifname ?? item.dst
    );
  };
  const links = linux.links();
  assertEquals(
    links.map(({ index, name, mtu, address, up }) => ({ index, name, mtu, address, up })),
    command("link").map(({ ifindex, ifname, mtu, address, flags }: Json) => ({
      index: ifindex,
      name: ifname,
      mtu,
      address,
      up: flags.includes("UP"),
    })),
  );
  const nameOf = (index: number | undefined) => links.find((link) => link.index === index)?.name;
  assertEquals(
    linux.addresses().map(({ link, address }) => `${nameOf(link)} ${address}`).sort(),
    command("addr").flatMap(({ ifname, addr_info }: Json) =>
      addr_info.map(({ local, prefixlen }: Json) => `${ifname} ${local}/${prefixlen}`)
    ).sort(),
  );
  const shown = linux.routes()
    .filter(({ table, destination }) => table === 254 && !destination.includes(":"))
    .map(({ destination, via, link, source }) => `${destination} ${via} ${nameOf(link)} ${source}`);
  assertEquals(
    shown.sort(),
    command("route").map(({ dst, gateway, dev, prefsrc }: Json) => {
      const network = dst === "default" ? "0.0.0.0/0" : dst.includes("/") ? dst : `${dst}/32`;
      return `${network} ${gateway} ${dev} ${prefsrc}`;
    }).sort(),
  );
}, noIp);

test("a list in many messages is read completely", async () => {
  const printed = await inNetworkOfItsOwn(`
    const { NetlinkSocket } = await import("${
    import.meta.resolve("../../../ffi/netlink/socket.ts")
  }");
    const { addBridge } = await import("${import.meta.resolve("../../../ffi/netlink/link.ts")}");
    using socket = new NetlinkSocket();
    for (let i = 0; i < 300; i++) socket.request([addBridge({ name: "bridge" + i })]);
    console.log(new Set(linux.links().map(({ name }) => name)).size);
  `);
  assertEquals(printed, "301");
});
