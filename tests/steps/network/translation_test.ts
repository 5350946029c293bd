/** `masquerade` and `publish`. */

import { assertEquals } from "@std/assert";
import {
  address,
  bridge,
  dieWithParent,
  join,
  mapRoot,
  masquerade,
  publish,
  recipe,
  route,
  type Step,
  unshare,
  userNetwork,
  veth,
} from "../../../mod.ts";
import { assertRefused, inside, notRoot, test } from "../../support.ts";
import { ask, inNetworkOfItsOwn, noTalk, serve, startHub, WORLD } from "./support.ts";

test("masqueraded connections get responses, and published ports can be reached", async () => {
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
    // Each container of a command has rules of its own.
    const passing = recipe(unshare("net"), masquerade("10.9.0.0/24")).command("sleep", { args: ["9"] });
    const both = [passing.spawn(), passing.spawn()];
    console.log(tables());
    for (const container of both) {
      container.kill("SIGKILL");
      await container.status;
    }
    console.log(shell(recipe(join(outside, "net")), asking("10.8.0.1", 8080)));
    console.log(hostSays(asking("10.8.0.1", 8080)));
    console.log(hostSays("bash -c 'echo > /dev/tcp/127.0.0.1/8080' 2>&1 | grep -o refused | tail -1"));
    for (const container of [inside, outside]) {
      container.kill("SIGKILL");
      await container.status;
    }
    console.log(tables());
  `);
  assertEquals(printed, "nothing 0\nworld 0\n2\n4\nbox\nbox\nrefused\n0");
}, noTalk);

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
}, noTalk);

test("a port is published at one address of this machine, and at no other", async () => {
  const printed = await inNetworkOfItsOwn(`
    ${WORLD}
    forward("1");
    const outside = serve(world, "world");
    const published = (hostAddress) =>
      recipe(
        unshare("net"),
        veth("eth0", { peer: "box", peerAddress: "10.7.0.1/24" }),
        address("eth0", "10.7.0.2/24"),
        route("default", { via: "10.7.0.1" }),
        publish(8080, { address: "10.7.0.2", to: 80, hostAddress }),
      );
    const once = (host) => asking(host, 8080).replace("30", "2").replace("5 bash", "1 bash");
    const box = serve(published("10.8.0.1"), "box");
    console.log(shell(recipe(join(outside, "net")), asking("10.8.0.1", 8080)));
    console.log(hostSays(asking("10.8.0.1", 8080)), hostSays(once("10.7.0.1")));
    for (const container of [box, outside]) {
      container.kill("SIGKILL");
      await container.status;
    }
    try {
      published("10.9.9.9").command("true").outputSync();
    } catch (error) {
      console.log(error.message.replace(/bind\\(\\d+/, "bind(3"));
    }
    show();
  `);
  assertEquals(
    printed,
    "box\nbox nothing\nstep 5 (publish): bind(3, {AF_INET, 10.9.9.9:8080}, 16) failed: " +
      "EADDRNOTAVAIL (Cannot assign requested address)\n  this machine has no such address; " +
      "without { hostAddress }, the port of all its addresses is published\nlo",
  );
}, noTalk);

test("a published port is taken, for other containers and for programs", async () => {
  const printed = await inNetworkOfItsOwn(`
    ${WORLD}
    forward("1");
    Deno.writeTextFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    const box = recipe(unshare("net"));
    const start = (...options) => {
      const args = ["100"];
      const steps = options.map((option) => publish(8080, { address: "10.7.0.2", ...option }));
      try {
        return box.with(...steps).command("sleep", { args }).spawn();
      } catch (error) {
        console.log(error.code, error.step, error.message.includes("another container has published"));
      }
    };
    const end = async (container) => {
      container.kill("SIGKILL");
      await container.status;
    };
    const first = start({});
    start({});
    start({ hostAddress: "10.8.0.1" });
    // Other ports, protocols and families are free.
    const others = [start({ protocol: "udp" }), start({ address: "fd07::2" })];
    start({ protocol: "udp" });
    start({ address: "fd07::2" });
    try {
      Deno.listen({ port: 8080, hostname: "0.0.0.0" });
    } catch (error) {
      console.log(error.name);
    }
    for (const container of [first, ...others]) await end(container);
    {
      using _listener = Deno.listen({ port: 8080, hostname: "127.0.0.1" });
      start({});
    }
    await end(start({}));
    console.log(tables());
  `);
  const taken = "EADDRINUSE publish true";
  assertEquals(
    printed.split("\n"),
    [taken, "EADDRNOTAVAIL publish false", taken, taken, "AddrInUse", taken, "0"],
  );
});

test("a publish that could not forward, or not for long enough, is refused", () => {
  const here = [unshare("user", "net"), mapRoot()];
  const to = { address: "10.7.0.2", inside: true } as const;
  const refused = (says: string, ...steps: Step[]) => {
    assertRefused(() => recipe(...here, ...steps), { says });
  };
  const twice = "an earlier step publishes tcp port 80 already";
  refused(twice, publish(80, to), publish(80, { ...to, to: 81 }));
  refused(twice, publish(80, to), publish(80, { ...to, hostAddress: "10.8.0.1" }));
  const one = publish(80, { ...to, hostAddress: "10.8.0.1" });
  refused(twice, one, one);
  const free = [publish(80, { ...to, hostAddress: "10.8.0.2" }), publish(81, to)];
  const v6 = publish(80, { address: "fd07::2", inside: true });
  recipe(...here, one, ...free, publish(80, { ...to, protocol: "udp" }), v6).plan();
  refused("are not both IPv4 or both IPv6", publish(80, { ...to, hostAddress: "fd07::1" }));
  for (const hostAddress of ["127.0.0.1", "127.1.2.3"]) {
    refused(
      `the kernel forwards no packets of ${hostAddress}`,
      publish(80, { ...to, hostAddress }),
    );
  }
  const loopback6 = { address: "fd07::2", hostAddress: "0:0::1", inside: true };
  refused("the kernel forwards no packets of", publish(80, loopback6));
  refused("all addresses are published", publish(80, { ...to, hostAddress: "0.0.0.0" }));
});

test("what the script forwards, no container outlives", () => {
  const says = "dieWithParent(null), or the option detached, lets the container outlive it";
  const box = recipe(unshare("net", "mount"));
  const steps = [
    masquerade("10.7.0.0/24"),
    publish(80, { address: "10.7.0.2" }),
    userNetwork(),
  ];
  for (const step of steps) {
    assertRefused(() => box.with(step, dieWithParent(null)), { step: "dieWithParent", says });
    assertRefused(() => box.with(dieWithParent(null), step), { step: step.step, says });
  }
  const inside = masquerade("10.7.0.0/24", { inside: true });
  box.with(inside, dieWithParent(null)).plan();
  box.with(...steps, dieWithParent("SIGTERM")).plan();
}, notRoot);

test("the tables of a killed script are deleted", async () => {
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

test("a host without forwarding is reported, and nothing is left", async () => {
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
  const says = (step: string) =>
    `UnsupportedError step 3 (${step}): the host does not forward packets; ` +
    "sysctl -w net.ipv4.ip_forward=1 turns forwarding on";
  assertEquals(printed, `${says("masquerade")}\n${says("publish")}\nlo`);
});
