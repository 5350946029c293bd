/** The life of a container, as engines lead it: from an empty environment, by the installed command. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Output } from "../../ffi/call.ts";
import { close } from "../../ffi/calls/files.ts";
import { senderOutput } from "../../ffi/calls/sockets.ts";
import {
  bindUnix,
  receiveMessage,
  unixAddress,
  unixDatagramSocket,
} from "../../ffi/calls/unix_sockets.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { Kitchen, listed, noBusybox, noGroups, until } from "./support.ts";

test("a container is created, started, entered, killed and deleted", async () => {
  using kitchen = new Kitchen();
  kitchen.configure("echo $$ > /tmp/ran; exec sleep 1000");
  const id = kitchen.id();
  const pidFile = `${kitchen.directory}/pid`;
  // Its output is not read to the end: the container has it.
  const created = kitchen.start(
    "--cgroup-manager=disabled",
    "create",
    `--pid-file=${pidFile}`,
    id,
  );
  assertEquals((await created.status).code, 0);
  const pid = Number(Deno.readTextFileSync(pidFile));
  const state = async () => JSON.parse((await kitchen.call("state", id)).stdout);
  const { status, bundle, ...others } = await state();
  assertEquals([status, others.pid, others.id, bundle], ["created", pid, id, kitchen.bundle]);
  assertEquals(Array.from(Deno.readDirSync(kitchen.file("/tmp"))), []);
  // What waits is neither Deno nor the image's shell.
  const memory = /^VmRSS:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1];
  assert(Number(memory) <= 64, `${memory} kB`);
  assertEquals((await kitchen.bare("delete", `${id}x`)).code, 1);

  assertEquals(await kitchen.call("start", id), { code: 0, stdout: "", stderr: "" });
  assertEquals((await state()).status, "running");
  assertStringIncludes((await kitchen.call("start", id)).stderr, "already running");
  await until(() => Array.from(Deno.readDirSync(kitchen.file("/tmp"))).length > 0);
  assertEquals(Deno.readTextFileSync(kitchen.file("/tmp/ran")), "1\n");

  const entered = await kitchen.bare("exec", id, "sh", "-c", "hostname; exit 7");
  assertEquals(entered, { code: 7, stdout: "ramekin\n", stderr: "" });
  assertMatch((await kitchen.bare("delete", id)).stderr, /not stopped: running/);
  assertEquals((await kitchen.call("kill", id, "KILL")).code, 0);
  await until(async () => (await state()).status === "stopped");
  assertEquals((await state()).pid, 0);
  // Engines take these words for an end, and delete twice.
  assertStringIncludes((await kitchen.call("kill", id, "9")).stderr, "container not running");
  assertEquals((await kitchen.call("kill", "--all", id, "9")).code, 0);
  assertEquals(await kitchen.call("delete", id), { code: 0, stdout: "", stderr: "" });
  assertStringIncludes((await kitchen.call("delete", id)).stderr, "does not exist");
  assertEquals(await kitchen.call("delete", "--force", id), { code: 0, stdout: "", stderr: "" });
  assertEquals(Array.from(Deno.readDirSync(kitchen.state)), []);
}, noBusybox);

test("a program that cannot be run is found by create, in the words of engines", async () => {
  using kitchen = new Kitchen();
  const log = `${kitchen.directory}/log`;
  const cases = {
    "/nonesuch": 'exec: "/nonesuch": no such file or directory',
    nonesuch: 'exec: "nonesuch": executable file not found in $PATH',
    "/etc": 'exec: "/etc": permission denied',
    "/etc/passwd": 'exec: "/etc/passwd": permission denied',
  };
  for (const [program, words] of Object.entries(cases)) {
    kitchen.configure([program]);
    const answer = await kitchen.bare(
      "--log",
      log,
      "--log-format",
      "json",
      "create",
      kitchen.id(),
    );
    assertEquals(answer, { code: 1, stdout: "", stderr: `ramekin: ${words}\n` });
    const { level, msg, time } = JSON.parse(Deno.readTextFileSync(log));
    assertEquals([level, msg, Number.isNaN(Date.parse(time))], ["error", words, false]);
    Deno.removeSync(log);
  }
  assertEquals(Array.from(Deno.readDirSync(kitchen.state)), []);
}, noBusybox);

test("what is wrong leaves nothing, and is said in one line", async () => {
  using kitchen = new Kitchen();
  const refused = async (words: string, change: Parameters<Kitchen["configure"]>[1]) => {
    kitchen.configure("true", change);
    const { code, stdout, stderr } = await kitchen.bare("create", kitchen.id());
    assertEquals([code, stdout, stderr.split("\n").length], [1, "", 2], stderr);
    assertStringIncludes(stderr, words);
  };
  await refused("no such file or directory", (config) => config.root!.path = "missing");
  await refused("linux.intelRdt: it is not supported", (config) => config.linux.intelRdt = {});
  await refused("namespaces[0].type", (config) => config.linux.namespaces![0]!.type = "x");
  await refused("process.terminal: use --console-socket", ({ process }) => process.terminal = true);
  await refused(
    "process.oomScoreAdj: expected a whole number",
    ({ process }) => Object.assign(process, { oomScoreAdj: "5" }),
  );
  await refused(
    "bind",
    ({ mounts }) => mounts!.push({ destination: "/x", source: "/nonesuch", options: ["bind"] }),
  );
  await refused(
    'linux.cgroupsPath: "system.slice:x:y" is a unit of systemd',
    ({ linux }) => linux.cgroupsPath = "system.slice:x:y",
  );
  kitchen.configure("true");
  assertStringIncludes(
    (await kitchen.call("--systemd-cgroup", "create", kitchen.id())).stderr,
    "use --cgroup-manager=cgroupfs",
  );
  Deno.writeTextFileSync(`${kitchen.bundle}/config.json`, "{");
  assertStringIncludes((await kitchen.bare("create", kitchen.id())).stderr, "is not valid");
  assertEquals(Array.from(Deno.readDirSync(kitchen.state)), []);
  assertEquals((await kitchen.bare("create", "a/b")).code, 1);
  assertEquals((await kitchen.bare("--nonesuch")).code, 64);
  assertStringIncludes((await kitchen.bare("checkpoint", "x")).stderr, "not supported");
}, noBusybox);

test("a caller that waits in the way of systemd is told that the container is ready", async () => {
  // A path that is longer than the address of a socket.
  using kitchen = new Kitchen("state".repeat(25));
  const NOTIFY_SOCKET = `${kitchen.directory}/host`;
  const socket = syscall(unixDatagramSocket());
  try {
    syscall(bindUnix(socket, unixAddress(NOTIFY_SOCKET)));
    for (const name of ["ln", "logger"]) Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
    // logger(1) sends datagrams; of its lines, nothing but that it is ready is passed on.
    const send = `ln -s $NOTIFY_SOCKET /dev/log; logger "MAINPID=1\nREADY=1"`;
    kitchen.configure(`${send}; exit 3`);
    const env = { NOTIFY_SOCKET };
    const words = ["--cgroup-manager=disabled", "run"];
    const ran = await kitchen.callWith({ env }, ...words, kitchen.id());
    assertEquals([ran.code, ran.stderr, messageAt(socket)], [3, "", "READY=1"]);

    kitchen.configure(`${send}; exec sleep 1000`);
    const id = kitchen.id();
    assertEquals((await kitchen.startWith(env, ...words.with(1, "create"), id).status).code, 0);
    assertEquals((await kitchen.callWith({ env }, "start", id)).code, 0);
    const { pid } = JSON.parse((await kitchen.call("state", id)).stdout);
    assertEquals(messageAt(socket), `MAINPID=${pid}\nREADY=1`);
  } finally {
    syscall(close(socket));
  }
}, noBusybox);

/** Takes a message that has come. */
function messageAt(socket: number): string {
  const data = new Output(256);
  const call = receiveMessage(socket, data, senderOutput());
  const outcome = syscalls([{ call }]);
  const { buffer, byteOffset } = outcome.output(data);
  return decode(new Uint8Array(buffer, byteOffset, Number(outcome.result(call))));
}

