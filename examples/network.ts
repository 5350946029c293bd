/**
 * Three containers on a bridge, which is in a fourth: they reach one another by address and by name,
 * and nothing else. No interface of the host's is touched, so an ordinary user can do it, and all of
 * it is gone with the containers.
 *
 * Prints:
 *
 *     soup asks stew: Bonjour from 10.0.0.2
 *     stew asks tart: Bonjour from 10.0.0.3
 *     tart asks 10.0.0.1: Bonjour from 10.0.0.1
 *     tart asks 192.0.2.1: Network is unreachable
 */
// deno-lint-ignore-file no-console

import { address, bind, bridge, hostname, join, mapRoot, recipe, tmpfs } from "../mod.ts";
import { loopback, unshare, veth, writeFile } from "../mod.ts";

const ips = { soup: "10.0.0.1", stew: "10.0.0.2", tart: "10.0.0.3" };
type Name = keyof typeof ips;

const lan = recipe(unshare("user", "net"), mapRoot(), bridge("lan"));
await using hub = lan.command("sleep", { args: ["100"] }).spawn();

function host(name: Name) {
  return recipe(
    join(hub, "user", "net"),
    unshare("net", "mount", "uts"),
    hostname(name),
    loopback(),
    veth("eth0", { bridge: "lan" }),
    address("eth0", `${ips[name]}/24`),
    tmpfs("/mnt"),
    writeFile("/mnt/hosts", Object.entries(ips).map(([name, ip]) => `${ip} ${name}\n`).join("")),
    bind("/mnt/hosts", "/etc/hosts"),
  );
}

await using servers = new AsyncDisposableStack();
for (const name of ["soup", "stew", "tart"] as const) {
  const args = ["nc", "-ll", "-p", "80", "-e", "echo", `Bonjour from ${ips[name]}`];
  const server = servers.use(host(name).command("busybox", { args, stdout: "piped" }).spawn());
  server.stdout.cancel();
}

async function ask(name: Name, whom: string): Promise<void> {
  const script = `exec 2>&1; exec 3<>/dev/tcp/${whom}/80 && cat <&3`;
  const { stdout } = await host(name).command("bash", { args: ["-c", script] }).output();
  const answer = new TextDecoder().decode(stdout).trim().split(": ").at(-1);
  // The other one may not listen yet.
  if (answer === "Connection refused") return await ask(name, whom);
  console.log(`${name} asks ${whom}: ${answer}`);
}
await ask("soup", "stew");
await ask("stew", "tart");
await ask("tart", "10.0.0.1");
await ask("tart", "192.0.2.1");
