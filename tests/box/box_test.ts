/** Boxes: what they run, how they end, what they take over from their callers. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { buildBox } from "../../box/mod.ts";
import { atLeast } from "../../host/host.ts";
import { liveHost } from "../../host/live_host.ts";
import {
  bind,
  chroot,
  clearEnv,
  devices,
  init,
  join,
  linux,
  mapRoot,
  pivotRoot,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  setEnv,
  timeOffset,
  tmpfs,
  umask,
  unshare,
} from "../../mod.ts";
import { decode, until } from "../other_scripts.ts";
import { inDirectory, notRoot, root, test } from "../support.ts";
import { BoxFile, README } from "./support.ts";

test("a box of the README's recipe does what its script does", async () => {
  using box = new BoxFile(README, { program: ["sh", "-euc"] });
  const { code, stdout, stderr } = await box.run(["hostname; id -un; ps -e -o pid,comm; exit 3"]);
  assertEquals({ code, stderr }, { code: 3, stderr: "" });
  assertMatch(stdout, /^a-cooler-hostname\nroot\n +PID COMMAND\n +1 sh\n +\d+ ps\n$/);
});

test("the ids of who runs the box are mapped, not of who has built it", async () => {
  using box = new BoxFile(README);
  const map = await box.inside("cat /proc/self/uid_map /proc/self/gid_map");
  const ids = map.split("\n").map((line) => line.trim().split(/\s+/).join(" "));
  assertEquals(ids, [`0 ${Deno.uid()} 1`, `0 ${Deno.gid()} 1`]);
});

test("a sandbox without Deno has its user, its filter and no files of the host", async () => {
  using box = new BoxFile(sandbox());
  const inside = await box.inside(
    "id -u; echo $HOME; grep -e ^CapEff -e ^NoNewPrivs -e ^Seccomp: /proc/self/status; " +
      "test -e /home || echo none; pwd; unshare -U true 2>/dev/null || echo denied",
  );
  const lines = inside.split("\n").map((line) => line.replace(/\s+/, " "));
  assertEquals(lines, [
    String(Deno.uid()),
    "/tmp",
    `CapEff: ${"0".repeat(16)}`,
    "NoNewPrivs: 1",
    "Seccomp: 2",
    "none",
    "/",
    "denied",
  ]);
});

for (
  const [name, program, code] of [
    ["its exit code", "exit 7", 7],
    ["128 and the signal", "kill -TERM $$", 143],
    ["that of SIGKILL", "kill -KILL $$", 137],
  ] as const
) {
  for (const own of [false, true]) {
    test(`the exit status of a program is ${name}${own ? ", with an init" : ""}`, async () => {
      const container = own
        ? recipe(unshare("user", "pid"), mapRoot(), init())
        : recipe(unshare("user"), mapRoot());
      using box = new BoxFile(container);
      assertEquals((await box.run(["sh", "-c", program])).code, code);
    });
  }
}

test("a program that is missing or denied is named, with 127 or 126", async () => {
  using box = new BoxFile(README);
  const missing = await box.run(["nonesuch"]);
  assertEquals(missing, {
    code: 127,
    stdout: "",
    stderr: "box: execve of nonesuch failed: ENOENT\n",
  });
  const denied = await box.run(["/etc/passwd"]);
  assertEquals([denied.code, denied.stderr], [
    126,
    "box: execve of /etc/passwd failed: EACCES\n",
  ]);
  assertEquals((await box.run()).code, 125);
});

test("a call that fails is told with its step and errno, and ends with 125", async () => {
  using box = new BoxFile(recipe(unshare("user", "mount"), mapRoot(), tmpfs("/nonesuch")));
  const { code, stderr } = await box.run(["true"]);
  assertEquals(code, 125);
  assertMatch(
    stderr,
    /^box: step 3 \(tmpfs\): openat2\(AT_FDCWD, "\/nonesuch", .*failed: ENOENT\n {2}the mount point \/nonesuch does not exist .*\n$/,
  );
});

test("signals are passed on to the program", async () => {
  for (const container of [README, README.with(init())]) {
    using box = new BoxFile(container);
    const script = "trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done";
    const process = box.spawn(["sh", "-c", script]);
    const reader = process.stdout.getReader();
    assertEquals(decode((await reader.read()).value!), "ready\n");
    process.kill("SIGUSR1");
    assertEquals((await process.status).code, 9);
    await reader.cancel();
    await process.stderr.cancel();
  }
});

test("a box that is killed leaves nothing", async () => {
  for (
    const container of [README, README.with(init()), recipe(unshare("user", "time"), mapRoot())]
  ) {
    using box = new BoxFile(container);
    const process = box.spawn(["sh", "-c", "echo ready; exec sleep 4711.4711"]);
    const reader = process.stdout.getReader();
    await reader.read();
    process.kill("SIGKILL");
    assertEquals((await process.status).signal, "SIGKILL");
    await until(() => !processes().some((words) => words.includes("4711.4711")));
    await reader.cancel();
    await process.stderr.cancel();
  }
});

function processes(): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).map(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`);
    } catch {
      return "";
    }
  });
}

test("a clock is moved, whatever the kernel of the build is", async () => {
  using box = new BoxFile(
    recipe(unshare("user", "time"), mapRoot(), timeOffset({ boottime: 1e8 })),
  );
  const uptime = Number((await box.inside("cat /proc/uptime")).split(" ")[0]);
  assert(uptime > 1e8, String(uptime));
});

test(
  "PATH is searched as the shell does",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/bin`);
    Deno.writeTextFileSync(`${directory}/bin/tool`, "#!/bin/sh\necho found $1\n", { mode: 0o755 });
    using box = new BoxFile(recipe());
    const run = (env: Record<string, string>, ...args: string[]) =>
      new Deno.Command(box.path, { args, env, clearEnv: true, cwd: directory }).outputSync();
    const search = `/nonesuch:/etc/passwd:${directory}/bin`;
    assertEquals(decode(run({ PATH: search }, "tool", "x").stdout), "found x\n");
    assertEquals(run({ PATH: "" }, "tool").code, 127);
    assertEquals(decode(run({ PATH: "bin::/usr/bin" }, "tool").stdout), "found\n");
    // Without PATH the usual directories are searched.
    assertEquals(decode(run({}, "echo", "", "two").stdout), " two\n");
    Deno.chmodSync(`${directory}/bin/tool`, 0o644);
    assertEquals(run({ PATH: search }, "tool").code, 126);
  }),
);

test("no variables, and 100,000", () => {
  using box = new BoxFile(recipe(setEnv({ LAST: "set" })));
  const variablesOf = (env: Record<string, string>) => {
    const { stdout, code, stderr } = new Deno.Command(box.path, {
      args: ["/usr/bin/env"],
      env,
      clearEnv: true,
    }).outputSync();
    assertEquals(code, 0, decode(stderr));
    return decode(stdout).trimEnd().split("\n");
  };
  assertEquals(variablesOf({}), ["LAST=set"]);
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`V${at}`, ""]));
  const found = variablesOf(many);
  assertEquals([found.length, found.at(-1)], [100_001, "LAST=set"]);
});

test("variables are set, kept and cleared as a script does it", () => {
  const env = { A: "1", AB: "2", ABC: "3", B: "4", PATH: "/usr/bin" };
  const variablesOf = (container: Recipe) => {
    using box = new BoxFile(container);
    const { stdout } = new Deno.Command(box.path, { args: ["/usr/bin/env"], env, clearEnv: true })
      .outputSync();
    return decode(stdout).trimEnd().split("\n").sort();
  };
  const all = ["A=1", "AB=2", "ABC=3", "B=4", "PATH=/usr/bin"];
  assertEquals(variablesOf(recipe()), all);
  assertEquals(variablesOf(recipe(setEnv({ A: "=x", NEW: "" }))), [
    "A==x",
    ...all.slice(1, 4),
    "NEW=",
    "PATH=/usr/bin",
  ]);
  assertEquals(variablesOf(recipe(clearEnv({ keep: ["A", "NONE"] }))), ["A=1"]);
  assertEquals(variablesOf(recipe(clearEnv({ keep: ["AB*"] }))), ["AB=2", "ABC=3"]);
  assertEquals(variablesOf(recipe(clearEnv({ keep: ["*"] }))), all);
  assertEquals(variablesOf(recipe(clearEnv({ keep: ["A*"] }), setEnv({ AB: "x" }))), [
    "A=1",
    "AB=x",
    "ABC=3",
  ]);
});

test("the umask, ignored signals and the directory are the caller's, and no descriptor", async () => {
  using box = new BoxFile(recipe(unshare("user"), mapRoot()));
  const script = `cd /usr; umask 27; trap "" HUP; exec 9</etc/passwd; exec "$0" sh -c '
    umask; pwd; grep SigIgn /proc/self/status; ls /proc/self/fd'`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script, box.path] }).output();
  const [mask, directory, ignored, ...descriptors] = decode(stdout).trimEnd().split("\n");
  assertEquals([mask, directory], ["0027", "/usr"]);
  assertEquals(parseInt(ignored!.split(/\s+/)[1]!.slice(-1), 16) & 1, 1);
  assertEquals(descriptors, ["0", "1", "2", "3"]);
  using other = new BoxFile(recipe(umask(0o77)));
  assertEquals(await other.inside("umask"), "0077");
});

test("a set-user-ID box refuses to run", async () => {
  using box = new BoxFile(README);
  Deno.chmodSync(box.path, 0o4755);
  const { code, stderr } = await box.run(["true"], { uid: 65534, gid: 65534 });
  assertEquals(code, 125);
  assertStringIncludes(stderr, "set-user-ID");
}, notRoot);

test("a box for root refuses other users", async () => {
  using box = new BoxFile(recipe(unshare("mount"), tmpfs("/mnt")), { for: "root" });
  const { code, stderr } = await box.run(["true"], root ? { uid: 65534, gid: 65534 } : {});
  assertEquals(code, 125);
  assertStringIncludes(stderr, "built for root");
  if (root) assertEquals((await box.run(["true"])).code, 0);
});

test("root's other groups do not reach a user namespace", async () => {
  using box = new BoxFile(recipe(unshare("user"), mapRoot()));
  const run = 'setpriv --groups 4242 -- "$0" grep Groups /proc/self/status';
  const { stdout, stderr } = await new Deno.Command("sh", { args: ["-c", run, box.path] }).output();
  assertEquals(decode(stdout).trim(), "Groups:", decode(stderr));
}, notRoot);

/** A root of its own with the host's programs. */
const OWN_ROOT = recipe(
  unshare("user", "mount"),
  mapRoot(),
  tmpfs("/mnt"),
  ...["/usr", "/bin", "/lib", "/lib64", "/proc"].map((path) =>
    bind(path, `/mnt${path}`, { optional: true })
  ),
  devices("/mnt/dev"),
  pivotRoot("/mnt"),
);

