/** Networks with permissions: none, loopback, the host's, and hosts by the script's proxy. */

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  capabilities,
  init,
  mapRoot,
  noNewPrivileges,
  PermissionError,
  type PermissionOptions,
  recipe,
  sandbox,
  unshare,
} from "../../mod.ts";
import { test } from "../support.ts";
import { runScript } from "../other_scripts.ts";

const READ = sandbox().needs().flatMap((need) => "path" in need ? [need.path] : []);

/** Returns the output of bash in a sandbox with these permissions for the network. */
async function bash(
  script: string,
  net: PermissionOptions["net"],
  box = sandbox(),
): Promise<string> {
  const { stdout } = await box.command("bash", {
    args: ["-c", `exec 2>&1; ${script}`],
    permissions: { read: READ, ...(net !== undefined && { net }) },
    timeout: 120_000,
  }).output();
  return new TextDecoder().decode(stdout);
}

/** A script that sends a text to the proxy, and prints the response. */
function ask(request: string): string {
  return `exec 3<>/dev/tcp/127.0.0.1/3128 && printf '${request}' >&3 && cat <&3`;
}

const connectTo = (host: string) => `CONNECT ${host} HTTP/1.1\\r\\n\\r\\n`;

/** Runs a server on this machine's loopback interface that sends its name and the request. */
async function withHost(
  body: (port: number) => Promise<void>,
  answer = "I am the host",
  hostname = "127.0.0.1",
): Promise<string[]> {
  using listener = Deno.listen({ hostname, port: 0 });
  const heard: string[] = [];
  const served = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode(answer));
      await connection.closeWrite();
      heard.push(await new Response(connection.readable).text());
    }
  })();
  await body((listener.addr as Deno.NetAddr).port);
  listener.close();
  await served;
  return heard;
}

test("without a permission there is no network, and the host's is refused", async () => {
  const error = assertThrows(
    () => sandbox({ net: "host" }).command("true", { permissions: { read: ["/"] } }).outputSync(),
    PermissionError,
  );
  assertEquals(error.grant, "net");
  for (const net of ["loopback", false, ["127.0.0.1:80"]] as const) {
    const permissions = { read: true, net };
    const command = sandbox({ net: "host" }).command("true", { permissions });
    assertThrows(() => command.spawn(), PermissionError);
  }
  assertMatch(await bash("echo > /dev/tcp/127.0.0.1/3128", false), /Connection refused/);
});

test('"loopback" sets the interface up, without a step', async () => {
  const box = recipe(unshare("user", "net"), mapRoot());
  const permissions = { read: true, write: true, run: true, sys: true, env: true } as const;
  const state = (net: "loopback" | false) => {
    const args = ["-c", "exec 2>&1; echo > /dev/tcp/127.0.0.1/3128"];
    const { stdout } = box.command("bash", { args, permissions: { ...permissions, net } })
      .outputSync();
    return new TextDecoder().decode(stdout);
  };
  assertMatch(state(false), /unreachable/);
  assertMatch(state("loopback"), /refused/);
  assertMatch(await bash("echo > /dev/tcp/127.0.0.1/3128", "loopback"), /refused/);
});

