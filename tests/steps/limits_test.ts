/** The step `limits`, and the methods of a container with it. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { planCgroup } from "../../ffi/cgroups/plan.ts";
import { type Controller, hierarchies, parseHierarchies } from "../../ffi/cgroups/hierarchies.ts";
import type { GroupLimits } from "../../ffi/cgroups/limits.ts";
import {
  type Container,
  init,
  joinCgroup,
  type Limits,
  limits,
  mapIds,
  mapRoot,
  mkdir,
  proc,
  type Recipe,
  recipe,
  RecipeError,
  SyscallError,
  tmpfs,
  unmount,
  unshare,
  UnsupportedError,
  writeFile,
} from "../../mod.ts";
import { decode, isAlive, runScript, until } from "../other_scripts.ts";
import { withTime } from "../rounds.ts";
import { printed } from "../launch/started_script.ts";
import { assertRefused, inside, notRoot, root, test } from "../support.ts";

/** Returns why these limits cannot be set here; `undefined` if they can. */
function lacks(limits: GroupLimits = {}): string | undefined {
  try {
    planCgroup(limits);
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    const names = Object.keys(limits);
    return names.length === 0 ? "needs a control group" : `needs to limit ${names.join(", ")}`;
  }
}

/** A pid namespace, so that no process outlives a test. */
const mounts = root ? recipe(unshare("pid")) : recipe(unshare("user", "pid"), mapRoot());

/** Shell commands in a container. */
function shell(box: Recipe, script: string) {
  return box.command("sh", { args: ["-c", script], stdout: "piped", stderr: "piped" });
}

/** A file of the running container's group, in the hierarchy of a controller. */
function groupFile(container: Container, controller: Controller, file: string): string {
  const groups = parseHierarchies(
    Deno.readTextFileSync(`/proc/${container.pid}/cgroup`),
    Deno.readTextFileSync("/proc/self/mountinfo"),
  );
  const place = groups.find(({ controllers }) => controllers.has(controller)) ??
    groups.find(({ version }) => version === 2)!;
  return Deno.readTextFileSync(`${place.own}/${file}`).trim();
}

/** Whether a controller is in a hierarchy of version 1 here. */
/** The directory of this process's group. */
function ownIn(controller: Controller): string {
  return hierarchies().find(({ controllers }) => controllers.has(controller))!.own;
}

function isOld(controller: Controller): boolean {
  return hierarchies().some(({ version, controllers }) =>
    version === 1 && controllers.has(controller)
  );
}

test("invalid limits are refused with the field and the expected value", () => {
  const nonsense: [Record<string, unknown>, string][] = [
    [
      { memory: "64 m" },
      '"memory": should be a number of bytes from 1 on, or a string with a unit',
    ],
    [{ memory: "64mb" }, 'not "64mb"'],
    [{ memory: -1 }, "not -1"],
    [{ memory: 1.5 }, "not 1.5"],
    [{ memory: NaN }, "not NaN"],
    [{ memory: "99999999t" }, 'not "99999999t"'],
    [{ memory: true }, "not true"],
    [{ memory: ["64m"] }, "should be a number of bytes"],
    [{ swap: {} }, '"swap": should be a number of bytes'],
    [{ cpus: 0 }, '"cpus": should be a number of processors from 0.01 on'],
    [{ cpus: "2" }, 'not "2"'],
    [{ cpuWeight: 0 }, '"cpuWeight": 0 is not a whole number from 1 to 10000'],
    [{ pids: 0 }, '"pids": should be a whole number'],
    [{ pids: 1.5 }, "not 1.5"],
    [{ cpuset: "" }, '"cpuset": is empty'],
    [{ cpuset: "1-0" }, 'should be a list of processors: "0-1,3", not "1-0"'],
    [{ cpuset: "a" }, 'not "a"'],
    [{ io: {} }, '"io": should be a list'],
    [{ io: [{ readBps: 1 }] }, '"device" is missing'],
    [{ io: [{ device: "sda" }] }, 'should be a block device: "/dev/sda" or "8:0"'],
    [{ io: [{ device: "8:0", readBps: "fast" }] }, '"readBps" should be a number of bytes'],
    [{ memry: 1 }, 'did you mean "memory"?'],
  ];
  for (const [fields, says] of nonsense) {
    assertRefused(() => recipe(limits(fields as Limits)), { step: "limits", at: 0, says });
  }
  const device = (device: string) => recipe(limits({ io: [{ device, readBps: 1 }] }));
  assertRefused(() => device("/dev/null"), { says: "/dev/null is not a block device" });
  assertRefused(() => device("/dev/none"), { says: "/dev/none cannot be found: ENOENT" });
  assertRefused(() => recipe(limits({}), limits({})), { at: 1, says: "limits() can be used once" });
});

