/**
 * A host that lacks descriptors, processes, namespaces, space on a filesystem, or system calls.
 * A launch that fails throws a typed error that says what is missing, and leaves nothing.
 */

import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  bind,
  capabilities,
  devices,
  init,
  limits,
  loopback,
  mapIds,
  mapRoot,
  maskPaths,
  mkdir,
  mknod,
  pivotRoot,
  proc,
  readonlyPaths,
  type Recipe,
  recipe,
  sandbox,
  seccomp,
  type SeccompProfile,
  type Step,
  symlink,
  SyscallError,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { decode, runScript } from "../other_scripts.ts";
import { notRoot, root, test } from "../support.ts";
import type { Ended } from "./constrained_script.ts";
import { note } from "./results.ts";
import { proof, triedShapes } from "./support.ts";

const PROJECT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** The arguments of Deno. */
function denoRun(script: string, ...args: string[]): string[] {
  const path = new URL(script, import.meta.url).pathname;
  return ["run", "-A", "--no-check", "--no-config", "--quiet", path, ...args];
}

/** The result of a run with some free descriptors; see descriptors_script.ts. */
interface DescriptorsLine {
  readonly free: number;
  readonly ended: string;
  readonly left: readonly string[];
}

async function withFewDescriptors(shape: string, ...how: string[]): Promise<DescriptorsLine[]> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", 'ulimit -n 200; exec "$@"', "sh", Deno.execPath()].concat(
      denoRun("descriptors_script.ts", shape, ...how),
    ),
    stdin: "null",
  }).output();
  const lines = decode(stdout).trim().split("\n").filter((line) => line !== "");
  assertEquals(code, 0, decode(stdout) + decode(stderr));
  return lines.map((line) => JSON.parse(line));
}

function checkDescriptors(shape: string, lines: readonly DescriptorsLine[]): void {
  note("descriptors", shape, {
    launches: lines.length,
    "typed errors": lines.filter(({ ended }) => ended.startsWith("SyscallError EMFILE")).length,
    "left behind": lines.flatMap(({ left }) => left).length,
  });
  for (const { free, ended, left } of lines) {
    assert(/^(0 out|SyscallError EMFILE true \w+)$/.test(ended), `${free} free: ${ended}`);
    assertEquals(left, [], `${free} free: ${ended}`);
  }
}

test("no descriptors are left, or some: a pipe of template commands", async () => {
  checkDescriptors("a pipe of template commands", await withFewDescriptors("templates", "warm"));
});

for (const [shape, { rootOnly }] of triedShapes()) {
  test(
    `no descriptors are left, or some: ${shape}`,
    async () => {
      const lines = await withFewDescriptors(shape, "warm");
      checkDescriptors(shape, lines);
      assertEquals(lines.length, 23);
      assertEquals(lines[0]!.ended.slice(0, 24), "SyscallError EMFILE true");
      assertEquals(lines.at(-1)!.ended, "0 out");
    },
    rootOnly && notRoot,
  );
}

test("no descriptors are left, or some, for the first launch of all", async () => {
  for (const shape of proof ? ["an init", "a terminal", "a terminal of its own"] : ["a terminal"]) {
    for (const first of proof ? [0, 3, 6, 9] : [0, 3]) {
      const counts = [first, first + 1, first + 2].map(String);
      const runs = await Promise.all(
        counts.map((count) => withFewDescriptors(shape, "cold", count)),
      );
      checkDescriptors(`${shape}, the first launch of all`, runs.flat());
    }
  }
});

