/** `ramekin ps`, `ls` and `enter`, with containers of other scripts. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { capabilities, linux, listNamespaces, noNewPrivileges, seccomp, umask } from "../../mod.ts";
import { limitsIn, rootLimitsIn } from "../../container/confinement.ts";
import { treeOf } from "../../scripts/ramekin/ls.ts";
import { timeText } from "../../scripts/ramekin/ps.ts";
import type { RunningContainer } from "../../host.ts";
import { readUntil, Script } from "../other_scripts.ts";
import { test } from "../support.ts";
import { ramekin } from "./support.ts";

/** A name for containers, which the tests of another user at the same time have not. */
const COOK = `cook${Deno.pid}`;

const CONTAINERS = `
const box = ramekin.recipe(
  ramekin.unshare("user", "mount", "pid", "uts"), ramekin.mapRoot(), ramekin.proc(),
  ramekin.tmpfs("/tmp"), ramekin.hostname("kitchen"), ramekin.setEnv({ SOUP: "leek" }),
);
const wait = ["-c", 'cd /tmp; echo ready; read line; :', "cook"];
const begin = (box) => box.command("sh", { args: wait, stdin: "piped", stdout: "piped" }).spawn();
const first = begin(box);
const second = begin(box.with(ramekin.init()));
for (const { stdout } of [first, second]) {
  const reader = stdout.getReader();
  await reader.read();
  reader.releaseLock();
}
console.log(first.pid, second.pid);
await Promise.all([first.status, second.status]);
`;

/** A script with two containers, the second with an init, and their pids. */
async function withContainers(
  body: (pids: readonly number[], script: number) => Promise<void>,
): Promise<void> {
  await using script = new Script(CONTAINERS);
  const { process } = script;
  const pids = (await readUntil(process.stdout, (text) => text.endsWith("\n"))).split(" ").map(
    Number,
  );
  try {
    await body(pids, process.pid);
  } finally {
    process.kill("SIGKILL");
    await process.stdout.cancel();
    await process.stderr.cancel();
    await process.status;
  }
}

async function containers(script: number): Promise<RunningContainer[]> {
  const { stdout } = await ramekin("ps", "--json");
  return JSON.parse(stdout).filter((container: RunningContainer) => container.script === script);
}

test("ps shows the containers of another script", () =>
  withContainers(async (pids, script) => {
    const found = await containers(script);
    assertEquals(found.map(({ pid }) => pid), pids.toSorted((a, b) => a - b));
    for (const { pid, name, command, namespaces, uptime } of found) {
      assertEquals(name, "sh");
      assertStringIncludes(command, "sh -c cd /tmp");
      assertEquals(Object.keys(namespaces).sort(), ["mount", "pid", "user", "uts"]);
      assertEquals(namespaces.uts, linux.namespaces(pid).uts);
      assert(uptime >= 0 && uptime < 600, String(uptime));
    }
    const { stdout } = await ramekin("ps");
    assertMatch(stdout, /^PID +NAME +UP +SCRIPT +NAMESPACES +CGROUP +COMMAND\n/);
    assertMatch(
      stdout,
      new RegExp(`^${pids[0]} +sh +\\d+s +${script} +user,mount,pid,uts +- +sh -c`, "m"),
    );
  }));

test("ps leaves out processes that are not containers", async () => {
  await using script = new Script(
    `await ramekin.recipe().command("true").output();
    const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
    console.log("ready");
    await child.status;`,
    ["--allow-ffi", "--allow-run"],
  );
  const { process } = script;
  await readUntil(process.stdout, (text) => text.includes("ready"));
  assertEquals(await containers(process.pid), []);
  const children = Deno.readTextFileSync(`/proc/${process.pid}/task/${process.pid}/children`);
  process.kill("SIGKILL");
  for (const pid of children.trim().split(" ")) Deno.kill(Number(pid), "SIGKILL");
  await process.stdout.cancel();
  await process.stderr.cancel();
  await process.status;
});

test("times have their two largest units", () => {
  assertEquals(
    [0.4, 59, 60, 3725, 90000, 86400].map(timeText),
    ["0s", "59s", "1m 0s", "1h 2m", "1d 1h", "1d 0h"],
  );
});

test("ls shows the namespaces of listNamespaces()", () =>
  withContainers(async ([pid]) => {
    const { uts } = linux.namespaces(pid);
    const { stdout } = await ramekin("ls");
    assertMatch(stdout, new RegExp(`^${uts} +uts +1 +${pid} +${Deno.uid()} +sh -c cd /tmp`, "m"));
    const listed = JSON.parse((await ramekin("ls", "--json")).stdout);
    const found = listed.find(({ id }: { id: number }) => id === uts);
    assertEquals([found.type, found.first.pid], ["uts", pid]);
  }));

test("ls --tree shows the owners of namespaces", () =>
  withContainers(async ([pid]) => {
    const { user, uts } = linux.namespaces(pid);
    const lines = (await ramekin("ls", "--tree")).stdout.split("\n");
    const at = lines.findIndex((line) => line.includes(`${user} `));
    const depth = (line: string) => line.search(/\d/);
    const below = lines.findIndex((line) => line.includes(`${uts} `));
    assert(at !== -1 && below > at, lines.join("\n"));
    assertEquals(depth(lines[below]!), depth(lines[at]!) + 2);
    const all = listNamespaces();
    assertEquals(treeOf(all).length, all.length);
  }));

