/** `proxy`, and the hosts of `sandbox({ net })`. */

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  dieWithParent,
  loopback,
  mapRoot,
  PermissionError,
  proxy,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  unshare,
} from "../../../mod.ts";
import { decode } from "../../other_scripts.ts";
import { assertRefused, test } from "../../support.ts";

const own = recipe(unshare("user", "net"), mapRoot());

/** A server on this machine's loopback interface, while `body` runs. */
async function withServer(body: (port: number) => Promise<void>): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("I am the host"));
      connection.close();
    }
  })();
  await body((listener.addr as Deno.NetAddr).port);
  listener.close();
  await served;
}

/** What a program gets of the proxy that asks for a host. */
async function asked(box: Recipe, host: string): Promise<string> {
  const request = `CONNECT ${host} HTTP/1.1\\r\\n\\r\\n`;
  const script = `exec 3<>/dev/tcp/127.0.0.1/3128 && printf '${request}' >&3 && cat <&3`;
  const command = box.command("bash", { args: ["-c", `exec 2>&1; ${script}`] });
  return decode((await command.output()).stdout);
}

test("the script passes on connections to these hosts, and to no other", async () =>
  await withServer(async (port) => {
    const list = [`127.0.0.1:${port}`, "127.0.0.2"];
    const options = { deny: ["127.0.0.2:80"] };
    for (
      const box of [own.with(proxy(list, options)), sandbox({ net: list, denyNet: options.deny })]
    ) {
      assertStringIncludes(await asked(box, `127.0.0.1:${port}`), "I am the host");
      for (const host of ["127.0.0.1:1", "127.0.0.2:80", "example.org:443"]) {
        assertMatch(await asked(box, host), /^HTTP\/1\.1 403 /, host);
      }
      const direct = `exec 2>&1; echo > /dev/tcp/127.0.0.1/${port}`;
      const { stdout } = await box.command("bash", { args: ["-c", direct] }).output();
      assertStringIncludes(decode(stdout), "Connection refused");
    }
  }));

test("programs find the proxy by variables, also those that enter", async () => {
  const box = sandbox({ net: ["example.org:443"], env: ["HTTPS_PROXY"] });
  await using container = box.command("sleep", { args: ["100"] }).spawn();
  for (const start of [box.command.bind(box), container.enter.bind(container)]) {
    const { stdout } = await start("printenv", { args: ["HTTPS_PROXY"], stdout: "piped" }).output();
    assertEquals(decode(stdout), "http://127.0.0.1:3128\n");
  }
  // Without hosts there is nothing but the loopback interface.
  assertEquals(sandbox({ net: [] }).steps, sandbox().steps);
});

test("a proxy that cannot be is refused", () => {
  const hosts = proxy(["example.org"]);
  const refused = (box: () => Recipe, says: string) => assertRefused(box, { step: "proxy", says });
  refused(() => recipe(hosts), 'put unshare("net") before it');
  refused(() => own.with(hosts, hosts), "there is a proxy already");
  refused(() => own.with(dieWithParent(null), hosts), "lets the container outlive it");
  refused(() => own.with(unshare("user"), mapRoot(), hosts), "belongs to a user namespace");
  refused(() => own.with(proxy(["no host"])), "is not a host with or without a port");
  refused(() => own.with(proxy([])), "hosts");
  assertThrows(
    () => own.with(hosts, loopback()).command("true").outputSync(),
    TypeError,
    "event loop",
  );
  for (const net of [["example.org"], "loopback", false] as const) {
    const permissions = { read: true, write: true, env: true, run: true, sys: true, net } as const;
    assertThrows(() => own.with(hosts).command("true", { permissions }).spawn(), Error);
  }
  assertThrows(
    () => own.with(hosts).command("true", { permissions: { read: true, write: true } }).spawn(),
    PermissionError,
  );
  assertThrows(() => sandbox({ denyNet: ["a"] }), RecipeError, 'hosts of a list in "net"');
  assertThrows(() => sandbox({ net: ["a b"] }), RecipeError);
});