/** Runs constrained_script.ts in a container; `shell` runs first. */
async function inside(
  name: string,
  outer: Recipe,
  shell: readonly string[] = [],
): Promise<Readonly<Record<string, Ended>>> {
  const [program, ...args] = [...shell, Deno.execPath(), ...denoRun("constrained_script.ts")];
  const { stdout, stderr } = await outer.command(program!, { args }).output();
  const text = decode(stdout);
  assert(text.startsWith("{"), text + decode(stderr));
  const { ended, left } = JSON.parse(text) as {
    ended: Readonly<Record<string, Ended>>;
    left: readonly string[];
  };
  const all = Object.values(ended);
  note("scarce", name, {
    launches: all.length,
    "typed errors": all.filter(({ error }) => error !== undefined).length,
    "left behind": left.length,
  });
  assertEquals(left, []);
  for (const { code, error, says } of all) {
    if (code === 0) continue;
    assert(error === "SyscallError" || error === "UnsupportedError", `${error}: ${says}`);
    assert(says !== "", `${error}: the error has no message`);
  }
  return ended;
}

const processes = root
  ? recipe(unshare("mount", "pid"), proc())
  : recipe(unshare("user", "mount", "pid"), mapRoot(), proc());

function without(syscalls: SeccompProfile["syscalls"]): Recipe {
  return processes.with(seccomp({ defaultAction: "SCMP_ACT_ALLOW", syscalls: syscalls! }));
}

/** Calls that older kernels lack: their version, and whether every launch needs them. */
const NEWER: readonly { call: string; since?: string; needed?: true }[] = [
  { call: "clone3" },
  { call: "openat2", since: "5.6" },
  { call: "open_tree", since: "5.2" },
  { call: "move_mount", since: "5.2" },
  { call: "mount_setattr", since: "5.12" },
  { call: "pidfd_open", since: "5.3", needed: true },
  { call: "close_range", since: "5.9", needed: true },
];

for (const { call, since, needed } of NEWER) {
  for (const errno of call === "clone3" ? ["ENOSYS"] : ["ENOSYS", "EPERM"]) {
    test(`${call} returns ${errno}, on an older kernel or by a filter`, async () => {
      const errnoRet = errno === "ENOSYS" ? 38 : 1;
      const ended = await inside(
        `${call} answers ${errno}`,
        without([{ names: [call], action: "SCMP_ACT_ERRNO", errnoRet }]),
      );
      // An unprivileged user may have no control group for a container.
      const failed = Object.entries(ended).filter(([name, { code, error }]) =>
        code !== 0 && !(name === "limits" && error === "UnsupportedError")
      );
      const wanted = since === undefined ? 0 : needed ? Object.keys(ended).length - 1 : 1;
      const names = failed.map(([name]) => name);
      assert(failed.length >= wanted && (wanted > 0 || failed.length === 0), names.join());
      for (const [name, end] of failed) {
        assertEquals([end.error, end.call, end.errno], ["SyscallError", call, errno], name);
        if (errno === "ENOSYS") assertStringIncludes(end.says!, `Linux ${since}`);
      }
    });
  }
}

/** The flags of the namespaces in `clone` and `unshare`. */
const NEW = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];

for (const call of ["clone", "unshare"]) {
  for (const errno of ["EPERM", "ENOSYS"]) {
    test(`a filter makes ${call} return ${errno} for namespaces`, async () => {
      const rules = NEW.map((flag) => ({
        names: [call],
        action: "SCMP_ACT_ERRNO" as const,
        errnoRet: errno === "EPERM" ? 1 : 38,
        args: [{ index: 0, value: flag, valueTwo: flag, op: "SCMP_CMP_MASKED_EQ" as const }],
      }));
      // Filters cannot read the flags of clone3(2), so a filter of flags denies clone3(2).
      const hidden = { names: ["clone3"], action: "SCMP_ACT_ERRNO" as const, errnoRet: 38 };
      const ended = await inside(
        `${call} for namespaces answers ${errno}`,
        without([...rules, hidden]),
      );
      assertEquals(ended.plain, { code: 0 });
      const end = call === "clone" ? ended.user! : ended.late!;
      assertEquals([end.error, end.call, end.errno], ["SyscallError", call, errno]);
      assertStringIncludes(end.says!, "seccomp filter");
    });
  }
}

/**
 * The file of each limit of namespaces, and the recipe of constrained_script.ts that reaches it.
 */