/** Runs a shell script that redirects a box, $0. */
async function redirect(box: BoxFile, script: string, cwd: string) {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, box.path],
    cwd,
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

test("files of the host are copied for a program with a root of its own", async () => {
  using box = new BoxFile(OWN_ROOT);
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/in`, "x".repeat(300_000));
    const script = `"$0" sh -c '
      for fd in 0 1 2; do readlink /proc/self/fd/$fd >&2; done; wc -c; echo last >&2' <in >out 2>&1`;
    assertEquals(await redirect(box, script, directory), { code: 0, stdout: "", stderr: "" });
    const written = Deno.readTextFileSync(`${directory}/out`).split("\n");
    assertEquals(written.slice(0, 3).map((line) => line.split(":")[0]), ["pipe", "pipe", "pipe"]);
    assertEquals(written.slice(3), ["300000", "last", ""]);
    const appended = `"$0" sh -c 'echo more; exit 4' >>out`;
    assertEquals((await redirect(box, appended, directory)).code, 4);
    assertStringIncludes(Deno.readTextFileSync(`${directory}/out`), "last\nmore\n");
    const full = await redirect(box, `"$0" sh -c 'echo lost' >/dev/full`, directory);
    assertEquals([full.code, full.stderr], [125, "box: its output cannot be written\n"]);
    const entered = await redirect(box, `"$0" true <.`, directory);
    assertEquals(entered.code, 125);
    assertStringIncludes(entered.stderr, "is a directory");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("a program with a root of its own gets the /dev/null of that", async () => {
  using box = new BoxFile(OWN_ROOT);
  const looks =
    "stat -L -c %m /proc/self/fd/0; stat -c %d:%i /dev/null; stat -L -c %d:%i /proc/self/fd/0";
  const lines = (await box.inside(looks)).split("\n");
  assertEquals(lines[1], lines[2]);
});

test("a link in a root that is entered later leads into that root", async () => {
  const root = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(root, 0o755);
    for (const name of ["usr", "etc", "shown"]) Deno.mkdirSync(`${root}/${name}`);
    for (const name of ["bin", "lib", "lib64"]) Deno.symlinkSync(`usr/${name}`, `${root}/${name}`);
    Deno.writeTextFileSync(`${root}/etc/inner`, "");
    // Whoever has made the root may have put it there.
    Deno.symlinkSync("/etc", `${root}/link`);
    using box = new BoxFile(recipe(
      unshare("user", "mount"),
      mapRoot(),
      bind("/usr", `${root}/usr`),
      bind(`${root}/link`, `${root}/shown`),
      pivotRoot(root),
    ));
    assertEquals(await box.inside("ls /shown"), "inner");
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

test("closed streams are /dev/null, and no descriptor of the launch", async () => {
  for (const container of [recipe(unshare("user", "pid"), mapRoot(), init()), sandbox()]) {
    using box = new BoxFile(container);
    const script = `"$0" sh -c 'readlink /proc/self/fd/0; echo out' <&- 2>&-; "$0" true >&- 2>&-`;
    const { code, stdout } = await new Deno.Command("sh", { args: ["-c", script, box.path] })
      .output();
    assertEquals([code, decode(stdout)], [0, "/dev/null\nout\n"]);
  }
});

test("a box with a small stack copies its streams", async () => {
  using box = new BoxFile(sandbox());
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/in`, "soup");
    const small = `ulimit -s 64; "$0" cat <in >out`;
    assertEquals(await redirect(box, small, directory), { code: 0, stdout: "", stderr: "" });
    assertEquals(Deno.readTextFileSync(`${directory}/out`), "soup");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("a stream that can only be named is refused", () => {
  using box = new BoxFile(sandbox());
  const { O_PATH, O_CLOEXEC } = linux;
  using file = linux.open("/etc/passwd", O_PATH | O_CLOEXEC);
  const { code, stderr } = recipe().command(box.path, { args: ["true"], stdin: file.number })
    .outputSync();
  assertEquals(code, 125);
  assertStringIncludes(decode(stderr), "is opened with O_PATH");
});

test("a box says of a program that a filter has killed it, as it can say nothing itself", async () => {
  for (const container of [sandbox(), recipe(unshare("user"), mapRoot())]) {
    using box = new BoxFile(container);
    const { code, stderr } = await box.run(["sh", "-c", "kill -SYS $$"]);
    assertEquals(code, 128 + 31);
    assertMatch(stderr, /^box: the program was killed by SIGSYS: .*\(seccomp\)\n$/);
  }
});

test(
  "the processes of a sandbox are bounded in a box too, also root's",
  async () => {
    using box = new BoxFile(sandbox());
    const [highest, limit] =
      (await box.inside("cat /proc/sys/kernel/pid_max; grep processes /proc/self/limits"))
        .split("\n");
    assertMatch(limit!, /4096 +4096/);
    if (atLeast(liveHost().kernel(), { major: 6, minor: 15 })) assertEquals(highest, "4097");
    using root = new BoxFile(sandbox(), { for: "root" });
    if (!notRoot) assertEquals(await root.inside("cat /proc/sys/kernel/pid_max"), highest);
  },
);

test("what only root may do is refused in a box for users", () => {
  for (const step of [chroot("/mnt"), join("/run/netns/kitchen", "net"), unshare("uts")]) {
    const error = assertThrows(() => buildBox(recipe(step)), RecipeError);
    assertMatch(error.message, /only root can .*, and the box is for any user.*--for=root/);
    assert(buildBox(recipe(step), { for: "root" }).length > 0);
  }
});
