/** Containers that are connected to the network of another one. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  address,
  bind,
  type Container,
  hostname,
  join,
  linux,
  loopback,
  macvlan,
  moveInterface,
  type Recipe,
  recipe,
  tmpfs,
  unshare,
  veth,
  writeFile,
} from "../../../mod.ts";
import { until } from "../../other_scripts.ts";
import { failing, inside, test } from "../../support.ts";
import { ask, ip, type Json, noIp, noTalk, serve, startHub } from "./support.ts";

/** A container on the bridge of the hub. */
function hostOn(hub: Container, ...addresses: string[]): Recipe {
  return recipe(
    join(hub, "user", "net"),
    unshare("net", "mount", "uts"),
    loopback(),
    veth("eth0", { bridge: "lan" }),
    ...addresses.map((ip) => address("eth0", ip)),
  );
}

test(
  "containers on a bridge reach one another by address and name, and no other host",
  async () => {
    await using hub = startHub();
    const names = { soup: "10.0.0.1", stew: "10.0.0.2", tart: "10.0.0.3" };
    const hosts = Object.entries(names).map(([name, ip]) => `${ip} ${name}\n`).join("");
    const [soup, stew, tart] = Object.entries(names).map(([name, ip]) =>
      hostOn(hub, `${ip}/24`, `fd77::${ip.at(-1)}/64`).with(
        hostname(name),
        tmpfs("/mnt"),
        writeFile("/mnt/hosts", hosts),
        bind("/mnt/hosts", "/etc/hosts"),
      )
    ) as [Recipe, Recipe, Recipe];
    await using _first = serve(soup, "soup is served");
    await using _second = serve(stew, "stew is served");
    assertEquals(inside(tart, ask("10.0.0.1")), "soup is served");
    assertEquals(inside(tart, ask("fd77::1")), "soup is served");
    assertEquals(inside(tart, ask("stew")), "stew is served");
    for (const link of linux.addresses()) {
      const ip = link.address.split("/")[0]!;
      if (link.link === 1 || ip.startsWith("fe80")) continue;
      assertMatch(failing(tart, `exec bash -c 'echo > /dev/tcp/${ip}/80'`), /unreachable/);
    }
  },
  noTalk,
);

test("a veth pair is deleted with its container", async () => {
  await using hub = startHub();
  const ports = () => Number(inside(recipe(join(hub)), "grep -c veth /proc/net/dev || true"));
  const host = hostOn(hub, "10.0.0.1/24").command("sleep", { args: ["100"], stdin: "null" })
    .spawn();
  assertEquals(ports(), 1);
  host.kill("SIGKILL");
  await host.status;
  await until(() => ports() === 0);
});

test("a macvlan is on the network of its parent", async () => {
  for (const mode of ["private", "vepa", "bridge", "passthru"] as const) {
    await using hub = startHub();
    const box = recipe(join(hub, "user", "net"), unshare("net"));
    const options = mode === "bridge" ? { parent: "lan" } : { parent: "lan", mode };
    const [links] = ip(box.with(macvlan("eth0", options)), "-d link");
    const { linkinfo, flags } = links.find(({ ifname }: Json) => ifname === "eth0");
    assertEquals([linkinfo.info_kind, linkinfo.info_data.mode], ["macvlan", mode]);
    assert(flags.includes("UP"));
  }
}, noIp);

test("an interface is moved in, renamed, set up, and deleted with the container", async () => {
  await using hub = startHub();
  const box = recipe(
    join(hub, "user", "net"),
    unshare("net"),
    veth("far", { peer: "near" }),
    unshare("net"),
    moveInterface("far", { as: "eth0" }),
  );
  assertEquals(inside(box, "grep -o 'eth0\\|far' /proc/net/dev"), "eth0");
  // A virtual interface is not moved back: the kernel deletes both ends of the pair.
  const near = () => inside(recipe(join(hub)), "grep -c near /proc/net/dev || true");
  await until(() => near() === "0");
});

test("two hundred containers start on one bridge, and leave nothing", async () => {
  await using hub = startHub();
  const running: Container[] = [];
  for (let i = 0; i < 200; i++) {
    const host = hostOn(hub, `10.0.${1 + (i >> 7)}.${1 + (i & 127)}/16`);
    running.push(host.command("sleep", { args: ["100"], stdin: "null" }).spawn());
  }
  const ports = () => Number(inside(recipe(join(hub)), "grep -c veth /proc/net/dev || true"));
  assertEquals(ports(), 200);
  await Promise.all(running.map((container) => container[Symbol.asyncDispose]()));
  await until(() => ports() === 0);
});
