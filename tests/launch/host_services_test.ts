/** The services of a container on the host, and their cleanup by another process. */

import { assertEquals } from "@std/assert";
import { test } from "../support.ts";
import { inNetworkOfItsOwn, noTalk } from "../steps/network/support.ts";

const file = (path: string) => new URL(`../../${path}`, import.meta.url).href;

/**
 * A script whose container has every service, and which prints their records. Neither the container
 * nor the tool ends with the script: the tool has changed its credentials, as slirp4netns does.
 */
const MAKER = `
  import { execSpec } from "${file("launch/exec.ts")}";
  import { Launcher } from "${file("launch/launcher.ts")}";
  import { planRecipe } from "${file("plan/plan_recipe.ts")}";
  const { dieWithParent, masquerade, moveInterface, recipe, unshare, userNetwork, veth } = ramekin;
  const box = recipe(
    unshare("net"),
    veth("eth0", { peer: "cable" }),
    moveInterface("card", { as: "eth1" }),
    masquerade("10.9.0.0/24"),
    userNetwork("slirp4netns"),
    dieWithParent("SIGCONT"),
  );
  const spec = execSpec("sleep", { args: ["1000"] });
  const { pid, services } = new Launcher(planRecipe(box.steps)).spawn(spec);
  console.log(JSON.stringify({ pid, records: services.flatMap(({ record }) => record ?? []) }));
  setInterval(() => {}, 1000);
`;

const CLEANER = `
  import { cleanUpService } from "${file("launch/host_services/table.ts")}";
  for (const record of JSON.parse(Deno.args[0])) cleanUpService(record);
`;

/** The common part of the tests' scripts: the maker runs, and is killed. */
const KILLED = `
  const { Script, until, isAlive, runScript } = await import("${file("tests/other_scripts.ts")}");
  const { listTables } = await import("${file("ffi/netlink/nftables.ts")}");
  const { NetlinkSocket } = await import("${file("ffi/netlink/socket.ts")}");
  const tables = () => {
    using socket = new NetlinkSocket(12);
    return socket.list(listTables()).length;
  };
  const say = (...words) => console.log(words.join(" "));
  Deno.writeTextFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  const bin = Deno.makeTempDirSync();
  Deno.writeTextFileSync(
    bin + "/slirp4netns",
    // It is not ready before it is on its own.
    "#!/bin/sh\\nexec setpriv --pdeathsig clear sh -c 'echo ready >&0; exec sleep 1000'\\n",
    { mode: 0o755 },
  );
  Deno.env.set("PATH", bin + ":" + Deno.env.get("PATH"));
  // The other end of the interface is in a container of its own.
  const far = recipe(unshare("net"), veth("far", { peer: "card" }))
    .command("sleep", { args: ["1000"] }).spawn();
  const maker = new Script(${JSON.stringify(MAKER)}, ["-A"]);
  const reader = maker.process.stdout.getReader();
  const { value } = await reader.read();
  if (value === undefined) throw new Error(await new Response(maker.process.stderr).text());
  const { pid, records } = JSON.parse(text(value));
  const tool = records.find(({ service }) => service === "user-network").pid;
  const end = async () => {
    for (const process of [pid, tool]) if (isAlive(process)) Deno.kill(process, "SIGKILL");
    far.kill("SIGKILL");
    await far.status;
    Deno.removeSync(bin, { recursive: true });
    await maker[Symbol.asyncDispose]();
  };
  say(...records.map(({ service }) => service), tables());
  show();
  maker.process.kill("SIGKILL");
  await maker.process.status;
  await reader.cancel();
  await maker.process.stderr.cancel();
`;

const STARTED = ["delete-link return-link nat-table user-network 1", "lo cable"];

test("another script cleans up the services of a killed script", async () => {
  const printed = await inNetworkOfItsOwn(`
    ${KILLED}
    await until(() => tables() === 0); // the kernel deletes it
    say(isAlive(pid), isAlive(tool));
    for (let round = 0; round < 2; round++) { // the second has nothing left to do
      const { stderr } = await runScript(
        ${JSON.stringify(CLEANER)}, ["-A"], [JSON.stringify(records)],
      );
      say(isAlive(pid), isAlive(tool), stderr);
      show();
    }
    await end();
    await until(() => linux.links().length === 1);
  `);
  const clean = ["true false ", "lo card"];
  assertEquals(printed.split("\n"), [...STARTED, "true true", ...clean, ...clean]);
}, noTalk);

test("a process, index or name that was reused is left alone", async () => {
  const printed = await inNetworkOfItsOwn(`
    ${KILLED}
    const { cleanUpService } = await import("${file("launch/host_services/table.ts")}");
    for (const record of records) {
      if (record.service === "delete-link") {
        cleanUpService({ ...record, index: record.index + 1 });
        cleanUpService({ ...record, name: "lo" });
      } else if ("started" in record) cleanUpService({ ...record, started: record.started - 1 });
    }
    say(isAlive(pid), isAlive(tool));
    show();
    await end();
  `);
  assertEquals(printed.split("\n"), [...STARTED, "true true", "lo cable"]);
}, noTalk);