test("without the step, a container has no control group", async () => {
  await using container = mounts.command("sleep", { args: ["100"] }).spawn();
  assertThrows(() => container.usage(), TypeError, "the step limits({}) gives it one");
  assertThrows(() => container.update({ pids: 1 }), TypeError, "limits({})");
  assertThrows(() => container.resume(), TypeError, "limits({})");
  await assertRejects(() => container.pause(), TypeError, "limits({})");
});

test("the error of a user who may not set limits has the step and a fix", () => {
  const box = mounts.with(limits({ pids: 5 }));
  const error = assertThrows(() => box.command("true").outputSync(), UnsupportedError);
  assertStringIncludes(
    error.message,
    `step ${box.steps.length} (limits): "pids" cannot be limited`,
  );
  assert(/Delegate=yes|give it to (a|the) user \(chown\)/.test(error.message), error.message);
  assertThrows(() => box.plan(), UnsupportedError, "(limits)");
}, lacks({ pids: 5 }) === undefined ? "the user may limit here" : undefined);

test("a limit that the version of control groups does not know is refused", () => {
  const refusal = (fields: Limits) =>
    assertThrows(() => mounts.with(limits(fields)).command("true").outputSync(), UnsupportedError)
      .message;
  assertStringIncludes(refusal({ memoryHigh: "1m" }), "cgroup v1 here, which has no such limit");
  assertStringIncludes(refusal({ swap: 0 }), 'the sum of memory and swap; give "memory" too');
}, lacks({ memory: 1 }) ?? (isOld("memory") ? undefined : "needs cgroup v1"));

test("the plan shows the calls that make the group, and how the container enters it", () => {
  const plan = mounts.with(limits({ pids: 7 })).plan().toString();
  assertStringIncludes(plan, "limits\n    script: ");
  assertStringIncludes(plan, "script: mkdirat(");
  assertStringIncludes(plan, '/pids.max", O_WRONLY|O_CLOEXEC');
  assertStringIncludes(plan, 'script: write(fd, "7", 1)');
  assert(plan.includes("CLONE_INTO_CGROUP") || plan.includes('/tasks, "0", 1)'));
}, lacks({ pids: 7 }));

test("a group of version 1 is entered without the lock of all forks", () => {
  const plan = mounts.with(joinCgroup(ownIn("pids"))).plan().toString();
  assertStringIncludes(plan, `script: openat2(AT_FDCWD, "${ownIn("pids")}/tasks", {O_WRONLY`);
}, isOld("pids") ? undefined : "needs cgroup v1");

test("a program that exceeds the memory limit is killed, and the status says so", async () => {
  const eat = ["-c", "x=$(head -c 50000000 /dev/zero | tr '\\0' x); echo survived"];
  const box = mounts.with(limits({ memory: "32m", ...(swapIsCounted() ? { swap: 0 } : {}) }));
  const container = box.command("sh", { args: eat, stdout: "piped", stderr: "null" }).spawn();
  const { outOfMemory, success, stdout } = await container.output();
  assertEquals([outOfMemory, success, decode(stdout)], [true, false, ""]);
  const { memoryPeak } = container.usage();
  if (memoryPeak !== undefined) assert(memoryPeak > 16e6 && memoryPeak <= 32 * 2 ** 20);
  assertEquals(box.command("sh", { args: eat }).outputSync().outOfMemory, true);
  assertEquals(box.command("true").outputSync().outOfMemory, false);
}, lacks({ memory: 1 }));

