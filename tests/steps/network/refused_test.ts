/** Network steps that would change the host, or are invalid. */

import { assert } from "@std/assert";
import {
  address,
  bridge,
  dummy,
  join,
  loopback,
  macvlan,
  mapRoot,
  moveInterface,
  type Recipe,
  recipe,
  route,
  unshare,
  veth,
} from "../../../mod.ts";
import { until } from "../../other_scripts.ts";
import { assertFails, assertRefused, inside, root, test, testOn } from "../../support.ts";
import { startHub } from "./support.ts";

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

test("the error of an unprivileged user says how a container gets a veth", () => {
  for (const step of [veth("eth0"), macvlan("m", { parent: "lo" }), moveInterface("eth0")]) {
    assertRefused(() => recipe(unshare("user", "net"), mapRoot(), step), {
      step: step.step,
      at: 2,
      says: "join() the namespaces of a container that has a network",
    });
  }
}, root ? "is for ordinary users" : undefined);

test("invalid names of interfaces are refused", () => {
  const names = {
    "": "is empty",
    "sixteen-bytes-ab": "has 16 bytes; the kernel takes at most 15",
    "eth/0": "must not have",
    "eth 0": "must not have",
    "eth%d": "must not have",
    "eth:1": "must not have",
    "..": "cannot be the name of an interface",
  };
  for (const [name, says] of Object.entries(names)) {
    assertRefused(() => recipe(bridge(name)), { step: "bridge", at: 0, says });
    assertRefused(() => recipe(veth(name)), { step: "veth", at: 0, says });
    assertRefused(() => recipe(address(name, "10.0.0.1/8")), { step: "address", at: 0, says });
  }
});

test("invalid addresses are refused", () => {
  const refused = (step: ReturnType<typeof address | typeof route | typeof veth>, says: string) =>
    assertRefused(() => recipe(step), { step: step.step, at: 0, says });
  refused(address("eth0", "10.0.0.256/24"), "is not an address with a prefix length");
  refused(
    address("eth0", "10.0.0.2"),
    "has no prefix length; write it like 10.0.0.2/24",
  );
  refused(address("eth0", "fd00::1"), "like fd00::1/64");
  refused(address("eth0", "10.0.0.2/33"), "is not an address with a prefix length");
  refused(route("nowhere", { via: "10.0.0.1" }), "is not an address with a prefix length");
  refused(route("default", { via: "10.0.0.1/24" }), "is not an address");
  refused(route("default", {}), 'needs "via"');
  refused(route("10.0.0.0/8", { via: "fd00::1" }), "not both IPv4 or both IPv6");
  refused(veth("eth0", { peerAddress: "10.0.0.1/24" }), `"peerAddress" needs "peer"`);
  refused(veth("eth0", { peer: "x", peerAddress: "10.0.0.1" }), "has no prefix length");
});

testOn(["net"], "the error has the kernel's message and a fix", (mounts) => {
  const at = mounts.steps.length;
  const fails = (box: Recipe, step: string, code: string, says: string, after = 0) =>
    assertFails(box, { step, at: at + after, code, says });
  fails(
    mounts.with(bridge("lan"), bridge("lan")),
    "bridge",
    "EEXIST",
    'RTM_NEWLINK bridge "lan" up',
    1,
  );
  fails(mounts.with(bridge("lo")), "bridge", "EEXIST", "called lo already; choose another name");
  fails(
    mounts.with(address("eth0", "10.0.0.1/8")),
    "address",
    "ENODEV",
    "there is no interface eth0",
  );
  fails(mounts.with(bridge("lan", { ports: ["eth0"] })), "bridge", "ENODEV", "no interface eth0");
  fails(mounts.with(bridge("lan", { ports: ["lo"] })), "bridge", "EINVAL", 'RTM_NEWLINK "lo"');
  const box = mounts.with(bridge("lan"), address("lan", "10.0.0.1/24"));
  fails(
    box.with(address("lan", "10.0.0.1/24")),
    "address",
    "EEXIST",
    "has this address already",
    2,
  );
  const lost = box.with(route("default", { via: "10.0.1.1" }));
  fails(lost, "route", "ENETUNREACH", "RTM_NEWROUTE default 0.0.0.0/0 via 10.0.1.1", 2);
  fails(lost, "route", "ENETUNREACH", "invalid gateway; the gateway is in no network", 2);
  const twice = [route("10.9.0.0/16", { device: "lan" }), route("10.9.0.0/16", { device: "lan" })];
  fails(box.with(...twice), "route", "EEXIST", "there is a route to it already", 3);
});

test("a veth to a missing bridge leaves nothing", async () => {
  await using hub = startHub();
  const box = recipe(join(hub, "user", "net"), unshare("net"));
  const fails = (step: ReturnType<typeof veth>, code: string, says: string) =>
    assertFails(box.with(step), { step: "veth", at: 2, code, says });
  fails(veth("eth0", { bridge: "wan" }), "ENODEV", "there is no interface wan");
  fails(veth("eth0", { peer: "lan" }), "EEXIST", "an interface is called lan already");
  fails(veth("eth0", { bridge: "lo" }), "EOPNOTSUPP", "lo is not a bridge");
  fails(veth("eth0", { peer: "x", peerAddress: "ff02::1/64" }), "EADDRNOTAVAIL", "RTM_NEWADDR");
  await until(() => inside(recipe(join(hub)), "grep -c ':' /proc/net/dev") === "2");
});

test("the network of another user namespace cannot be changed", async () => {
  await using hub = startHub();
  const box = recipe(join(hub, "user", "net"), unshare("user"), bridge("mine"));
  assertFails(box, { step: "bridge", at: 2, code: "EPERM", says: "another user namespace" });
});

test("a plan shows requests in readable form", () => {
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
