/** A program that opens connections to its proxy, and a script that may have few files open. */

import { assert, assertEquals } from "@std/assert";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** Runs a script with this limit of descriptors. */
async function withDescriptors(limit: number, code: string): Promise<string> {
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    Deno.writeTextFileSync(path, `import { sandbox } from "${MOD}";\n${code}`);
    const args = ["run", "-A", "--no-check", "--no-config", "--quiet", path];
    const { code: status, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `ulimit -n ${limit}; exec "$@"`, "sh", Deno.execPath(), ...args],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    assertEquals(status, 0, decode(stdout) + decode(stderr));
    assertEquals(decode(stderr), "");
    return decode(stdout).trim();
  } finally {
    Deno.removeSync(path);
  }
}

/** Opens as many connections to the proxy as it can, at most 300, each with a host behind it. */
const GREEDY = String.raw`
  use IO::Socket::INET; $| = 1; my @all;
  for (1 .. 300) {
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:3128", Timeout => 1) or last;
    $s->syswrite("CONNECT $ARGV[0] HTTP/1.1\r\n\r\n"); push @all, $s;
  }
  my $bits = ""; vec($bits, fileno($all[0]), 1) = 1; select($bits, undef, undef, 10);
  print "greedy\n"; sleep 1000`;

/** A host that keeps its connections open, and the containers that connect to it. */
const SCRIPT = `
  // Deno ends itself if it has no descriptors for its own signal handlers when it needs them.
  Deno.addSignalListener("SIGUSR1", () => {});
  const host = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = [];
  (async () => { for (;;) try { open.push(await host.accept()); } catch { await pause(); } })();
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
  const net = ["127.0.0.1:" + host.addr.port];
  const permissions = { read: true, write: true, env: true, run: true, sys: true, net };
  const start = () => sandbox().command("perl", {
    args: ["-e", ${
  JSON.stringify(GREEDY)
}, ...net], permissions, stdout: "piped", stderr: "inherit",
  }).spawn();
  const isGreedy = (container) => container.stdout.getReader().read();
  const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const end = async (container) => { container.kill("SIGKILL"); await container.status; };
`;

test("one program takes a part of the script's descriptors, and not all", async () => {
  const printed = await withDescriptors(
    256,
    `${SCRIPT}
    const greedy = start();
    await isGreedy(greedy);
    const taken = open.length;
    // Another one is served beside it.
    const other = start();
    await isGreedy(other);
    console.log(taken, open.length > taken, descriptors() < 256);
    await end(greedy);
    await end(other);
    Deno.exit();`,
  );
  const [taken, other, below] = printed.split(" ");
  assert(Number(taken) >= 1 && Number(taken) <= 16, printed);
  assertEquals([other, below], ["true", "true"]);
});

test("a script without a descriptor left lives, and its programs are served later", async () => {
  const printed = await withDescriptors(
    200,
    `${SCRIPT}
    const greedy = [];
    for (let i = 0; i < 2; i++) greedy.push(start());
    // All that are left.
    const files = [];
    try { for (;;) files.push(Deno.openSync("/dev/null")); } catch (error) { console.log(error.code); }
    for (let i = 0; i < 20; i++) await pause();
    console.log("alive");
    for (const file of files) file.close();
    for (const container of greedy) await isGreedy(container);
    for (const container of greedy) await end(container);
    console.log("served");
    Deno.exit();`,
  );
  assertEquals(printed, "EMFILE\nalive\nserved");
});
