/** Control groups: found in /proc, made, entered, frozen, emptied, and removed again. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { call, Named, Output, ResultOf, Slot } from "../../ffi/call.ts";
import { clone3 } from "../../ffi/calls/clone3.ts";
import { planCgroup } from "../../ffi/cgroups/plan.ts";
import { directoriesIn, pidsIn } from "../../ffi/cgroups/files.ts";
import { type CgroupEntry, closeCgroupEntry, Group } from "../../ffi/cgroups/group.ts";
import { hierarchies, parseHierarchies } from "../../ffi/cgroups/hierarchies.ts";
import {
  type GroupLimits,
  limitsIn,
  parseList,
  settingsOf1,
  settingsOf2,
} from "../../ffi/cgroups/limits.ts";
import { Locks } from "../../ffi/cgroups/locks.ts";
import { isScriptsName, newName, scriptsName, sweep } from "../../ffi/cgroups/naming.ts";
import { SyscallError, UnsupportedError } from "../../ffi/errors.ts";
import type { Memory } from "../../ffi/engine/memory.ts";
import { END, Label, type SyscallProgram } from "../../ffi/engine/program.ts";
import { notRoot } from "./linux_thread.ts";
import { CLONE_VFORK, CLONE_VM, exitCode, run, SIGCHLD, testWith, waitFor } from "./support.ts";

/** What is found, with the sets of controllers as text. */
function found(groups: string, mountinfo: string): unknown[] {
  return parseHierarchies(groups, mountinfo).map(({ version, controllers, top, own }) => ({
    version,
    controllers: [...controllers].sort().join(" "),
    top,
    own,
  }));
}

Deno.test("version 2 alone, with a group that systemd created", () => {
  const scope = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope";
  assertEquals(
    found(
      `0::${scope}\n`,
      "25 24 0:22 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate\n" +
        "26 24 0:23 / /proc rw - proc proc rw\n",
    ),
    [{ version: 2, controllers: "", top: "/sys/fs/cgroup", own: `/sys/fs/cgroup${scope}` }],
  );
});

Deno.test("version 1 and 2 together, with two controllers in one hierarchy", () => {
  assertEquals(
    found(
      "3:name=systemd:/a\n2:cpu,cpuacct:/a\n1:blkio,freezer:/\n0::/a\n",
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
        "33 31 0:30 / /sys/fs/cgroup/some\\040name rw master:9 - cgroup none rw,blkio,freezer\n" +
        "34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n" +
        "35 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
    ),
    [
      {
        version: 1,
        controllers: "cpu cpuacct",
        top: "/sys/fs/cgroup/cpu,cpuacct",
        own: "/sys/fs/cgroup/cpu,cpuacct/a",
      },
      {
        version: 1,
        controllers: "freezer io",
        top: "/sys/fs/cgroup/some name",
        own: "/sys/fs/cgroup/some name",
      },
      {
        version: 2,
        controllers: "",
        top: "/sys/fs/cgroup/unified",
        own: "/sys/fs/cgroup/unified/a",
      },
    ],
  );
});

Deno.test("a container that sees its own part of a hierarchy, and one whose part is not visible", () => {
  const mount = (root: string) => `32 31 0:29 ${root} /cg rw - cgroup cgroup rw,pids\n`;
  const pids = { version: 1, controllers: "pids", top: "/cg" };
  assertEquals(found("8:pids:/docker/1\n", mount("/docker/1")), [{ ...pids, own: "/cg" }]);
  assertEquals(found("8:pids:/docker/1/x\n", mount("/docker/1")), [{ ...pids, own: "/cg/x" }]);
  assertEquals(found("8:pids:/docker/12\n", mount("/docker/1")), []);
  assertEquals(found("8:pids:/\n", mount("/..")), []);
  assertEquals(found("8:pids:/../other\n", mount("/")), []);
  assertEquals(found("8:pids:/\n", mount("/..") + mount("/")), [{ ...pids, own: "/cg" }]);
});