const MOST = {
  user: "user",
  mnt: "proc",
  pid: "init",
  uts: "names",
  ipc: "bind",
  net: "root",
  cgroup: "cgroup",
  time: "time",
} as const;

for (const [kind, name] of Object.entries(MOST)) {
  test(`the limit of ${kind} namespaces is 0`, async () => {
    const file = `/proc/sys/user/max_${kind}_namespaces`;
    const outer = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
    const shell = ["sh", "-c", 'echo 0 > "$1"; shift; exec "$@"', "sh", file];
    const ended = await inside(`no ${kind} namespaces`, outer, shell);
    const end = ended[name]!;
    assertEquals([end.error, end.errno], ["SyscallError", "ENOSPC"], JSON.stringify(end));
    assertStringIncludes(end.says!, `sysctl -w user.max_${kind}_namespaces`);
  });
}

const mounts = recipe(unshare("user", "mount", "pid"), mapRoot());

/** The masks of /proc in containers of other runtimes, and in those of sandbox(). */
const MASKED: Readonly<Record<string, Recipe>> = {
  "masked in part": mounts.with(
    proc(),
    maskPaths("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi"),
    readonlyPaths("/proc/sys", "/proc/bus", "/proc/fs"),
  ),
  "without sys/kernel": mounts.with(proc(), tmpfs("/proc/sys/kernel")),
  "without sys": mounts.with(proc(), tmpfs("/proc/sys")),
  "of a sandbox": recipe(
    ...sandbox({ read: [PROJECT, Deno.execPath()] }).steps.filter(({ step }) =>
      !["capabilities", "seccomp", "sysctl"].includes(step)
    ),
  ),
};

for (const [name, outer] of Object.entries(MASKED)) {
  test(`the /proc outside is one ${name}`, async () => {
    const ended = await inside(`/proc ${name}`, outer);
    const { error, errno, says } = ended.proc!;
    assertEquals([error, errno], ["SyscallError", "EPERM"], says);
    assertStringIncludes(says!, 'proc("/proc", { outer: true })');
    // A sandbox has no /mnt.
    const failed = Object.entries(ended).filter(([name, { code, errno }]) =>
      code !== 0 && errno !== "ENOENT" && name !== "proc" && name !== "limits"
    );
    assertEquals(failed, []);
  });
}

test("a script in a sandbox cannot make namespaces", async () => {
  const ended = await inside("a sandbox", sandbox({ read: [PROJECT, Deno.execPath()] }));
  assertEquals(ended.plain, { code: 0 });
  assertEquals(ended.user!.errno, "EPERM");
});

test("root lacks the capabilities for a map of root", async () => {
  const ended = await inside("no capabilities", processes.with(capabilities({ bounding: [] })));
  const { error, call, errno, says } = ended.user!;
  assertEquals([error, call, errno], ["SyscallError", "write", "EPERM"], says);
  assertStringIncludes(says!, "CAP_SETFCAP");
});

test("the filesystems of the host are read-only", async () => {
  const outer = mounts.with(
    bind("/", "/mnt", { readOnly: true }),
    proc("/mnt/proc"),
    pivotRoot("/mnt"),
  );
  const ended = await inside("everything can only be read", outer);
  const failed = Object.entries(ended).filter(([name, { code }]) =>
    code !== 0 && name !== "limits"
  );
  assertEquals(failed, []);
});

test("there is no /proc", async () => {
  const script = `
    import { recipe } from "${new URL("../../mod.ts", import.meta.url)}";
    try {
      recipe().command("true").outputSync();
    } catch (error) {
      console.log(error.name, error.message);
    }
  `;
  const { stdout, stderr } = await mounts.with(tmpfs("/proc")).command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-config", "--no-check", script],
  }).output();
  assertStringIncludes(decode(stdout), "UnsupportedError ", decode(stderr));
  assertStringIncludes(decode(stdout), "needs /proc");
});

/** The output of scripts for a process that could not be made. */
const DENIED = "SyscallError clone EAGAIN true\n";

