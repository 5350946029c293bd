/** The steps about the network, seen from inside, from outside, and by ip(8). */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  address,
  bind,
  bridge,
  type Container,
  dummy,
  hostname,
  join,
  linux,
  loopback,
  macvlan,
  mapRoot,
  masquerade,
  moveInterface,
  publish,
  type Recipe,
  recipe,
  route,
  sysfs,
  tmpfs,
  unshare,
  UnsupportedError,
  userNetwork,
  veth,
  writeFile,
} from "../../../mod.ts";
import { until } from "../scripts.ts";
import { assertFails, assertRefused, failing, inside, root, test, testOn } from "../support.ts";

/** Why tests that look with a tool are left out, where it has to be. */
function without(tool: string, debianPackage: string): string | undefined {
  try {
    new Deno.Command(tool, { args: ["-V"], stdout: "null", stderr: "null" }).outputSync();
    return undefined;
  } catch {
    return `install Debian's ${debianPackage}`;
  }
}

const noIp = without("ip", "iproute2");
const noBusybox = without("busybox", "busybox");

// deno-lint-ignore no-explicit-any
type Json = any;

/** What ip(8) tells in the container, as data. */
function ip(box: Recipe, ...commands: string[]): Json[] {
  const script = commands.map((command) => `ip -j ${command}; echo`).join("\n");
  return inside(box, script).split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line.replaceAll(/\{\s*\},?/g, ""))
  );
}

