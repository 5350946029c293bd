/** `linux.netDevices`: interfaces of the machine that become the container's. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { address, bridge, join, recipe, unshare, veth } from "../../mod.ts";
import { netDeviceSteps } from "../../oci/config/net_devices.ts";
import { decode } from "../other_scripts.ts";
import { notRoot, test } from "../support.ts";
import { Kitchen, noBusybox } from "./support.ts";

test("an interface is moved with the addresses that it has for good", () => {
  const own = { fresh: new Set(["net"] as const), joined: new Map() };
  const entry = { link: 7, isGlobal: true, isPermanent: true };
  const addresses = () => [
    { ...entry, address: "10.0.0.2/24" },
    { ...entry, address: "fe80::1/64", isGlobal: false },
    { ...entry, address: "10.0.0.3/24", isPermanent: false },
  ];
  const netDevices = { a: null, b: { name: "eth%d" }, c: { name: "eth0" } };
  assertEquals(
    netDeviceSteps({ netDevices }, own, addresses),
    ["a", "eth1", "eth0"].flatMap(
      (as, index) => [
        { step: "moveInterface", name: "abc"[index]!, as, stays: true },
        { step: "address", device: as, address: "10.0.0.2/24" },
      ],
    ),
  );
  const joined = { fresh: new Set<never>(), joined: new Map([["net", "/x"] as const]) };
  assertThrows(() => netDeviceSteps({ netDevices }, joined, addresses), Error, "netDevices.b.name");
  const none = { fresh: new Set<never>(), joined: new Map() };
  assertThrows(() => netDeviceSteps({ netDevices }, none, addresses), Error, "network namespace");
});

test("a container has an interface of the network outside", async () => {
  using kitchen = new Kitchen();
  for (const name of ["ip", "grep"]) Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
  // Without it the other ends of the pairs would be gone, and these with them.
  await using hub = recipe(unshare("net"), bridge("lan")).command("sleep", { args: ["1000"] })
    .spawn();
  const outside = recipe(
    join(hub, "net"),
    unshare("net"),
    veth("d0", { bridge: "lan" }),
    address("d0", "10.1.2.3/24"),
    address("d0", "fd00::5/64"),
  );
  const run = async (name: string) => {
    kitchen.configure(
      "ip addr show dev in0 | grep -oE ',UP|inet 10[^ ]*|inet6 fd[^ ]*'",
      (config) => {
        config.linux.netDevices = { [name]: { name: "in0" } };
      },
    );
    const { program, args } = kitchen.command("--cgroup-manager=disabled", "run", kitchen.id());
    const options = { args, cwd: kitchen.bundle, clearEnv: true, env: { PATH: "/bin" } };
    const { stdout, stderr } = await outside.command(program, options).output();
    return decode(stdout) + decode(stderr);
  };
  assertEquals(await run("d0"), ",UP\ninet 10.1.2.3/24\ninet6 fd00::5/64\n");
  assertStringIncludes(await run("none"), "no such device (there is no interface none");
}, notRoot ?? noBusybox);