Deno.test("limits, as the files of both versions have them", () => {
  const lines = (limits: GroupLimits, settings: typeof settingsOf1) =>
    limitsIn(limits).flatMap((limit) =>
      settings(limit, limits)?.map(({ file, value }) => `${file}: ${value}`) ?? [`no ${limit}`]
    );
  const limits: GroupLimits = {
    memory: 2 ** 26,
    memoryHigh: 2 ** 25,
    swap: 2 ** 20,
    cpus: 1.5,
    cpuWeight: 50,
    pids: 10,
    io: [{ device: "8:0", readBps: 1000, writeIops: Infinity }],
    cpuset: "0,1",
  };
  assertEquals(lines(limits, settingsOf2), [
    "memory.max: 67108864",
    "memory.high: 33554432",
    "memory.swap.max: 1048576",
    "cpu.max: 150000 100000",
    "cpu.weight: 50",
    "pids.max: 10",
    "io.max: 8:0 rbps=1000 wiops=max",
    "cpuset.cpus: 0,1",
  ]);
  assertEquals(lines(limits, settingsOf1), [
    "memory.limit_in_bytes: 67108864",
    "no memoryHigh",
    "memory.memsw.limit_in_bytes: 68157440",
    "cpu.cfs_period_us: 100000",
    "cpu.cfs_quota_us: 150000",
    "cpu.shares: 512",
    "pids.max: 10",
    "blkio.throttle.read_bps_device: 8:0 1000",
    "blkio.throttle.write_iops_device: 8:0 0",
    "cpuset.cpus: 0,1",
  ]);
  const none: GroupLimits = { memory: Infinity, swap: Infinity, cpus: Infinity, pids: Infinity };
  assertEquals(lines(none, settingsOf2), [
    "memory.max: max",
    "memory.swap.max: max",
    "cpu.max: max 100000",
    "pids.max: max",
  ]);
  assertEquals(lines(none, settingsOf1), [
    "memory.limit_in_bytes: -1",
    "memory.memsw.limit_in_bytes: -1",
    "cpu.cfs_period_us: 100000",
    "cpu.cfs_quota_us: -1",
    "pids.max: max",
  ]);
  assertEquals(lines({ swap: 5 }, settingsOf1), ["no swap"]);
  assertEquals([...parseList("0-2,5\n")], [0, 1, 2, 5]);
  assertEquals([...parseList("\n")], []);
});

Deno.test("the name of a group identifies its script", () => {
  assert(newName() !== newName());
  assert(!isScriptsName(newName()));
  assert(isScriptsName(scriptsName()));
  assertStringIncludes(newName(), `-${Deno.pid}-`);
});

/** Why no group can be made here, where none can. */
const noGroups = whyNot();

function whyNot(): string | undefined {
  try {
    planCgroup({});
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return "needs the right to create control groups";
    throw error;
  }
}

/** A group for a test; whatever becomes of that, it is emptied and removed. */
async function withGroup(body: (group: Group) => void | Promise<void>): Promise<void> {
  const group = Group.make(planCgroup({}));
  try {
    await body(group);
  } finally {
    while (!group.remove()) {
      group.kill();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  for (const { directory } of group.directories) assertEquals(exists(directory), false);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A child that gets into a group, writes a byte to nowhere, and ends with the code 7. */
function enter({ directory, files }: CgroupEntry): DataView {
  const group = new Slot("cgroup");
  const child = new Label("child"), pid = new Output(4, "&pid");
  const zero = new Uint8Array([48]);
  const flags = CLONE_VM | CLONE_VFORK;
  const cloned = directory === undefined
    ? call("clone", flags | 0x100000 | SIGCHLD, null, pid, 0, 0)
    : clone3(flags, pid, group);
  const text = new Output(4096, "&text");
  const bindings = {
    size: 0,
    write({ slots }: SyscallProgram, { view }: Memory) {
      for (const at of slots.get(group) ?? []) view.setBigInt64(at, BigInt(directory!.value), true);
    },
  };
  const opened = call("openat", -100, "/proc/self/cgroup", 0, 0);
  const fail = new Label("fail");
  const outcome = run([
    { call: cloned, onZero: child, onSuccess: END },
    child,
    ...files.map((file) => ({ call: call("write", file, zero, 1), onFailure: fail })),
    { call: opened },
    { call: call("read", new ResultOf(opened, "fd"), text, 4095) },
    { call: call("exit_group", 7) },
    fail,
    { call: call("exit_group", 8) },
  ], bindings);
  assertEquals(outcome.failed, undefined);
  assertEquals(exitCode(waitFor(outcome.output(pid).getInt32(0, true))), 7);
  return outcome.output(text);
}

/** The groups of a group's directories, as /proc/PID/cgroup names them. */
function namesIn(group: Group): string[] {
  return group.directories.map(({ directory }) => directory.slice(directory.lastIndexOf("/")));
}

testWith(noGroups, "a child enters a group by clone3, or by writing to its files", async () => {
  await withGroup((group) => {
    const inEach = (view: DataView) => {
      const text = new TextDecoder().decode(view);
      for (const name of namesIn(group)) assertStringIncludes(text, name);
      assertEquals(text.split(namesIn(group)[0]!).length - 1, group.directories.length);
    };
    const cgroupEntry = group.enter();
    inEach(enter(cgroupEntry));
    closeCgroupEntry(cgroupEntry);
    // As where there is no clone3(2).
    const files = group.directories.map(({ directory }) =>
      Deno.openSync(`${directory}/cgroup.procs`, {
        write: true,
      })
    );
    const fds = group.directories.map(({ directory }) =>
      new Named(Number(descriptorOf(`${directory}/cgroup.procs`)), "file")
    );
    inEach(enter({ directory: undefined, files: fds }));
    for (const file of files) file.close();
  });
});

/** The number of the descriptor that this process has of a file. */
function descriptorOf(path: string): string {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === path) return name;
    } catch {
      // That of the directory that is being read.
    }
  }
  throw new Error(`${path} is not open`);
}