test("the limit of processes of a user is reached", async () => {
  const { stdout, stderr, code } = await runScript(
    `
    const { recipe, unshare, mapRoot, init } = ramekin;
    const boxes = [recipe(), recipe(unshare("user", "pid"), mapRoot()),
      recipe(unshare("user", "pid"), mapRoot(), init())];
    // The script has more threads than the limit, so it can make no process. Neither can Deno, so
    // the script must not wait for anything that needs a new thread.
    ramekin.linux.prlimit(0, "NPROC", { soft: 1, hard: 1 });
    for (const box of boxes) {
      try {
        console.log(box.command("true").outputSync().code);
      } catch (error) {
        console.log(error.name, error.syscall, error.code, error.hint?.includes("ulimit -u"));
      }
    }
  `,
    ["-A"],
  );
  if (root) assertEquals(stdout, "0\n0\n0\n", stderr);
  else assertEquals(stdout.replaceAll("clone3", "clone"), DENIED.repeat(3), stderr);
  assertEquals(code, 0);
});

test("the limit of processes of the control group is reached", async () => {
  const { stdout, stderr } = await runScript(`
    const { recipe, unshare, limits, init } = ramekin;
    for (const pids of [1, 2]) {
      const box = recipe(unshare("pid"), limits({ pids }), init());
      try {
        console.log((await box.command("true").output()).code);
      } catch (error) {
        console.log(error.name, error.syscall, error.code, error.hint?.includes("cgroup"));
      }
    }
  `);
  assertEquals(stdout.replaceAll("clone3", "clone"), `${DENIED}0\n`, stderr);
}, notRoot);

const range = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 10 }];
const world = recipe(tmpfs("/tmp"), proc(), devices(), loopback());

/** Launches of several kinds, in a group with this memory limit. */
const LITTLE: Readonly<Record<string, (memory: number) => Recipe>> = {
  "no namespaces": (memory) => recipe(limits({ memory })),
  "all that there can be": (memory) =>
    recipe(unshare("mount", "pid", "net"), limits({ memory }), world, init()),
  "id maps from outside": (memory) =>
    recipe(
      unshare("user", "mount", "pid", "net"),
      mapIds({ uids: range, gids: range }),
      limits({ memory }),
      world,
    ),
};

for (const [name, box] of Object.entries(LITTLE)) {
  test(`the control group has too little memory for a launch: ${name}`, () => {
    let errors = 0;
    for (let memory = 4096; memory <= 2 ** 20; memory *= 2) {
      try {
        const { success, outOfMemory } = box(memory).command("true").outputSync();
        assert(success || outOfMemory === true, `${memory} bytes`);
        if (memory === 2 ** 20) assert(success);
      } catch (error) {
        errors++;
        assertInstanceOf(error, SyscallError, `${memory} bytes: ${error}`);
        assertStringIncludes(error.message, "memory", `${memory} bytes`);
      }
    }
    assert(errors > 0);
    note("scarce", `little memory, ${name}`, {
      launches: 9,
      "typed errors": errors,
      "left behind": 0,
    });
  }, notRoot);
}

const base = recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), init());

/** Steps that make files, on a filesystem that is full or read-only. */
const MAKERS: Readonly<Record<string, Step>> = {
  mkdir: mkdir("/mnt/directory"),
  symlink: symlink("target", "/mnt/link"),
  mknod: mknod("/mnt/pipe", { type: "p" }),
  writeFile: writeFile("/mnt/file", "x".repeat(100_000)),
  tmpfs: tmpfs("/mnt/place"),
};

for (const [name, step] of Object.entries(MAKERS)) {
  test(`the filesystem is full: ${name}`, () => {
    const options = name === "writeFile" ? { size: "4096" } : { options: "nr_inodes=1" };
    const box = base.with(tmpfs("/mnt", options), step);
    const error = assertThrowsOf(() => box.command("true").outputSync());
    assertInstanceOf(error, SyscallError);
    assertEquals([error.code, error.step], ["ENOSPC", name]);
    assertStringIncludes(error.hint ?? "", "full");
  });
}

function assertThrowsOf(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