test("a fork bomb stops at the limit of processes", () => {
  const script = "i=0; while [ $i -lt 100 ]; do sleep 100 & i=$((i+1)); done; echo all";
  const { success, stdout, stderr } = shell(mounts.with(limits({ pids: 10 })), script).outputSync();
  assertEquals([success, decode(stdout)], [false, ""]);
  assert(/fork|unavailable/i.test(decode(stderr)), decode(stderr));
}, lacks({ pids: 10 }));

test("a container with too little memory for its launch fails", () => {
  const box = mounts.with(init(), limits({ pids: 1 }));
  const error = assertThrows(() => box.command("true").outputSync(), SyscallError, "EAGAIN");
  assertStringIncludes(error.message, "the limit of processes is reached");
}, lacks({ pids: 1 }));

test("the limit of processor time is not exceeded", async () => {
  const box = mounts.with(limits({ cpus: 0.05, cpuWeight: 50 }));
  await using container = shell(box, "while :; do :; done").spawn();
  const [quota, period] = isOld("cpu")
    ? ["cpu.cfs_quota_us", "cpu.cfs_period_us"].map((file) => groupFile(container, "cpu", file))
    : groupFile(container, "cpu", "cpu.max").split(" ");
  assertEquals([quota, period], ["5000", "100000"]);
  const weight = groupFile(container, "cpu", isOld("cpu") ? "cpu.shares" : "cpu.weight");
  assertEquals(weight, isOld("cpu") ? "512" : "50");
  await until(() => /^nr_throttled [1-9]/m.test(groupFile(container, "cpu", "cpu.stat")));
  assert(container.usage().cpu! > 0);
}, lacks({ cpus: 0.05, cpuWeight: 50 }));

test("the program runs on the processors of the set", () => {
  const box = mounts.with(limits({ cpuset: "0" }));
  assertEquals(
    inside(box, "grep Cpus_allowed_list /proc/self/status").split(/\s+/)[1],
    "0",
  );
  const error = assertThrows(
    () => mounts.with(limits({ cpuset: "0,4000" })).command("true").outputSync(),
    UnsupportedError,
  );
  assertStringIncludes(error.message, "there is no processor 4000, only 0");
}, lacks({ cpuset: "0" }));

test("a container with processors of its own runs on all of them", () => {
  const [own, programs] = printed(
    `const list = "grep Cpus_allowed_list /proc/self/status";
     const { stdout } = new Deno.Command("sh", { args: ["-c", list] }).outputSync();
     const box = recipe(ramekin.limits({ cpuset: "0,1" }));
     print(new TextDecoder().decode(stdout) + inside(box, list))`,
    { by: "taskset -c 0" },
  ).trim().split("\n").map((line) => line.split("\t")[1]);
  assertEquals([own, programs], ["0", "0-1"]);
}, lacks({ cpuset: "0,1" }));

/** Returns a whole disk of this machine. */
function disk(): string | undefined {
  for (const { name } of Deno.readDirSync("/sys/block")) {
    if (/^(vd|sd|nvme|xvd|zram)/.test(name)) {
      return Deno.readTextFileSync(`/sys/block/${name}/dev`).trim();
    }
  }
  return undefined;
}

test("a block device is limited", async () => {
  const device = disk()!;
  const box = mounts.with(limits({ io: [{ device, readBps: "1m", writeIops: 100 }] }));
  await using container = box.command("sleep", { args: ["100"] }).spawn();
  if (isOld("io")) {
    const file = (name: string) => groupFile(container, "io", `blkio.throttle.${name}_device`);
    assertEquals(file("read_bps"), `${device} 1048576`);
    assertEquals(file("write_iops"), `${device} 100`);
  } else {
    const line = `${device} rbps=1048576 wbps=max riops=max wiops=100`;
    assertEquals(groupFile(container, "io", "io.max"), line);
  }
  assert(container.usage().ioRead !== undefined);
}, disk() === undefined ? "needs a disk" : lacks({ io: [{ device: disk()!, readBps: 1 }] }));

