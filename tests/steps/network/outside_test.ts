/** Interfaces between a container and the script's own network. */

import { assertEquals } from "@std/assert";
import { test } from "../../support.ts";
import { inNetworkOfItsOwn, noTalk } from "./support.ts";

for (const kinds of [`"net"`, `"user", "net"`]) {
  const mounts = kinds === `"net"` ? `unshare(${kinds})` : `unshare(${kinds}), mapRoot()`;

  test(`veth connects the container with the script's network, unshare(${kinds})`, async () => {
    const printed = await inNetworkOfItsOwn(`
      const box = recipe(
        ${mounts},
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
        // The end here is deleted with the container, so the next one can have its name.
        show();
      }
      listener.close();
    `);
    assertEquals(printed, "10.7.0.2\nlo\n".repeat(3).trimEnd());
  }, noTalk);

  test(`an interface is moved in and back, unshare(${kinds})`, async () => {
    const printed = await inNetworkOfItsOwn(`
      // The outer end of a veth pair is moved into another container.
      const far = recipe(unshare("net"), veth("far", { peer: "near" }))
        .command("sleep", { args: ["100"] }).spawn();
      show();
      const box = recipe(${mounts}, moveInterface("near", { as: "eth0" }));
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

  test(`a veth step that fails leaves nothing, unshare(${kinds})`, async () => {
    const printed = await inNetworkOfItsOwn(`
      const attempt = (...steps) => {
        try {
          recipe(${mounts}, ...steps).command("true").outputSync();
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
      const files = () => [...Deno.readDirSync("/proc/self/fd")].length;
      // Deno opens files of its own at times, but not for each launch.
      const more = [1, 2, 3].map(() => {
        const before = files();
        attempt(veth("eth0", { peer: "lo" }));
        return files() - before;
      });
      console.log(Math.min(...more));
    `);
    assertEquals(printed.split("\n"), [
      ...["veth EEXIST", "lo", "veth ENODEV", "lo", "address EADDRNOTAVAIL", "lo"],
      ...["moveInterface EINVAL", "lo", "moveInterface ENODEV", "lo", "macvlan EINVAL", "lo"],
      ...["veth EEXIST", "lo", "veth EEXIST", "lo", "veth EEXIST", "lo", "0"],
    ]);
  });
}

test("veth connects a container with an init, and not a process with the same pid outside", async () => {
  const printed = await inNetworkOfItsOwn(`
    const { init } = ramekin;
    for (
      const box of [
        recipe(unshare("net", "pid"), init()),
        recipe(unshare("user", "net", "pid"), mapRoot(), init()),
        recipe(unshare("pid"), init(), unshare("net")),
      ]
    ) {
      const container = box.with(veth("eth0", { peer: "box" }))
        .command("sh", { args: ["-c", "cut -d: -f1 /proc/net/dev | tail -n +3 | xargs"] });
      console.log(text(container.outputSync().stdout));
    }
  `);
  assertEquals(printed, "lo eth0\n".repeat(3).trimEnd());
});
