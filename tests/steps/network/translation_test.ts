/** `masquerade` and `publish`. */

import { assertEquals } from "@std/assert";
import {
  address,
  bridge,
  join,
  masquerade,
  publish,
  recipe,
  route,
  unshare,
  veth,
} from "../../../mod.ts";
import { inside, test } from "../../support.ts";
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
  const says = "UnsupportedError the host does not forward packets; " +
    "sysctl -w net.ipv4.ip_forward=1 turns forwarding on";
  assertEquals(printed, `${says}\n${says}\nlo`);
});