test("a missing block device is reported with its path", () => {
  const box = mounts.with(limits({ io: [{ device: "4000:1", readBps: 1 }] }));
  const error = assertThrows(() => box.command("true").outputSync(), SyscallError, "4000:1");
  assertEquals([error.step, error.code], ["limits", "ENODEV"]);
  assertStringIncludes(error.message, "there is no such block device");
}, lacks({ io: [{ device: "4000:1", readBps: 1 }] }));

test("the container sees its own group as the root, whatever the position of the step", () => {
  const kinds = unshare(...(root ? [] : ["user" as const]), "mount", "pid", "cgroup");
  const maps = root ? [] : [mapRoot()];
  const boxes = [
    recipe(limits({}), kinds, ...maps),
    recipe(kinds, ...maps, limits({})),
    recipe(kinds, ...maps, proc(), limits({}), init()),
    recipe(unshare("user"), mapRoot(), limits({}), unshare("cgroup", "pid")),
  ];
  for (const box of boxes) {
    const groups = inside(box, "cat /proc/self/cgroup").split("\n");
    for (const line of groups) assert(line.endsWith(":/"), line);
  }
  const outer = inside(recipe(limits({})), "cat /proc/self/cgroup");
  assertStringIncludes(outer, "/ramekin-");
}, lacks());

test("a container is paused, and is killed or resumed then", async () => {
  const ticking = shell(mounts.with(limits({})), "while :; do echo .; sleep 0.01; done");
  await using container = ticking.spawn();
  await container.pause();
  await container.pause();
  // The kernel reports a process as frozen shortly before it stops.
  const state = () => Deno.readTextFileSync(`/proc/${container.pid}/stat`).split(") ")[1]![0];
  await until(() => state() !== "R");
  const { cpu } = container.usage();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(container.usage().cpu, cpu);
  container.resume();
  await until(() => container.usage().cpu! > cpu!);
  await container.pause();
  container.kill("SIGKILL");
  assertEquals((await container.status).signal, "SIGKILL");
  await assertRejects(() => container.pause(), TypeError, "has ended already");
  assertThrows(() => container.update({}), TypeError, "has ended already");
  assert(container.usage().cpu! > 0);
  const pausedInTime = async (timeout: number) => {
    await using timed = mounts.with(limits({})).command("sleep", { args: ["100"], timeout })
      .spawn();
    try {
      await timed.pause();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return undefined;
    }
    return (await timed.status).timedOut;
  };
  assertEquals(await withTime(200, pausedInTime, (paused) => paused !== undefined), true);
}, lacks());

test("limits are changed while the container runs", async () => {
  const box = mounts.with(limits({ pids: 5, memory: "64m" }));
  await using container = box.command("sleep", { args: ["100"] }).spawn();
  const memory = isOld("memory") ? "memory.limit_in_bytes" : "memory.max";
  assertEquals(groupFile(container, "memory", memory), String(64 * 2 ** 20));
  container.update({ pids: 9, memory: "128m" });
  assertEquals(groupFile(container, "pids", "pids.max"), "9");
  assertEquals(groupFile(container, "memory", memory), String(128 * 2 ** 20));
  container.update({ pids: "unlimited" });
  assertEquals(groupFile(container, "pids", "pids.max"), "max");
  assertThrows(() => container.update({ pids: -1 }), RecipeError, 'the limit "pids" should be');
  assertThrows(
    () => container.update({ io: [{ device: "/dev/null" }] }),
    RecipeError,
    "/dev/null is not a block device",
  );
  assertEquals(container.usage().pids, 1);
}, lacks({ pids: 5, memory: 1 }));