test("`true` grants the host's network", async () => {
  await withHost(async (port) => {
    const box = sandbox({ net: "host" });
    const read = box.needs().flatMap((need) => need.kind === "read" ? [need.path] : []);
    const { stdout } = await box.command("bash", {
      args: ["-c", `cat < /dev/tcp/127.0.0.1/${port}`],
      permissions: { read, net: true },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "I am the host");
  });
});

test("a granted host is reached through the proxy, and gets the whole request", async () => {
  const heard = await withHost(async (port) => {
    const host = `127.0.0.1:${port}`;
    const tunnel = await bash(ask(connectTo(host) + "hello"), [host]);
    assertEquals(tunnel, "HTTP/1.1 200 OK\r\n\r\nI am the host");
    const get = await bash(ask(`GET http://${host}/a HTTP/1.1\\r\\n\\r\\n`), [host]);
    assertEquals(get, "I am the host");
    const address = `\\x7f\\x00\\x00\\x01\\x${(port >> 8).toString(16)}\\x${
      (port & 255).toString(16)
    }`;
    const socks = await bash(ask("\\x05\\x01\\x00\\x05\\x01\\x00\\x01" + address), [host]);
    assertEquals(socks, `\x05\x00\x05\x00\x00\x01${"\0".repeat(6)}I am the host`);
  });
  assertEquals(heard[0], "hello");
  assertMatch(heard[1]!, /^GET \/a HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nConnection: close/);
});

test("another host, another port and another spelling of them are refused", async () => {
  const heard = await withHost(async (port) => {
    const granted = [`127.0.0.1:${port + 1}`, "granted.example"];
    for (
      const host of [
        `127.0.0.1:${port}`,
        `localhost:${port}`,
        `LOCALHOST:${port}`,
        `127.1:${port}`,
        `0x7f000001:${port}`,
        `0:${port}`,
        `[::1]:${port}`,
        `[::ffff:127.0.0.1]:${port}`,
      ]
    ) {
      assertMatch(await bash(ask(connectTo(host)), granted), /^HTTP\/1\.1 403 /, host);
    }
  });
  assertEquals(heard, []);
});

test("a granted spelling grants all others", async () => {
  await withHost(async (port) => {
    for (const granted of [`127.1:${port}`, `0x7f.0.0.1:${port}`, "127.0.0.1"]) {
      assertStringIncludes(
        await bash(ask(connectTo(`2130706433:${port}`)), [granted]),
        "I am the host",
      );
    }
  });
});

/** A name other than localhost that resolves to this machine. */
const alias = namesOfThisMachine().find((name) => name !== "localhost");

function namesOfThisMachine(): string[] {
  let hosts: string;
  try {
    hosts = Deno.readTextFileSync("/etc/hosts");
  } catch {
    return [];
  }
  return hosts.split("\n").filter((line) => /^(127\.|::1\s)/.test(line))
    .flatMap((line) => line.trim().split(/\s+/).slice(1))
    .filter((name) => /^[a-z0-9.-]+$/i.test(name));
}

test(
  "a granted name that resolves to this machine is refused",
  async () => {
    await withHost(async (port) => {
      const answer = await bash(ask(connectTo(`${alias}:${port}`)), [alias!]);
      assertMatch(answer, /^HTTP\/1\.1 (403|502) /);
      assertEquals(answer.includes("I am the host"), false);
    });
  },
  alias === undefined ? "no name leads to this machine but localhost" : undefined,
);

test("localhost can be granted by name", async () => {
  await withHost(async (port) => {
    const host = `localhost:${port}`;
    assertStringIncludes(await bash(ask(connectTo(host)), [host]), "I am the host");
  });
});

test("a host that cannot be reached is reported", async () => {
  let port = 0;
  await withHost((free) => {
    port = free;
    return Promise.resolve();
  });
  const host = `127.0.0.1:${port}`;
  assertMatch(await bash(ask(connectTo(host)), [host]), /^HTTP\/1\.1 502 /);
});

test("programs find the proxy by their environment", async () => {
  const variables = async (net: readonly string[]) =>
    (await bash("env", net, sandbox())).split("\n").filter((line) => /proxy/i.test(line)).sort();
  assertEquals(await variables(["a.example"]), [
    "ALL_PROXY=socks5h://127.0.0.1:3128",
    "HTTPS_PROXY=http://127.0.0.1:3128",
    "HTTP_PROXY=http://127.0.0.1:3128",
    "NO_PROXY=localhost,127.0.0.1,::1",
    "all_proxy=socks5h://127.0.0.1:3128",
    "http_proxy=http://127.0.0.1:3128",
    "https_proxy=http://127.0.0.1:3128",
    "no_proxy=localhost,127.0.0.1,::1",
  ]);
  assertEquals((await variables(["localhost"])).includes("NO_PROXY="), true);
});

test("large amounts pass in both directions, with backpressure", async () => {
  const size = 3_000_000;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const echo = (async () => {
    using connection = await listener.accept();
    await connection.readable.pipeTo(connection.writable);
  })();
  const host = `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  const script = `exec 3<>/dev/tcp/127.0.0.1/3128; printf '${connectTo(host)}' >&3; ` +
    `head -c ${size} /dev/zero >&3 & head -c ${size + 19} <&3 | wc -c`;
  assertEquals((await bash(script, [host])).trim(), String(size + 19));
  await echo.catch(() => {});
});

test("several programs are served at once", async () => {
  await withHost(async (port) => {
    const host = `127.0.0.1:${port}`;
    const script = `for i in 1 2 3 4 5 6 7 8; do (${
      ask(connectTo(host))
    } | tail -c 13) & done; wait`;
    assertEquals(await bash(script, [host]), "I am the host".repeat(8));
  });
});

test("the proxy works with an init, and with id maps that the script writes", async () => {
  await withHost(async (port) => {
    const host = `127.0.0.1:${port}`;
    const ids = (outside: number) => [{ inside: 0, outside, count: 1 }];
    const maps = { step: "mapIds", uids: ids(Deno.uid()!), gids: ids(Deno.gid()!) } as const;
    for (
      const box of [
        recipe(unshare("user", "pid", "net"), mapRoot(), init()),
        recipe(unshare("user", "net"), maps),
        recipe(
          unshare("user"),
          mapRoot(),
          unshare("net"),
          capabilities({ keep: [] }),
          noNewPrivileges(),
        ),
      ]
    ) {
      const { stdout } = await box.command("bash", {
        args: ["-c", ask(connectTo(host))],
        permissions: { read: true, write: true, run: true, sys: true, env: true, net: [host] },
      }).output();
      assertStringIncludes(new TextDecoder().decode(stdout), "I am the host");
    }
  });
});

test("with a terminal, the script gets both the terminal and the proxy's socket", async () => {
  await withHost(async (port) => {
    const host = `127.0.0.1:${port}`;
    await using container = sandbox().command("bash", {
      args: ["-c", `test -t 1 && ${ask(connectTo(host))}`],
      terminal: true,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      permissions: { read: READ, net: [host] },
    }).spawn();
    assertStringIncludes(await container.stdout.text(), "I am the host");
  });
});

test("open connections end with the container", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const host = `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  const container = sandbox().command("bash", {
    args: ["-c", ask(connectTo(host))],
    stdout: "null",
    permissions: { read: READ, net: [host] },
  }).spawn();
  using connection = await listener.accept();
  await container[Symbol.asyncDispose]();
  assertEquals(await connection.read(new Uint8Array(1)).catch(() => null), null);
});

test("a launch that fails leaves no socket", () => {
  const permissions = { read: READ, net: ["a.example"] };
  for (let i = 0; i < 3; i++) {
    assertThrows(() => sandbox().command("no-such", { permissions }).spawn(), Deno.errors.NotFound);
  }
});

test("outputSync() refuses a list of hosts", () => {
  assertThrows(
    () => sandbox().command("true", { permissions: { read: READ, net: ["a"] } }).outputSync(),
    TypeError,
    "event loop",
  );
});

test("a plan shows the proxy's socket", () => {
  const calls = sandbox().command("true", { permissions: { net: ["a"] } }).plan().toString();
  assertStringIncludes(calls, "{AF_INET, 127.0.0.1:3128}");
});

/** Returns what a program is answered about localhost, by a script with these permissions. */
async function answerWith(port: number, ...flags: string[]): Promise<string> {
  const host = `localhost:${port}`;
  const { stdout, stderr } = await runScript(
    `
    const { stdout } = await ramekin.sandbox().command("bash", {
      args: ["-c", Deno.args[0]],
      permissions: { read: ["/"], net: [Deno.args[1]] },
    }).output();
    console.log(new TextDecoder().decode(stdout));`,
    ["--allow-ffi", "--no-prompt", ...flags],
    [ask(connectTo(host)), host],
  );
  assertEquals(stderr, "");
  return stdout;
}

test("the script's own permissions apply too, to names and to denied addresses", async () => {
  await withHost(async (port) => {
    for (const flags of [[], ["--allow-net=127.0.0.1"], ["--allow-net=localhost:1"]]) {
      const answer = await answerWith(port, ...flags);
      assertMatch(answer, /^HTTP\/1\.1 403 /);
      assertStringIncludes(answer, `not allowed to the script: --allow-net=localhost:${port}`);
    }
    const denied = ["--allow-net", "--deny-net=127.0.0.1"];
    assertMatch(await answerWith(port, ...denied), /^HTTP\/1\.1 502 /);
    // The name is enough, as for Deno.connect().
    assertStringIncludes(await answerWith(port, `--allow-net=localhost:${port}`), "I am the host");
  });
});

test("a script ends while its proxy waits", async () => {
  const { code, stdout } = await runScript(
    `
    const { sandbox } = ramekin;
    const { code } = await sandbox().command("true", {
      permissions: { read: ["/"], net: ["a.example"] },
    }).output();
    console.log("done", code);`,
  );
  assertEquals([code, stdout], [0, "done 0\n"]);
});