test("enter runs a program in a container of another script", () =>
  withContainers(async (pids) => {
    for (const pid of pids) {
      const script = "hostname; id -u; pwd; echo $SOUP; cat /proc/1/comm; exit 7";
      const { code, stdout, stderr } = await ramekin(
        "enter",
        String(pid),
        "--",
        "sh",
        "-c",
        script,
      );
      assertEquals([code, stderr], [7, ""]);
      const first = pid === pids[0] ? "sh" : "init";
      assertEquals(stdout, `kitchen\n0\n/tmp\nleek\n${first}\n`);
    }
  }));

/** Runs commands of a shell in a container of another script while the body runs. */
async function withProgram(
  { program, init }: { readonly program: string; readonly init: boolean },
  body: () => Promise<void>,
): Promise<void> {
  await using script = new Script(`
    const box = ramekin.recipe(ramekin.unshare("user", "uts", "mount", "pid"), ramekin.mapRoot(),
      ramekin.hostname("pantry"), ramekin.proc(), ${init ? "ramekin.init()" : ""});
    const container = box.command("/bin/sh", {
      args: ["-c", ${JSON.stringify(`${program}; echo ready; read line`)}],
      stdin: "piped", stdout: "inherit" }).spawn();
    await container.status;`);
  const { process } = script;
  await readUntil(process.stdout, (text) => text.includes("ready"));
  try {
    await body();
  } finally {
    process.kill("SIGKILL");
    await process.stdout.cancel();
    await process.stderr.cancel();
    await process.status;
  }
}

for (const init of [false, true]) {
  const kind = init ? "with an init" : "without an init";
  test(`a container is entered by the name that its script gives, ${kind}`, () =>
    withProgram({ program: `printf ${COOK} > /proc/self/comm`, init }, async () => {
      const listed = JSON.parse((await ramekin("ps", "--json")).stdout) as RunningContainer[];
      assert(!listed.some(({ name }) => name === COOK));
      const { code, stderr } = await ramekin("enter", COOK, "--", "hostname");
      assertEquals(code, 125);
      assertStringIncludes(stderr, `no running container of yours has the name ${COOK}`);
    }));
}

test("enter finds a container by its name, if it is the only one", async () => {
  const directory = Deno.makeTempDirSync();
  Deno.chmodSync(directory, 0o755);
  Deno.symlinkSync("/bin/sh", `${directory}/${COOK}`);
  await using script = new Script(`
    const box = ramekin.recipe(ramekin.unshare("user", "uts"), ramekin.mapRoot(),
      ramekin.hostname("pantry"));
    const container = box.command("${directory}/${COOK}", {
      args: ["-c", "printf sh > /proc/self/comm; echo ready; read line"],
      stdin: "piped", stdout: "inherit" }).spawn();
    await container.status;`);
  const { process } = script;
  await readUntil(process.stdout, (text) => text.includes("ready"));
  assertEquals((await ramekin("enter", COOK, "--", "hostname")).stdout, "pantry\n");
  const missing = await ramekin("enter", `${COOK}x`, "--", "hostname");
  assertEquals(missing.code, 125);
  assertStringIncludes(missing.stderr, `did you mean ${COOK}?`);
  process.kill("SIGKILL");
  await process.stdout.cancel();
  await process.stderr.cancel();
  await process.status;
  Deno.removeSync(directory, { recursive: true });
});

test("enter reports a missing process", async () => {
  const { code, stderr } = await ramekin("enter", "99999999", "--", "true");
  assertEquals(code, 125);
  assertStringIncludes(stderr, "there is no process 99999999, or it has ended; ramekin ps lists");
});

test("a program that enters a sandbox has the same restrictions", async () => {
  await using script = new Script(`
    const container = ramekin.sandbox().command("sh", {
      args: ["-c", "echo ready; read line"], stdin: "piped", stdout: "inherit" }).spawn();
    console.log(container.pid);
    await container.status;`);
  const { process } = script;
  const text = await readUntil(process.stdout, (text) => /ready/.test(text) && /\d\n/.test(text));
  const pid = /\d+/.exec(text)![0];
  const status = "grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/self/status; ls /home";
  const { stdout } = await ramekin("enter", pid, "--", "sh", "-c", status);
  const none = "0".repeat(16);
  assertEquals(
    stdout,
    `CapEff:\t${none}\nCapBnd:\t${none}\nNoNewPrivs:\t1\nSeccomp:\t2\n`,
  );
  process.kill("SIGKILL");
  await process.stdout.cancel();
  await process.stderr.cancel();
  await process.status;
});

test("limits are read from the /proc files of a process", () => {
  const own = "CapBnd:\t0000000000000003\n";
  assertEquals(rootLimitsIn(own, own), []);
  assertEquals(rootLimitsIn(own.replace("3", "1"), own), [
    capabilities({ bounding: ["CAP_CHOWN"] }),
  ]);
  assertEquals(rootLimitsIn("CapBnd:\t0\n", own), [capabilities({ keep: [] })]);
  assertEquals(limitsIn("NoNewPrivs:\t0\nSeccomp:\t0\n"), []);
  assertEquals(limitsIn("Umask:\t0027\nNoNewPrivs:\t1\nSeccomp:\t2\n"), [
    umask(0o27),
    noNewPrivileges(),
    seccomp({ deny: ["@setuid-files", "@unix-sockets"] }),
  ]);
});