test("memory and swap change together, in the order that the kernel requires", async () => {
  const box = mounts.with(limits({ memory: "32m", swap: "32m" }));
  await using container = box.command("sleep", { args: ["100"] }).spawn();
  const files = isOld("memory")
    ? ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
    : ["memory.max", "memory.swap.max"];
  const values = () => files.map((file) => Number(groupFile(container, "memory", file)) / 2 ** 20);
  // Version 1 has the sum.
  const expected = (
    memory: number,
    swap: number,
  ) => [memory, isOld("memory") ? memory + swap : swap];
  assertEquals(values(), expected(32, 32));
  container.update({ memory: "128m" });
  assertEquals(values(), expected(128, 32));
  container.update({ memory: "16m", swap: "8m" });
  assertEquals(values(), expected(16, 8));
  container.update({ swap: "unlimited" });
  assertEquals(container.usage().pids, 1);
}, lacks({ memory: 1, swap: 1 }) ?? (swapIsCounted() ? undefined : "needs swap to be counted"));

/** Whether control groups account swap here. */
function swapIsCounted(): boolean {
  const place = hierarchies().find(({ controllers }) => controllers.has("memory"));
  if (place === undefined) return true;
  try {
    Deno.statSync(`${place.own}/memory.memsw.limit_in_bytes`);
    return true;
  } catch {
    return false;
  }
}

test("a limit below the present usage is refused, and no process is killed", async () => {
  const script = "x=$(head -c 30000000 /dev/zero | tr '\\0' x); echo filled; sleep 100";
  const box = mounts.with(limits({ memory: "256m", ...(swapIsCounted() ? { swap: 0 } : {}) }));
  await using container = shell(box, script).spawn();
  const reader = container.stdout.getReader();
  assertEquals(decode((await reader.read()).value!), "filled\n");
  const error = assertThrows(() => container.update({ memory: "4m" }), SyscallError, "EBUSY");
  assertStringIncludes(error.message, "more than that is in use");
  assert(isAlive(container.pid));
  await reader.cancel();
}, lacks({ memory: 1 }));

test(
  "remaining processes are killed, and the group and its children are removed",
  async () => {
    const box = recipe(limits({}));
    const script = "sleep 1000 & echo $!; sleep 1000 & echo $!";
    const pids = decode(shell(box, script).outputSync().stdout).trim().split("\n").map(Number);
    assertEquals(pids.length, 2);
    for (const pid of pids) await until(() => !isAlive(pid));
    const container = shell(box, script).spawn();
    const { stdout } = await container.output();
    for (const pid of decode(stdout).trim().split("\n").map(Number)) {
      await until(() => !isAlive(pid));
    }
  },
  lacks(),
);

test("a launch that fails at any step leaves no group", () => {
  const box = mounts.with(limits({ pids: 10 }));
  assertThrows(() => box.command("/none").outputSync(), Deno.errors.NotFound);
  assertThrows(
    () => box.command("true", { cwd: "/none" }).outputSync(),
    SyscallError,
    "does not exist",
  );
  const tiny = recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    limits({ memory: 4096 }),
    tmpfs("/tmp"),
  )
    .with(...Array.from({ length: 100 }, (_, index) => mkdir(`/tmp/${index}`)));
  assertThrows(() => tiny.command("true").outputSync(), SyscallError);
}, lacks({ pids: 10, memory: 4096 }));

test("a script is not killed with a container that lacks memory during the launch", async () => {
  const { code, stdout, stderr } = await runScript(`
    const { limits, mapIds, mkdir, recipe, tmpfs, unshare } = ramekin;
    const ids = [{ inside: 0, outside: 0, count: 10 }];
    const many = Array.from({ length: 300 }, (_, index) => mkdir("/tmp/" + index));
    for (const memory of ["64k", "256k", "512k", "64m"]) {
      const box = recipe(unshare("user", "mount", "pid"), mapIds({ uids: ids, gids: ids }),
        limits({ memory }), tmpfs("/tmp"), ...many);
      try {
        console.log(box.command("true", { args: ["x".repeat(1e5), "x".repeat(1e5)] }).outputSync().code);
      } catch (error) {
        console.log(error.name);
      }
    }`);
  assertEquals(stderr, "");
  assertEquals(code, 0);
  assertEquals(stdout.trim().split("\n").at(-1), "0");
}, notRoot ?? lacks({ memory: 65536 }));

