/**
 * Where the names of granted hosts may lead, in a network of the tests' own, with a file of names of
 * their own in place of /etc/hosts.
 */

import { assertEquals } from "@std/assert";
import { address, bind, loopback, mapRoot, recipe, sysfs, unshare } from "../../mod.ts";
import { test } from "../support.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** Addresses of this machine, and the names that lead to them. */
const OWN: Readonly<Record<string, string>> = {
  "loop.test": "127.0.0.1",
  "loop9.test": "127.9.9.9",
  "loop6.test": "::1",
  "unspecified.test": "0.0.0.0",
  "mapped.test": "::ffff:127.0.0.1",
  "compatible.test": "::127.0.0.1",
  "metadata.test": "169.254.169.254",
  "metadata6.test": "fd00:ec2::254",
  "alibaba.test": "100.100.100.200",
  "azure.test": "168.63.129.16",
  "oracle.test": "192.0.0.192",
  "ten.test": "10.9.9.9",
  "home.test": "192.168.7.7",
  "docker.test": "172.16.5.5",
  "unique.test": "fc00::1",
  // Public, but of an interface of this machine.
  "own.test": "11.1.1.1",
  "own6.test": "2600::1",
  "ownmapped.test": "::ffff:11.1.1.1",
  "sub.wild.test": "10.9.9.9",
};

/** Addresses of another machine. */
const OTHERS: Readonly<Record<string, string>> = {
  "public.test": "12.0.0.2",
  "near.test": "10.8.0.2",
};

const HOSTS = [
  ...Object.entries({ ...OWN, ...OTHERS }).map(([name, address]) => `${address} ${name}`),
  "127.0.0.1 both.test",
  "10.9.9.9 both.test",
  "12.0.0.3 both.test",
  "12.0.0.2 both.test",
  "127.0.0.1 localhost",
];

/** Runs a script in that network; its `ask` returns what a program in a sandbox is answered. */
async function inNetwork(code: string): Promise<string[]> {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    Deno.writeTextFileSync(`${directory}/hosts`, HOSTS.join("\n") + "\n");
    Deno.writeTextFileSync(`${directory}/nsswitch.conf`, "hosts: files\n");
    Deno.writeTextFileSync(
      `${directory}/script.ts`,
      `import { address, loopback, recipe, sandbox, unshare, veth } from "${MOD}";
      const accepted = [];
      // Of IPv4 too.
      const listener = Deno.listen({ hostname: "::", port: 8080 });
      (async () => {
        for await (const connection of listener) {
          accepted.push(connection.localAddr.hostname);
          await connection.write(new TextEncoder().encode("secret"));
          connection.close();
        }
      })();
      const world = recipe(
        unshare("net"),
        loopback(),
        veth("eth0", { peer: "public", peerAddress: "12.0.0.1/24" }),
        address("eth0", "12.0.0.2/24"),
        address("eth0", "12.0.0.3/24"),
        veth("eth1", { peer: "private", peerAddress: "10.8.0.1/24" }),
        address("eth1", "10.8.0.2/24"),
      ).command(Deno.execPath(), {
        args: ["eval", \`
          for (const hostname of ["12.0.0.2", "10.8.0.2"]) {
            const listener = Deno.listen({ hostname, port: 8080 });
            (async () => {
              for await (const connection of listener) {
                await connection.write(new TextEncoder().encode("world"));
                connection.close();
              }
            })();
          }
          console.log("ready");\`],
        stdout: "piped",
      }).spawn();
      await world.stdout.getReader().read();
      const permissions = (net) => ({ read: true, write: true, env: true, run: true, sys: true, net });
      const ask = async (net, host) => {
        const script = "exec 3<>/dev/tcp/127.0.0.1/3128; " +
          "printf 'CONNECT %s HTTP/1.1\\\\r\\\\n\\\\r\\\\n' " + host + " >&3; cat <&3";
        const { stdout } = await sandbox()
          .command("bash", { args: ["-c", script], permissions: permissions(net) }).output();
        return new TextDecoder().decode(stdout).trim().split("\\r\\n").at(-1);
      };
      ${code}
      Deno.exit(0);`,
    );
    const own = new Set(Object.values(OWN).filter((ip) => !/^(127|0|::1|::ffff|::127)/.test(ip)));
    const box = recipe(
      unshare("user", "net", "mount"),
      mapRoot(),
      sysfs(),
      loopback(),
      ...[...own].map((ip) => address("lo", `${ip}/${ip.includes(":") ? 128 : 32}`)),
      bind(`${directory}/hosts`, "/etc/hosts"),
      bind(`${directory}/nsswitch.conf`, "/etc/nsswitch.conf", { optional: true }),
    );
    const args = ["run", "--no-check", "--no-config", "--quiet", "-A", `${directory}/script.ts`];
    const { success, stdout, stderr } = await box
      .command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
    assertEquals(success, true, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trimEnd().split("\n");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

test("no name leads to this machine or a private network, and none is connected to", async () => {
  const names = Object.keys(OWN).concat("near.test", "nowhere.test");
  const printed = await inNetwork(`
    for (const name of ${JSON.stringify(names)}) {
      const list = [name, "*.wild.test"];
      const [open, closed] = [await ask(list, name + ":8080"), await ask(list, name + ":8081")];
      // Nothing tells whether the port is open.
      console.log(name, open === closed.replace("8081", "8080") ? "the same:" : closed, open);
    }
    console.log(JSON.stringify(accepted));
  `);
  const answer = "cannot be reached at a public address, nor at one that is granted itself, " +
    'as "10.0.0.0/8" grants those of a private network';
  const expected = names.map((name) => `${name} the same: ${name}:8080 ${answer}`);
  assertEquals(printed, [...expected, "[]"]);
});

test("a name leads to public addresses, and to those that are granted themselves", async () => {
  const printed = await inNetwork(`
    for (
      const [list, host] of [
        [["public.test"], "public.test:8080"],
        [["*.test:8080"], "public.test:8080"],
        // The first two are not allowed, the third refuses the connection.
        [["both.test"], "both.test:8080"],
        [["near.test", "10.0.0.0/8"], "near.test:8080"],
        [["ten.test", "10.9.9.9:8080"], "ten.test:8080"],
        [["ten.test", "10.9.9.9:80"], "ten.test:8080"],
        [["loop.test", "127.0.0.1"], "loop.test:8080"],
        [["loop.test", "localhost"], "loop.test:8080"],
        [["localhost:8080"], "localhost:8080"],
        [["10.9.9.9"], "10.9.9.9:8080"],
        [["[fc00::]/7"], "[fc00::1]:8080"],
        [["[fc00::]/7"], "unique.test:8080"],
      ]
    ) console.log(list.join(), (await ask(list, host)).split(" ").slice(0, 4).join(" "));
  `);
  assertEquals(printed, [
    "public.test world",
    "*.test:8080 world",
    "both.test world",
    "near.test,10.0.0.0/8 world",
    "ten.test,10.9.9.9:8080 secret",
    "ten.test,10.9.9.9:80 ten.test:8080 cannot be reached",
    "loop.test,127.0.0.1 secret",
    "loop.test,localhost loop.test:8080 cannot be reached",
    "localhost:8080 secret",
    "10.9.9.9 secret",
    "[fc00::]/7 secret",
    "[fc00::]/7 unique.test:8080 is not allowed",
  ]);
});