/** Moves a process of the test into every directory of a group. */
function move(pid: number, group: Group): void {
  for (const { directory } of group.directories) {
    Deno.writeTextFileSync(`${directory}/cgroup.procs`, String(pid));
  }
}

testWith(noGroups, "a group is frozen, thawed, and killed with the groups below it", async () => {
  await withGroup(async (group) => {
    const child = new Deno.Command("sleep", { args: ["100"] }).spawn();
    move(child.pid, group);
    assertEquals(group.usage().pids ?? 1, 1);
    group.freeze(true);
    while (!group.frozen) await new Promise((resolve) => setTimeout(resolve, 1));
    group.freeze(false);
    while (group.frozen) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(group.remove(), false);
    // A group that the processes have made themselves, and moved to.
    const last = group.directories.at(-1)!.directory;
    Deno.mkdirSync(`${last}/inner`);
    Deno.writeTextFileSync(`${last}/inner/cgroup.procs`, String(child.pid));
    group.freeze(true);
    group.kill();
    assertEquals((await child.status).signal, "SIGKILL");
    assertEquals(group.outOfMemoryKills(), 0);
  });
});

testWith(noGroups, "a group is removed if its creation fails", () => {
  const design = planCgroup({});
  const { directory } = design.directories[0]!;
  const wrong = { file: `${directory}/cgroup.procs`, text: "nobody" };
  const error = assertThrows(
    () => Group.make({ ...design, actions: [...design.actions, wrong] }),
    SyscallError,
    `write("${directory}/cgroup.procs", "nobody") failed: EINVAL`,
  );
  assertEquals(error.code, "EINVAL");
  const missing = { file: `${directory}/memory.nothing`, text: "1" };
  assertThrows(
    () => Group.make({ ...design, actions: [...design.actions, missing] }),
    UnsupportedError,
    `there is no ${directory}/memory.nothing`,
  );
  for (const { directory } of design.directories) assertEquals(exists(directory), false);
});