test("a container with sync points is in its group from the start", () => {
  const ids = [{ inside: 0, outside: 0, count: 1000 }];
  const box = recipe(
    limits({ pids: 20 }),
    unshare("user", "mount", "pid", "cgroup"),
    mapIds({ uids: ids, gids: ids }),
    tmpfs("/tmp"),
    writeFile("/tmp/mine", "text"),
    init(),
  );
  const groups = inside(box, "cat /proc/self/cgroup; cat /tmp/mine");
  assertStringIncludes(groups, "text");
  for (const line of groups.split("\n").slice(0, -1)) assert(line.endsWith(":/"), line);
}, notRoot ?? lacks({ pids: 20 }));

test("the next script removes the groups of a killed script", async () => {
  const code = `
    const container = ramekin.recipe(ramekin.unshare("pid"), ramekin.limits({}))
      .command("sleep", { args: ["1000"] }).spawn();
    console.log(Deno.pid);
    Deno.kill(Deno.pid, "SIGKILL");
    await container.status;`;
  const pid = Number((await runScript(code)).stdout);
  // A script in a group of its own makes groups beside it.
  const left = () =>
    hierarchies().flatMap(({ own }) => own.endsWith("-script") ? [own, `${own}/..`] : [own])
      .flatMap((directory) => [...Deno.readDirSync(directory)].map(({ name }) => name))
      .filter((name) => name.includes(`-${pid}-`));
  assert(left().length > 0);
  // Its container ends shortly after it.
  const next = `ramekin.recipe(ramekin.limits({})).command("true").outputSync();`;
  for (let attempt = 0; attempt < 100 && left().length > 0; attempt++) {
    assertEquals((await runScript(next)).code, 0);
  }
  assertEquals(left(), []);
}, notRoot ?? lacks());

const both = hierarchies().some(({ version }) => version === 1) &&
  hierarchies().some(({ version }) => version === 2);

test("version 1 alone can limit, freeze and kill too", async () => {
  const unified = hierarchies().find(({ version }) => version === 2)!;
  const directory = Deno.makeTempDirSync();
  try {
    const script = `
      import { limits, recipe, unshare } from ${
      JSON.stringify(import.meta.resolve("../../mod.ts"))
    };
      const box = recipe(unshare("pid", "cgroup"), limits({ pids: 20 }));
      console.log(box.plan().toString().includes("CLONE_INTO_CGROUP"));
      const { stdout } = box.command("sh", { args: ["-c", "grep pids /proc/self/cgroup"] }).outputSync();
      console.log(new TextDecoder().decode(stdout).trim().split(":").at(-1));
      const container = box.command("sleep", { args: ["1000"] }).spawn();
      await container.pause();
      container.kill("SIGKILL");
      console.log((await container.status).signal);
      const left = recipe(limits({})).command("sh", { args: ["-c", "sleep 1000 & echo $!"] });
      const pid = new TextDecoder().decode(left.outputSync().stdout).trim();
      try {
        console.log((await Deno.readTextFile("/proc/" + pid + "/status")).match(/State:.(.)/)[1]);
      } catch {
        console.log("Z");
      }`;
    Deno.writeTextFileSync(`${directory}/script.ts`, script);
    const flags = ["run", "--no-check", "--no-config", "-q", "-A", `${directory}/script.ts`];
    const box = recipe(unshare("mount"), unmount(unified.top, { detach: true }));
    const { stdout, stderr } = await box.command(Deno.execPath(), { args: flags }).output();
    assertEquals(decode(stderr), "");
    assertEquals(decode(stdout), "false\n/\nSIGKILL\nZ\n");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}, notRoot ?? (both ? lacks({ pids: 20 }) : "needs both versions of control groups"));