test("control groups limit, freeze, and are removed", async () => {
  using kitchen = new Kitchen();
  kitchen.configure("sleep 1000 & sleep 1000", ({ linux }) => {
    linux.resources = { pids: { limit: 20 } };
  });
  const id = kitchen.id();
  assertEquals((await kitchen.start("create", id).status).code, 0);
  const groups = Deno.readTextFileSync(`${kitchen.state}/${id}/cgroups`).trim().split("\n");
  const limit = groups.map((group) => `${group}/pids.max`).find((file) => {
    try {
      return Deno.statSync(file).isFile;
    } catch {
      return false;
    }
  })!;
  assertEquals(Deno.readTextFileSync(limit), "20\n");
  assertEquals((await kitchen.call("update", "--pids-limit", "30", id)).code, 0);
  assertEquals(Deno.readTextFileSync(limit), "30\n");
  await kitchen.call("start", id);
  const pids = async () => JSON.parse((await kitchen.call("ps", "--format", "json", id)).stdout);
  await until(async () => (await pids()).length >= 2);
  assertEquals((await kitchen.call("pause", id)).code, 0);
  assertEquals(JSON.parse((await kitchen.call("state", id)).stdout).status, "paused");
  assertEquals((await kitchen.call("exec", id, "true")).code, 255);
  // Version 1 lets nothing die that is frozen.
  assertEquals(await kitchen.call("delete", "--force", id), { code: 0, stdout: "", stderr: "" });
  for (const group of groups) assertEquals(existing(group), false, group);

  kitchen.configure("true");
  const short = kitchen.id();
  assertEquals((await kitchen.start("create", short).status).code, 0);
  const made = Deno.readTextFileSync(`${kitchen.state}/${short}/cgroups`).trim().split("\n");
  assertEquals((await kitchen.call("start", short)).code, 0);
  const status = async () => JSON.parse((await kitchen.call("state", short)).stdout).status;
  await until(async () => await status() === "stopped");
  assertEquals(await kitchen.call("delete", short), { code: 0, stdout: "", stderr: "" });
  assertEquals([made.filter(existing), listed(kitchen.state)], [[], []]);
}, noGroups ?? noBusybox);

function existing(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

test("a runtime that is killed leaves what delete --force takes away", async () => {
  using kitchen = new Kitchen();
  kitchen.configure("exec sleep 1000");
  for (const delay of [20, 60, 90, 120, 150]) {
    const id = kitchen.id();
    const words = noGroups === undefined
      ? ["create", id]
      : ["--cgroup-manager=disabled", "create", id];
    const creating = kitchen.start(...words);
    await new Promise((resolve) => setTimeout(resolve, delay));
    try {
      creating.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await creating.status;
    assertEquals((await kitchen.call("delete", "--force", id)).code, 0);
  }
  assertEquals(listed(kitchen.state), []);
}, noBusybox);
