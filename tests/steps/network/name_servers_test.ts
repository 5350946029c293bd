/** `userNetwork` on a machine whose resolver listens on a loopback address. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { loopbackServers } from "../../../plan/steps/network/name_servers.ts";
import { test } from "../../support.ts";
import { inNetworkOfItsOwn, noIp, noTunnel, without, WORLD } from "./support.ts";

Deno.test("servers count where all of them are on loopback interfaces", () => {
  const of = (...servers: readonly string[]) =>
    loopbackServers(servers.map((server) => `nameserver ${server}\n`).join(""));
  assertEquals(of("127.0.0.53"), ["127.0.0.53"]);
  assertEquals(of("127.0.0.1", "::1"), ["127.0.0.1", "::1"]);
  for (const other of ["10.0.0.1", "fe80::1%eth0", "::2", "1::1", "nonsense"]) {
    assertEquals(of("127.0.0.53", other), [], other);
    assertEquals(of(other), [], other);
  }
  assertEquals(loopbackServers("# nameserver 127.0.0.1\noptions a\n"), []);
  assertEquals(loopbackServers("search a\nnameserver\t127.0.0.1 # local\n"), ["127.0.0.1"]);
});

/** A machine with a resolver at 127.0.0.53 that knows one name, and a route. */
const MACHINE = `
  ${WORLD}
  const { createSocket } = await import("node:dgram");
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address }) => {
    if (new TextDecoder().decode(query.subarray(13, 17)) !== "soup") return;
    const end = query.indexOf(0, 12) + 5;
    const isIpv4 = query[end - 3] === 1;
    const head = [query[0], query[1], 0x81, 0x80, 0, 1, 0, isIpv4 ? 1 : 0, 0, 0, 0, 0];
    const answer = isIpv4 ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 9, 8, 7] : [];
    socket.send(Uint8Array.from([...head, ...query.subarray(12, end), ...answer]), port, address);
  });
  await new Promise((resolve) => socket.bind(53, "127.0.0.53", resolve));
  hostSays("ip link add up0 type veth peer name up1; ip address add 10.8.0.2/24 dev up0; " +
    "ip link set up0 up; ip link set up1 up; ip route add default via 10.8.0.1");
  const resolve = "getent ahostsv4 soup.example.test | head -n 1 | cut -d ' ' -f 1 | grep . || echo none";
  const { bind, mkdir, pivotRoot, proc, tmpfs, userNetwork } = ramekin;
  const user = (...more) => recipe(unshare("user", "mount", "net", "pid"), mapRoot(), loopback(), ...more);
  const inside = async (box, script) =>
    text((await box.command("sh", { args: ["-c", script] }).output()).stdout);
`;

const RESOLV_CONF = "# local\nnameserver 127.0.0.53\nsearch example.test\noptions edns0\n";

for (
  const [program, debianPackage] of [["slirp4netns", "slirp4netns"], ["pasta", "passt"]] as const
) {
  test(`${program} forwards queries of names to a resolver on the loopback interface`, async () => {
    const printed = await inNetworkOfItsOwn(
      `
      ${MACHINE}
      const network = userNetwork("${program}");
      console.log(await inside(user(network), resolve + "; cat /etc/resolv.conf"));
      console.log(Deno.readTextFileSync("/etc/resolv.conf") === ${JSON.stringify(RESOLV_CONF)});
      const files = ["/usr", "/bin", "/lib", "/lib64", "/etc/nsswitch.conf"].map((path) =>
        bind(path, "/mnt" + path, { readOnly: true, optional: true }));
      const conf = bind("/etc/resolv.conf", "/mnt/etc/resolv.conf", { readOnly: true });
      const root = [tmpfs("/mnt"), ...files];
      for (const steps of [[network, ...root, conf], [...root, conf, network]]) {
        console.log(await inside(user(...steps, pivotRoot("/mnt")), resolve));
      }
      // A root with a file of its own keeps it.
      const own = ramekin.writeFile("/mnt/etc/resolv.conf", "nameserver 10.9.9.9\\n");
      const box = user(...root, own, network, pivotRoot("/mnt"));
      console.log(await inside(box, "cat /etc/resolv.conf"));
      console.log(await inside(user(userNetwork("${program}", { dns: false })), "head -n 1 /etc/resolv.conf"));
      socket.close();
    `,
      RESOLV_CONF,
    );
    assertEquals(printed.split("\n"), [
      ...["10.9.8.7", "nameserver 10.0.2.3", "search example.test", "options edns0", "true"],
      ...["10.9.8.7", "10.9.8.7", "nameserver 10.9.9.9", "# local"],
    ]);
  }, noIp ?? noTunnel ?? without(program, debianPackage));
}

test("without a mount namespace, the step is refused with the way out", async () => {
  const printed = await inNetworkOfItsOwn(
    `
    const { userNetwork } = ramekin;
    const box = (options) => recipe(unshare("user", "net"), mapRoot(), userNetwork("pasta", options));
    box({ dns: false }).plan();
    try { box({}).plan() } catch (error) { console.log(error.name, error.step, error.message) }
    const unmapped = recipe(unshare("user", "net", "mount"), userNetwork());
    try { unmapped.plan() } catch (error) { console.log(error.name, error.step, error.message) }
    const whole = recipe(unshare("user", "net", "mount"), mapRoot(), userNetwork()).plan().toString();
    console.log(whole.includes("--dns-forward 10.0.2.3"));
  `,
    RESOLV_CONF,
  );
  const [refused, unmapped, planned] = printed.split("\n");
  assertStringIncludes(refused!, "RecipeError userNetwork");
  assertStringIncludes(
    refused!,
    "this machine's resolver is at 127.0.0.53, where the container has",
  );
  assertStringIncludes(refused!, "{ dns: false }");
  assertStringIncludes(unmapped!, "put mapRoot() before it");
  assertEquals(planned, "true");
});

test("with a resolver that the container reaches, nothing is changed", async () => {
  const printed = await inNetworkOfItsOwn(
    `
    const { userNetwork } = ramekin;
    const listing = recipe(unshare("user", "net"), mapRoot(), userNetwork()).plan().toString();
    console.log(listing.includes("resolv.conf"), listing.includes("--dns-forward"));
  `,
    "nameserver 127.0.0.53\nnameserver 10.9.9.9\n",
  );
  assertEquals(printed, "false false");
});