/** The addresses of an interface, as ip(8) tells them; the link-local ones are the kernel's. */
function addressesOf(links: Json[], name: string): string[] {
  const infos: Json[] = links.find(({ ifname }) => ifname === name).addr_info;
  return infos.filter(({ scope }) => scope !== "link")
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

// ---- interfaces of the container's own

testOn(["net"], "a network namespace begins with a loopback interface that is down", (ground) => {
  assertEquals(
    inside(ground, "ls /proc/self/net/dev_snmp6; cut -d: -f1 /proc/net/dev | tail -1"),
    "lo\n    lo",
  );
  assertMatch(failing(ground, "exec bash -c 'echo > /dev/tcp/127.0.0.1/80'"), /unreachable/);
});

testOn(["net"], "the loopback interface is brought up, for IPv4 and IPv6", (ground) => {
  const box = ground.with(loopback());
  for (const ip of ["127.0.0.1", "::1"]) {
    const error = failing(box, `exec bash -c 'echo > /dev/tcp/${ip}/80'`);
    assertStringIncludes(error, "Connection refused");
  }
});

testOn(["net"], "what the steps ask for is what ip(8) shows", (ground) => {
  const box = ground.with(
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

testOn(["net"], "an address of IPv6 is of use at once", (ground) => {
  const box = ground.with(bridge("lan"), address("lan", "fd00::2/64"));
  assertStringIncludes(
    inside(box, "cat /proc/net/if_inet6"),
    "fd000000000000000000000000000002 02 40 00 82",
  );
});

testOn(["net"], "interfaces become ports of a bridge", (ground) => {
  const box = ground.with(
    bridge("inner"),
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

// ---- containers on a bridge

/** A container whose network namespace has a bridge, to be plugged into. */
function startHub(): Container {
  const lan = recipe(unshare("user", "net"), mapRoot(), bridge("lan"));
  return lan.command("sleep", { args: ["100"], stdin: "null" }).spawn();
}

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

/** Answers every caller on port 80 with a word. */
function serve(box: Recipe, word: string): Container {
  const args = ["nc", "-ll", "-p", "80", "-e", "echo", word];
  return box.command("busybox", { args, stdin: "null" }).spawn();
}

const ask = (host: string, port = 80) =>
  `for i in $(seq 50); do
     timeout 5 bash -c 'exec 3<>/dev/tcp/${host}/${port}; cat <&3' 2> /dev/null && break || sleep 0.1
   done`;

test(
  "containers on a bridge reach one another by address and by name, and nothing else",
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
  noBusybox,
);

test("a cable ends with the container that it leads to", async () => {
  await using hub = startHub();
  const ports = () => Number(inside(recipe(join(hub)), "grep -c veth /proc/net/dev || true"));
  const host = hostOn(hub, "10.0.0.1/24").command("sleep", { args: ["100"], stdin: "null" })
    .spawn();
  assertEquals(ports(), 1);
  host.kill("SIGKILL");
  await host.status;
  await until(() => ports() === 0);
});

test("a macvlan is on the wire of its parent", async () => {
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

test("an interface is moved in, renamed, brought up, and ends with the container", async () => {
  await using hub = startHub();
  const box = recipe(
    join(hub, "user", "net"),
    unshare("net"),
    veth("far", { peer: "near" }),
    unshare("net"),
    moveInterface("far", { as: "eth0" }),
  );
  assertEquals(inside(box, "grep -o 'eth0\\|far' /proc/net/dev"), "eth0");
  // A virtual interface is not given back: the other end of the cable is gone with it.
  const near = () => inside(recipe(join(hub)), "grep -c near /proc/net/dev || true");
  await until(() => near() === "0");
});

test("two hundred containers on one bridge start, and nothing is left of them", async () => {
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

// ---- what would change the host, and what cannot be

test("steps that would change the host's network are refused", () => {
  for (
    const step of [
      loopback(),
      bridge("lan"),
      dummy("hold"),
      veth("eth0"),
      macvlan("eth0", { parent: "eth0" }),
      moveInterface("eth0"),
      address("eth0", "10.0.0.1/24"),
      route("default", { via: "10.0.0.1" }),
    ]
  ) {
    assertRefused(() => recipe(unshare("user", "mount"), mapRoot(), step), {
      step: step.step,
      at: 2,
      says: 'it would change the host\'s network; put unshare("net") before it',
    });
  }
});

test("an ordinary user is told how a container gets a cable", () => {
  for (const step of [veth("eth0"), macvlan("m", { parent: "lo" }), moveInterface("eth0")]) {
    assertRefused(() => recipe(unshare("user", "net"), mapRoot(), step), {
      step: step.step,
      at: 2,
      says: "join() the namespaces of a container that has a network",
    });
  }
}, root ? "is for ordinary users" : undefined);

test("names that no interface can have are refused", () => {
  const names = {
    "": "is empty",
    "sixteen-bytes-ab": "has 16 bytes; the kernel takes at most 15",
    "eth/0": "must have no",
    "eth 0": "must have no",
    "eth%d": "must have no",
    "eth:1": "must have no",
    "..": "is no name of an interface",
  };
  for (const [name, says] of Object.entries(names)) {
    assertRefused(() => recipe(bridge(name)), { step: "bridge", at: 0, says });
    assertRefused(() => recipe(veth(name)), { step: "veth", at: 0, says });
    assertRefused(() => recipe(address(name, "10.0.0.1/8")), { step: "address", at: 0, says });
  }
});

test("what is no address is refused", () => {
  const refused = (step: ReturnType<typeof address | typeof route | typeof veth>, says: string) =>
    assertRefused(() => recipe(step), { step: step.step, at: 0, says });
  refused(address("eth0", "10.0.0.256/24"), "is no address with a prefix");
  refused(
    address("eth0", "10.0.0.2"),
    "lacks the length of its network's prefix, like 10.0.0.2/24",
  );
  refused(address("eth0", "fd00::1"), "like fd00::1/64");
  refused(address("eth0", "10.0.0.2/33"), "is no address with a prefix");
  refused(route("nowhere", { via: "10.0.0.1" }), "is no address with a prefix");
  refused(route("default", { via: "10.0.0.1/24" }), "is no address");
  refused(route("default", {}), "where to?");
  refused(route("10.0.0.0/8", { via: "fd00::1" }), "of two kinds");
  refused(veth("eth0", { peerAddress: "10.0.0.1/24" }), `"peerAddress" needs "peer"`);
  refused(veth("eth0", { peer: "x", peerAddress: "10.0.0.1" }), "lacks the length");
});

testOn(["net"], "the kernel's words are in the error, and the mend", (ground) => {
  const at = ground.steps.length;
  const fails = (box: Recipe, step: string, code: string, says: string, after = 0) =>
    assertFails(box, { step, at: at + after, code, says });
  fails(
    ground.with(bridge("lan"), bridge("lan")),
    "bridge",
    "EEXIST",
    'RTM_NEWLINK bridge "lan" up',
    1,
  );
  fails(ground.with(bridge("lo")), "bridge", "EEXIST", "choose another one");
  fails(
    ground.with(address("eth0", "10.0.0.1/8")),
    "address",
    "ENODEV",
    "there is no interface eth0",
  );
  fails(ground.with(bridge("lan", { ports: ["eth0"] })), "bridge", "ENODEV", "no interface eth0");
  fails(ground.with(bridge("lan", { ports: ["lo"] })), "bridge", "EINVAL", 'RTM_NEWLINK "lo"');
  const box = ground.with(bridge("lan"), address("lan", "10.0.0.1/24"));
  fails(
    box.with(address("lan", "10.0.0.1/24")),
    "address",
    "EEXIST",
    "has this address already",
    2,
  );
  const lost = box.with(route("default", { via: "10.0.1.1" }));
  fails(lost, "route", "ENETUNREACH", "RTM_NEWROUTE default 0.0.0.0/0 via 10.0.1.1", 2);
  fails(lost, "route", "ENETUNREACH", "invalid gateway; the gateway lies in no network", 2);
  const twice = [route("10.9.0.0/16", { device: "lan" }), route("10.9.0.0/16", { device: "lan" })];
  fails(box.with(...twice), "route", "EEXIST", "there is a route to it already", 3);
});

test("a cable to what is not there leaves nothing behind", async () => {
  await using hub = startHub();
  const box = recipe(join(hub, "user", "net"), unshare("net"));
  const fails = (step: ReturnType<typeof veth>, code: string, says: string) =>
    assertFails(box.with(step), { step: "veth", at: 2, code, says });
  fails(veth("eth0", { bridge: "wan" }), "ENODEV", "there is no interface wan");
  fails(veth("eth0", { peer: "lan" }), "EEXIST", "an interface has this name already");
  fails(veth("eth0", { bridge: "lo" }), "EOPNOTSUPP", "lo is no bridge");
  fails(veth("eth0", { peer: "x", peerAddress: "ff02::1/64" }), "EADDRNOTAVAIL", "RTM_NEWADDR");
  await until(() => inside(recipe(join(hub)), "grep -c ':' /proc/net/dev") === "2");
});

test("the network of another user namespace is not the container's to change", async () => {
  await using hub = startHub();
  const box = recipe(join(hub, "user", "net"), unshare("user"), bridge("mine"));
  assertFails(box, { step: "bridge", at: 2, code: "EPERM", says: "another user namespace" });
});

test("a plan shows requests to be read", () => {
  const box = recipe(
    unshare("user", "net"),
    mapRoot(),
    loopback(),
    bridge("lan"),
    address("lan", "10.0.0.2/24"),
    route("default", { via: "10.0.0.1", device: "lan" }),
  );
  const calls = box.plan().entries.map(({ call }) => call);
  for (
    const call of [
      'sendto(socket, {RTM_NEWLINK, "lo", up}, 40, 0, NULL, 0)',
      'sendto(socket, {RTM_NEWLINK, bridge, "lan", up}, 56, 0, NULL, 0)',
      'ioctl(socket, SIOCGIFINDEX, {"lan"})',
      "sendmsg(socket, {RTM_NEWADDR, 10.0.0.2/24, index of lan}, 0)",
      "sendmsg(socket, {RTM_NEWROUTE, default 0.0.0.0/0, via 10.0.0.1, index of lan}, 0)",
      "close_range(~0U, ~0U, answer.error)",
    ]
  ) assert(calls.includes(call), call);
});

// ---- the script's own network, in a script that has one to itself

/**
 * Runs a script in a network namespace of its own, where it is root, with this at its disposal:
 * `show()` prints the interfaces that it has.
 */
async function inNetworkOfItsOwn(code: string): Promise<string> {
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    Deno.writeTextFileSync(
      path,
      `import * as ramekin from "${new URL("../../../mod.ts", import.meta.url).href}";
       const { address, linux, macvlan, moveInterface, recipe, route, unshare, veth } = ramekin;
       const { bridge, join, loopback, mapRoot, masquerade, publish } = ramekin;
       const show = () => console.log(linux.links().map(({ name }) => name).join(" "));
       const text = (bytes) => new TextDecoder().decode(bytes).trim();
       ${code}`,
    );
    Deno.chmodSync(path, 0o644);
    const world = recipe(unshare("user", "net", "mount"), mapRoot(), sysfs(), loopback());
    const args = ["run", "--no-check", "--no-config", "--quiet", "-A", path];
    const { code: status, stdout, stderr } = await world
      .command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
    assertEquals(status, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trimEnd();
  } finally {
    Deno.removeSync(path);
  }
}

for (const kinds of [`"net"`, `"user", "net"`]) {
  const ground = kinds === `"net"` ? `unshare(${kinds})` : `unshare(${kinds}), mapRoot()`;

  test(`the script lays a cable to its own network, unshare(${kinds})`, async () => {
    const printed = await inNetworkOfItsOwn(`
      const box = recipe(
        ${ground},
        veth("eth0", { peer: "box", peerAddress: "10.7.0.1/24" }),
        address("eth0", "10.7.0.2/24"),
        route("default", { via: "10.7.0.1" }),
      );
      const listener = Deno.listen({ hostname: "0.0.0.0", port: 80 });
      const script = "exec 3<>/dev/tcp/10.7.0.1/80; echo hello >&3";
      for (let i = 0; i < 3; i++) {
        const [{ code }] = await Promise.all([
          box.command("bash", { args: ["-c", script] }).output(),
          listener.accept().then(async (connection) => {
            console.log(connection.remoteAddr.hostname);
            connection.close();
          }),
        ]);
        // The end here is gone with the container, so the next one can have its name.
        show();
      }
      listener.close();
    `);
    assertEquals(printed, "10.7.0.2\nlo\n".repeat(3).trimEnd());
  });

  test(`an interface is moved in and given back, unshare(${kinds})`, async () => {
    const printed = await inNetworkOfItsOwn(`
      // A cable to one container, whose end here is moved into another one.
      const far = recipe(unshare("net"), veth("far", { peer: "near" }))
        .command("sleep", { args: ["100"] }).spawn();
      show();
      const box = recipe(${ground}, moveInterface("near", { as: "eth0" }));
      const { stdout } = box.command("cat", { args: ["/proc/net/dev"] }).outputSync();
      console.log(text(stdout).includes("eth0:"));
      show();
      const { stdout: again } = await box.command("cat", { args: ["/proc/net/dev"] }).output();
      console.log(text(again).includes("eth0:"));
      show();
      try {
        box.command("/none").outputSync();
      } catch {
        show();
      }
      far.kill("SIGKILL");
      await far.status;
      show();
    `);
    const given = "lo near";
    assertEquals(printed, [given, "true", given, "true", given, given, "lo"].join("\n"));
  });

  test(`what fails on the way to a cable leaves nothing, unshare(${kinds})`, async () => {
    const printed = await inNetworkOfItsOwn(`
      const attempt = (...steps) => {
        try {
          recipe(${ground}, ...steps).command("true").outputSync();
        } catch (error) {
          console.log(error.step, error.code);
        }
        show();
      };
      attempt(veth("eth0", { peer: "lo" }));
      attempt(veth("eth0", { bridge: "none" }));
      attempt(veth("eth0", { peer: "box" }), address("eth0", "ff02::1/64"));
      attempt(moveInterface("lo"));
      attempt(moveInterface("none"));
      attempt(macvlan("m", { parent: "lo" }));
      const files = [...Deno.readDirSync("/proc/self/fd")].length;
      attempt(veth("eth0", { peer: "lo" }));
      console.log([...Deno.readDirSync("/proc/self/fd")].length - files);
    `);
    assertEquals(printed.split("\n"), [
      ...["veth EEXIST", "lo", "veth ENODEV", "lo", "address EADDRNOTAVAIL", "lo"],
      ...["moveInterface EINVAL", "lo", "moveInterface ENODEV", "lo", "macvlan EINVAL", "lo"],
      ...["veth EEXIST", "lo", "0"],
    ]);
  });
}

/** The host's network with a container on it that stands for the rest of the world, at 10.8.0.2. */
const WORLD = `
  const busybox = (box, ...args) => box.command("busybox", { args, stdin: "null" }).spawn();
  const serve = (box, word) => busybox(box, "nc", "-ll", "-p", "80", "-e", "echo", word);
  const asking = (host, port) =>
    "for i in $(seq 30); do timeout 5 bash -c 'exec 3<>/dev/tcp/" + host + "/" + port +
    "; cat <&3' 2> /dev/null && exit; sleep 0.1; done; echo nothing";
  const shell = (box, script) => text(box.command("sh", { args: ["-c", script] }).outputSync().stdout);
  const hostSays = (script) => shell(recipe(), script);
  const { NetlinkSocket } = await import("${new URL(
  "../../../ffi/netlink/socket.ts",
  import.meta.url,
)}");
  const { listTables } = await import("${new URL(
  "../../../ffi/netlink/nftables.ts",
  import.meta.url,
)}");
  const tables = () => {
    using socket = new NetlinkSocket(12);
    return socket.list(listTables()).length;
  };
  const world = recipe(
    unshare("net"),
    veth("eth0", { peer: "uplink", peerAddress: "10.8.0.1/24" }),
    address("eth0", "10.8.0.2/24"),
    address("eth0", "fd08::2/64"),
  );
  const forward = (value) => Deno.writeTextFileSync("/proc/sys/net/ipv4/ip_forward", value);
`;

test("what is masqueraded is answered, and what is published is reached", async () => {
  const printed = await inNetworkOfItsOwn(`
    ${WORLD}
    forward("1");
    const outside = serve(world, "world");
    const box = recipe(
      unshare("net"),
      veth("eth0", { peer: "box", peerAddress: "10.7.0.1/24" }),
      address("eth0", "10.7.0.2/24"),
      route("default", { via: "10.7.0.1" }),
    );
    const open = box.with(masquerade("10.7.0.0/24"), publish(8080, { address: "10.7.0.2", to: 80 }));
    console.log(shell(box, asking("10.8.0.2", 80).replace("30", "1").replace("5", "1")), tables());
    console.log(shell(open, asking("10.8.0.2", 80)), tables());
    const inside = serve(open, "box");
    console.log(tables());
    console.log(shell(recipe(join(outside, "net")), asking("10.8.0.1", 8080)));
    console.log(hostSays(asking("10.8.0.1", 8080)));
    console.log(hostSays("bash -c 'echo > /dev/tcp/127.0.0.1/8080' 2>&1 | grep -o refused | tail -1"));
    for (const container of [inside, outside]) {
      container.kill("SIGKILL");
      await container.status;
    }
    console.log(tables());
  `);
  assertEquals(printed, "nothing 0\nworld 0\n2\nbox\nbox\nrefused\n0");
}, noBusybox);

test("a router in a container masquerades and publishes, for IPv4 and IPv6", async () => {
  await using hub = startHub();
  const world = recipe(
    join(hub, "user", "net"),
    unshare("net"),
    veth("eth0", { bridge: "lan" }),
    address("eth0", "10.8.0.2/24"),
    address("eth0", "fd08::2/64"),
  );
  await using outside = serve(world, "world");
  const router = recipe(
    join(hub, "user", "net"),
    unshare("net"),
    veth("wan", { bridge: "lan" }),
    address("wan", "10.8.0.1/24"),
    address("wan", "fd08::1/64"),
    bridge("lan"),
    address("lan", "10.7.0.1/24"),
    address("lan", "fd07::1/64"),
    masquerade("10.7.0.0/24", { inside: true }),
    masquerade("fd07::/64", { inside: true }),
    publish(8080, { address: "10.7.0.2", to: 80, inside: true }),
    publish(80, { address: "fd07::2", inside: true }),
  );
  await using routing = router.command("sleep", { args: ["100"], stdin: "null" }).spawn();
  const host = recipe(
    join(routing, "user", "net"),
    unshare("net"),
    veth("eth0", { bridge: "lan" }),
    address("eth0", "10.7.0.2/24"),
    address("eth0", "fd07::2/64"),
    route("default", { via: "10.7.0.1" }),
    route("default", { via: "fd07::1" }),
  );
  await using _serving = serve(host, "host");
  const beside = recipe(join(outside, "user", "net"));
  assertEquals(inside(beside, ask("10.8.0.1", 8080)), "host");
  assertEquals(inside(beside, ask("fd08::1")), "host");
  const within = recipe(join(_serving, "user", "net"));
  assertEquals(inside(within, ask("10.8.0.2")), "world");
  assertEquals(inside(within, ask("fd08::2")), "world");
}, noBusybox);

test("tables are gone with a script that is killed", async () => {
  const printed = await inNetworkOfItsOwn(`
    ${WORLD}
    forward("1");
    const code = \`
      import { masquerade, recipe, unshare, veth } from "${new URL(
    "../../../mod.ts",
    import.meta.url,
  )}";
      const box = recipe(unshare("net"), veth("eth0", { peer: "box" }), masquerade("10.7.0.0/24"));
      box.command("sleep", { args: ["100"] }).spawn();
      console.log("ready");
    \`;
    const file = Deno.makeTempFileSync({ suffix: ".ts" });
    Deno.writeTextFileSync(file, code);
    const args = ["run", "--no-check", "--no-config", "--quiet", "--allow-ffi", file];
    const script = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = script.stdout.getReader();
    await reader.read();
    console.log(tables());
    show();
    script.kill("SIGKILL");
    await script.status;
    await reader.cancel();
    Deno.removeSync(file);
    while (linux.links().length > 1) await new Promise((resolve) => setTimeout(resolve, 10));
    console.log(tables());
    show();
  `);
  assertEquals(printed, "1\nlo box\n0\nlo");
});

test("a host that passes no packets on is told about, and nothing is left", async () => {
  const printed = await inNetworkOfItsOwn(`
    ${WORLD}
    forward("0");
    const box = recipe(unshare("net"), veth("eth0", { peer: "box" }));
    for (const step of [masquerade("10.7.0.0/24"), publish(80, { address: "10.7.0.2" })]) {
      try {
        box.with(step).command("true").outputSync();
      } catch (error) {
        console.log(error.name, error.message);
      }
    }
    show();
  `);
  const says = "UnsupportedError the host passes no packets on between its interfaces; " +
    "sysctl -w net.ipv4.ip_forward=1 has it do so";
  assertEquals(printed, `${says}\n${says}\nlo`);
});

// ---- a way out for ordinary users

/** Why a program that carries packets cannot do so here, where it cannot. */
function withoutTunnel(program: string, debianPackage: string): string | undefined {
  try {
    Deno.openSync("/dev/net/tun", { read: true, write: true }).close();
  } catch {
    return "this user may not open /dev/net/tun";
  }
  return without(program, debianPackage);
}

for (
  const [program, debianPackage] of [["slirp4netns", "slirp4netns"], ["pasta", "passt"]] as const
) {
  test(`${program} carries packets out of a container, and ends with it`, async () => {
    const printed = await inNetworkOfItsOwn(`
      ${WORLD}
      const outside = serve(world, "world");
      hostSays("ip route add default via 10.8.0.2");
      const box = recipe(unshare("user", "net"), mapRoot(), ramekin.userNetwork("${program}"));
      const files = [...Deno.readDirSync("/proc/self/fd")].length;
      console.log(shell(box, asking("10.8.0.2", 80)));
      console.log([...Deno.readDirSync("/proc/self/fd")].length - files);
      const self = (await Deno.readTextFile("/proc/thread-self/children")).trim().split(" ");
      console.log(self.length);
      outside.kill("SIGKILL");
      await outside.status;
    `);
    assertEquals(printed, "world\n0\n1");
  }, noBusybox ?? noIp ?? withoutTunnel(program, debianPackage));
}

test("without a program that carries packets, it is said which to install", () => {
  const path = Deno.env.get("PATH")!;
  Deno.env.set("PATH", "/none");
  try {
    const box = recipe(unshare("user", "net"), mapRoot(), userNetwork());
    const error = assertThrows(() => box.command("/bin/true").outputSync(), UnsupportedError);
    assertStringIncludes(error.message, "needs slirp4netns or pasta, and it is not installed");
  } finally {
    Deno.env.set("PATH", path);
  }
});

test("what keeps a program from carrying packets is told in its own words", () => {
  const box = recipe(unshare("user", "net"), mapRoot(), userNetwork("slirp4netns"));
  // There is an interface of the name that it takes.
  const taken = recipe(
    unshare("user", "net"),
    mapRoot(),
    bridge("tap0"),
    userNetwork("slirp4netns"),
  );
  const error = assertThrows(() => taken.command("true").outputSync(), UnsupportedError);
  assertStringIncludes(error.message, "slirp4netns could not connect the container: ");
  assertStringIncludes(box.plan().toString(), "script: slirp4netns --configure");
}, without("slirp4netns", "slirp4netns"));
