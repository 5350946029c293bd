/** Shared parts of the network tests: tools, a container with a bridge, scripts in a network. */

import { assertEquals } from "@std/assert";
import {
  bind,
  bridge,
  type Container,
  loopback,
  mapRoot,
  type Recipe,
  recipe,
  sysfs,
  unshare,
} from "../../../mod.ts";
import { inside } from "../../support.ts";

/** Why tests that use a tool are skipped; `undefined` if it is installed. */
export function without(tool: string, debianPackage: string): string | undefined {
  try {
    new Deno.Command(tool, { args: ["-V"], stdout: "null", stderr: "null" }).outputSync();
    return undefined;
  } catch {
    return `install Debian's ${debianPackage}`;
  }
}

/** Why tests that use ip(8) are skipped; `undefined` if it is installed. */
export const noIp: string | undefined = without("ip", "iproute2");
/** Why tests that use TCP are skipped; `undefined` if their tools are installed. */
export const noTalk: string | undefined = without("busybox", "busybox") ?? without("bash", "bash");

/** The output of a tool. */
// deno-lint-ignore no-explicit-any
export type Json = any;

/** The output of ip(8) in the container, as data. */
export function ip(box: Recipe, ...commands: string[]): Json[] {
  const script = commands.map((command) => `ip -j ${command}; echo`).join("\n");
  return inside(box, script).split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line.replaceAll(/\{\s*\},?/g, ""))
  );
}

/** A container with a bridge, which other containers connect to. */
export function startHub(): Container {
  const lan = recipe(unshare("user", "net"), mapRoot(), bridge("lan"));
  return lan.command("sleep", { args: ["100"], stdin: "null" }).spawn();
}

/** A server that sends a word to every client on port 80. */
export function serve(box: Recipe, word: string): Container {
  const args = ["nc", "-ll", "-p", "80", "-e", "echo", word];
  return box.command("busybox", { args, stdin: "null" }).spawn();
}

/** A shell script that prints the word of the server, or nothing if there is none. */
export const ask = (host: string, port = 80): string =>
  `for i in $(seq 50); do
     timeout 5 bash -c 'exec 3<>/dev/tcp/${host}/${port}; cat <&3' 2> /dev/null && break || sleep 0.1
   done`;

/** Why tests of what forwards packets without privilege are skipped; `undefined` if they can run. */
export const noTunnel: string | undefined = (() => {
  try {
    Deno.openSync("/dev/net/tun", { read: true, write: true }).close();
    return undefined;
  } catch {
    return "this user may not open /dev/net/tun";
  }
})();

/**
 * Runs a script in a network namespace of its own, where it is root. Its function `show()` prints
 * the interfaces that it has.
 *
 * @param resolvConf the text of /etc/resolv.conf for it; that of the host if left out
 */
export async function inNetworkOfItsOwn(code: string, resolvConf?: string): Promise<string> {
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  const conf = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(conf, resolvConf ?? "");
    Deno.chmodSync(conf, 0o644);
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
    const world = recipe(
      unshare("user", "net", "mount"),
      mapRoot(),
      sysfs(),
      loopback(),
      ...(resolvConf === undefined ? [] : [bind(conf, Deno.realPathSync("/etc/resolv.conf"))]),
    );
    const args = ["run", "--no-check", "--no-config", "--quiet", "-A", path];
    const { code: status, stdout, stderr } = await world
      .command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
    assertEquals(status, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trimEnd();
  } finally {
    for (const file of [path, conf]) Deno.removeSync(file);
  }
}

/** A network of the host with a container at 10.8.0.2, which stands for the internet. */
export const WORLD: string = `
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