testWith(
  noGroups,
  "what an ended script left behind is removed, and nothing else",
  async () => {
    await withGroup((group) => {
      const { directory } = group.directories[0]!;
      const [, pidNamespace, pid, started] = newName().split("-");
      const names = [
        `ramekin-${pidNamespace}-4194305-1-gone`,
        `ramekin-${pidNamespace}-${pid}-1-earlier`,
        `ramekin-1-4194305-1-elsewhere`,
        `ramekin-${pidNamespace}-${pid}-${started}-mine`,
        `ramekin-${pidNamespace}-${pid}-${started}-script`,
        `ramekin-1-4194305-1-locked`,
        `ramekins`,
      ];
      for (const name of names) Deno.mkdirSync(`${directory}/${name}`);
      Deno.mkdirSync(`${directory}/${names[0]}/below`);
      const locks = Locks.ofScript([`${directory}/ramekin-1-4194305-1-locked`]);
      const making = Locks.ofMaking([directory]);
      sweep(directory);
      assertEquals([...directoriesIn(directory)].sort(), names.slice(2).sort());
      making.release();
      sweep(directory);
      assertEquals([...directoriesIn(directory)].sort(), names.slice(3).sort());
      locks.release();
      sweep(directory);
      const left = names.slice(3).filter((name) => !name.endsWith("-locked"));
      assertEquals([...directoriesIn(directory)].sort(), left.sort());
      for (const name of directoriesIn(directory)) Deno.removeSync(`${directory}/${name}`);
      assertEquals(pidsIn(directory), []);
    });
  },
);

testWith(noGroups, "a group that is gone is not locked", async () => {
  const fds = () => [...Deno.readDirSync("/proc/self/fd")].length;
  await withGroup((group) => {
    const { directory } = group.directories[0]!;
    const before = fds();
    const locks = Locks.ofScript([`${directory}/gone`, directory]);
    assertEquals(fds(), before + 1);
    locks.release();
    assertEquals(fds(), before);
    assertEquals(Locks.ofLeft(`${directory}/gone`), undefined);
  });
});

testWith(noGroups, "a group is locked as long as its script has it", async () => {
  await withGroup((group) => {
    const paths = group.directories.map(({ directory }) => directory);
    assertEquals(paths.map((path) => Locks.ofLeft(path)), paths.map(() => undefined));
    group.leave();
    for (const path of paths) {
      using left = Locks.ofLeft(path);
      assert(left !== undefined, path);
    }
  });
});

testWith(
  noGroups === undefined || hierarchies().length === 0
    ? "needs a user who may not create groups"
    : undefined,
  "an error says why groups cannot be created, and what to do",
  () => {
    const error = assertThrows(() => planCgroup({}), UnsupportedError, "belongs to another user");
    assertStringIncludes(error.message, "a container cannot have a control group: in cgroup v");
    const limited = assertThrows(() => planCgroup({ pids: 5 }), UnsupportedError);
    assertStringIncludes(limited.message, '"pids" cannot be limited by the controller "pids"');
    assert(/systemd-run --user|root has to create/.test(limited.message), limited.message);
  },
);

const unified = hierarchies().find(({ version }) => version === 2);

testWith(
  notRoot ?? (unified === undefined ? "needs cgroup v2" : undefined),
  "a user creates groups below the one that was delegated",
  async () => {
    const directory = `${unified!.own}/delegated-${Deno.pid}`;
    Deno.mkdirSync(directory);
    for (const file of ["", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"]) {
      Deno.chownSync(directory + file, 65534, 65534);
    }
    const home = Deno.makeTempDirSync();
    Deno.chmodSync(home, 0o777);
    try {
      const module = (path: string) => JSON.stringify(import.meta.resolve(`../../${path}`));
      const script = `
        import { limits, mapRoot, recipe, unshare } from ${module("mod.ts")};
        const box = recipe(unshare("user", "pid", "cgroup"), limits({}), mapRoot());
        const container = box.command("sh", { args: ["-c", "cat /proc/self/cgroup; sleep 100 &"],
          stdout: "piped" }).spawn();
        const { code, stdout } = await container.output();
        const text = new TextDecoder().decode(stdout).trim().split("\\n").at(-1);
        console.log(code, text, container.usage().cpu > 0);`;
      Deno.writeTextFileSync(`${home}/script.ts`, script);
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: [
          "-c",
          `echo $$ > ${directory}/cgroup.procs; exec setpriv --reuid=65534 --regid=65534 ` +
          `--clear-groups ${Deno.execPath()} run --no-check --no-config -q --allow-ffi ` +
          `${home}/script.ts`,
        ],
        env: { HOME: home, DENO_DIR: home },
      }).output();
      assertEquals(new TextDecoder().decode(stderr), "");
      assertEquals([code, new TextDecoder().decode(stdout)], [0, "0 0::/ true\n"]);
      assertEquals(directoriesIn(directory), []);
    } finally {
      Deno.removeSync(directory);
      Deno.removeSync(home, { recursive: true });
    }
  },
);
