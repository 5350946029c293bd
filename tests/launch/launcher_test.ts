/** Containers that are created first and started later, and launches that are compiled once. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bind,
  dieWithParent,
  hostname,
  init,
  limits,
  linux,
  mapIds,
  mapRoot,
  type Recipe,
  recipe,
  setUser,
  SyscallError,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { Engine } from "../../ffi/engine/engine.ts";
import { collectSync } from "../../launch/collect.ts";
import { execSpec } from "../../launch/exec.ts";
import { Launcher } from "../../launch/launcher.ts";
import { StandardStreams } from "../../launch/stdio.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { marked, newMarker, pause, survivors } from "../faults/support.ts";
import { isAlive, Script } from "../other_scripts.ts";
import { notRoot, root, test } from "../support.ts";

const range = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 10 }];

/** A container of each kind of launch. */
const KINDS: readonly { readonly name: string; readonly box: Recipe; readonly skip?: string }[] = [
  { name: "no steps", box: recipe() },
  { name: "namespaces", box: recipe(unshare("user", "mount", "uts"), mapRoot(), hostname("box")) },
  { name: "a pid namespace", box: recipe(unshare("user", "pid"), mapRoot()) },
  {
    name: "a late pid namespace",
    box: recipe(unshare("user", "uts"), mapRoot(), unshare("pid"), hostname("box")),
  },
  { name: "an init", box: recipe(unshare("user", "mount", "pid"), mapRoot(), init()) },
  { name: "a time namespace", box: recipe(unshare("user", "time"), mapRoot()) },
  {
    name: "several id ranges",
    box: recipe(unshare("user", "pid"), mapIds({ uids: range, gids: range })),
    skip: notRoot,
  },
  { name: "another user", box: recipe(setUser({ uid: 65534, gid: 65534 })), skip: notRoot },
  { name: "limits", box: recipe(unshare("pid"), limits({ pids: 50 })), skip: notRoot },
  {
    name: "limits and several id ranges",
    box: recipe(
      unshare("user", "pid", "cgroup"),
      mapIds({ uids: range, gids: range }),
      limits({ pids: 50 }),
    ),
    skip: notRoot,
  },
].map(({ skip, ...kind }) => skip === undefined ? kind : { ...kind, skip });

function launcherOf(box: Recipe): Launcher {
  return new Launcher(planRecipe(box.steps));
}

const decoder = new TextDecoder();

for (const { name, box, skip } of KINDS) {
  test(`a container is created, and its program started later: ${name}`, () => {
    const marker = newMarker();
    const streams = new StandardStreams(["null", "piped", "null"]);
    const args = ["-c", "echo started; exit 7", marker];
    const created = launcherOf(box).create(execSpec("sh", { args, stdio: streams.theirs }));
    assert(isAlive(created.pid));
    assertEquals(marked(marker), []);
    const { code, stdout } = collectSync(created.start(), streams.release(), undefined);
    assertEquals([code, decoder.decode(stdout)], [7, "started\n"]);
  }, skip);

  test(`a container that is not started leaves nothing: ${name}`, () => {
    const marker = newMarker();
    let pid: number;
    {
      using created = launcherOf(box).create(execSpec("sleep", { args: ["1000", `0.${marker}`] }));
      pid = created.pid;
      assert(isAlive(pid));
    }
    assertEquals(isAlive(pid), false);
    assertEquals(marked(marker), []);
  }, skip);

  test(`start() reports a program that cannot be started: ${name}`, () => {
    const created = launcherOf(box).create(execSpec("/none/such"));
    assertThrows(() => created.start(), Deno.errors.NotFound, "/none/such");
    assertEquals(isAlive(created.pid), false);
    assertThrows(() => created.start(), TypeError, "already");
  }, skip);

  test(`create() reports a step that fails: ${name}`, () => {
    const spec = execSpec("true", { cwd: "/none/such" });
    const error = assertThrows(() => launcherOf(box).create(spec), SyscallError);
    assertEquals([error.syscall, error.code], ["openat2", "ENOENT"]);
    assert(error.call?.includes('"/none/such"'), error.message);
  }, skip);
}

test("other containers, also of the same plan, can be launched while one waits", () => {
  const launcher = launcherOf(recipe(unshare("user", "pid"), mapRoot()));
  using first = launcher.create(execSpec("true"));
  using second = launcher.create(execSpec("false"));
  assertEquals(collectSync(launcher.spawn(execSpec("true")), [], undefined).code, 0);
  assertEquals(collectSync(second.start(), [], undefined).code, 1);
  assertEquals(collectSync(first.start(), [], undefined).code, 0);
});

test("no process can read the copy of the script's memory in a container that waits", () => {
  const spec = execSpec("true", root ? { uid: 65534, gid: 65534 } : {});
  using created = launcherOf(recipe()).create(spec);
  // Root owns the /proc files of an undumpable process (proc(5)).
  assertEquals(Deno.statSync(`/proc/${created.pid}/status`).uid, 0);
  assertEquals(linux.prctl(linux.PR_GET_DUMPABLE), 1);
});

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`a container that is not started ends with its script: ${signal}`, async () => {
    const marker = newMarker();
    const file = (path: string) => new URL(path, import.meta.url).href;
    await using script = new Script(`
      import { execSpec } from "${file("../../launch/exec.ts")}";
      import { Launcher } from "${file("../../launch/launcher.ts")}";
      import { planRecipe } from "${file("../../plan/plan_recipe.ts")}";
      const { dieWithParent, mapRoot, recipe, unshare } = ramekin;
      // It ends because the script's socket is closed, and not by a signal of this call.
      const box = recipe(unshare("user", "pid"), mapRoot(), dieWithParent(null));
      const spec = execSpec("sleep", { args: ["1000", "0.${marker}"] });
      const { pid } = new Launcher(planRecipe(box.steps)).create(spec);
      console.log(pid);
      setInterval(() => {}, 1000);
    `);
    const reader = script.process.stdout.getReader();
    const pid = Number(decoder.decode((await reader.read()).value));
    assert(isAlive(pid));
    script.process.kill(signal);
    await script.process.status;
    await reader.cancel();
    await script.process.stderr.cancel();
    for (let attempt = 0; attempt < 100 && isAlive(pid); attempt++) await pause(20);
    assertEquals(isAlive(pid), false);
    assertEquals(await survivors(marker), []);
  });
}

test("commands of one plan are compiled once for each shape", () => {
  const launcher = launcherOf(recipe(unshare("user", "pid"), mapRoot(), dieWithParent()));
  const compiled = (spec: Parameters<typeof execSpec>[1], program = "/bin/true") =>
    launcher.prepare(execSpec(program, spec)).compiled;
  const first = compiled({});
  assert(compiled({ args: ["a", "b"] }, "/bin/false") === first);
  assert(compiled({ environment: { inherited: [], changes: new Map([["A", "1"]]) } }) === first);
  const placed = compiled({ cwd: "/tmp", uid: 0, gid: 0, stdio: [{ fd: 7 }, "null", "null"] });
  assert(placed !== first);
  assert(compiled({ cwd: "/", uid: 1, gid: 2, stdio: [{ fd: 9 }, "null", "null"] }) === placed);
  assert(compiled({ searchPath: "/a:/b" }, "true") !== compiled({ searchPath: "/a" }, "true"));
});

test("long and many arguments are passed completely, in repeated launches", () => {
  const launcher = launcherOf(recipe());
  for (const count of [3000, 0, 7, 9000]) {
    const args = Array.from({ length: count }, (_, index) => `ü${index}`.padEnd(index % 90, "é"));
    const changes = new Map([["LONG", "ß".repeat(count * 5)]]);
    const streams = new StandardStreams(["null", "piped", "null"]);
    const launched = launcher.spawn(execSpec("sh", {
      args: ["-c", 'printf "%s\\n" "$LONG" "$@"', "sh", ...args],
      environment: { inherited: [], changes },
      searchPath: "/usr/bin:/bin",
      stdio: streams.theirs,
    }));
    const { stdout } = collectSync(launched, streams.release(), undefined);
    assertEquals(decoder.decode(stdout), `${[changes.get("LONG"), ...args].join("\n")}\n`);
  }
});

/** The programs of the engine that make a container, while the body runs. */
function programsOf(body: () => void): ReadonlySet<unknown> {
  const programs = new Set<unknown>();
  const { runInArena } = Engine.prototype;
  Engine.prototype.runInArena = function (program, bindings) {
    if (program.calls.some(({ name }) => name.startsWith("clone"))) programs.add(program);
    return runInArena.call(this, program, bindings);
  };
  try {
    body();
  } finally {
    Engine.prototype.runInArena = runInArena;
  }
  return programs;
}

test("new commands of a recipe use one program, with other arguments and environments", () => {
  const box = recipe(unshare("user", "pid"), mapRoot());
  const programs = programsOf(() => {
    for (const value of ["a", "b", "c"]) {
      const options = { args: [value], env: { VALUE: value }, cwd: value === "c" ? "/" : "/tmp" };
      assert(box.command("/bin/true", options).outputSync().success);
      Deno.env.set(`VALUE_${value}`, value);
    }
  });
  for (const value of ["a", "b", "c"]) Deno.env.delete(`VALUE_${value}`);
  assertEquals(programs.size, 1);
});

test("launches in control groups use one program too", () => {
  const box = recipe(unshare("pid"), limits({ pids: 50 }));
  const programs = programsOf(() => {
    for (const value of ["a", "b", "c"]) {
      assert(box.command("/bin/true", { args: [value] }).outputSync().success);
    }
  });
  assertEquals(programs.size, 1);
}, notRoot);

test("a recipe is planned again after the script has changed its user", () => {
  const box = recipe(unshare("user"), mapRoot());
  const map = () => box.plan().entries.find(({ call }) => call.includes("/uid_map>, "))?.call;
  assertEquals(map(), 'write(</proc/self/uid_map>, "0 0 1\\n", 6)');
  linux.setresuid(0, 65534, 0);
  try {
    assertEquals(map(), 'write(</proc/self/uid_map>, "0 65534 1\\n", 10)');
  } finally {
    linux.setresuid(0, 0, 0);
    linux.prctl(linux.PR_SET_DUMPABLE, 1);
  }
  assertEquals(map(), 'write(</proc/self/uid_map>, "0 0 1\\n", 6)');
}, notRoot);

test("a recipe is planned again if a path of the host or the working directory has changed", () => {
  const directory = Deno.makeTempDirSync();
  const before = Deno.cwd();
  try {
    for (const name of ["a", "b"]) {
      Deno.mkdirSync(`${directory}/${name}/shown`, { recursive: true });
      Deno.writeTextFileSync(`${directory}/${name}/shown/file`, name);
    }
    const read = (source: string) =>
      recipe(unshare("user", "mount"), mapRoot(), bind(source, "/mnt"))
        .command("cat", { args: ["/mnt/file"] }).outputSync().stdout;
    const shown = (source: string) => new TextDecoder().decode(read(source));
    for (const name of ["a", "b"]) {
      Deno.chdir(`${directory}/${name}`);
      assertEquals(shown("shown"), name);
      Deno.symlinkSync(`${directory}/${name}`, `${directory}/link`);
      assertEquals(shown(`${directory}/link/shown`), name);
      Deno.removeSync(`${directory}/link`);
    }
  } finally {
    Deno.chdir(before);
    Deno.removeSync(directory, { recursive: true });
  }
});

test("a plan that is kept holds only while its paths lead where they did", () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${directory}/v1`);
    Deno.writeTextFileSync(`${directory}/v1/file`, "right");
    Deno.symlinkSync("v1", `${directory}/current`);
    const box = recipe(
      unshare("user", "mount"),
      mapRoot(),
      tmpfs("/mnt"),
      bind(`${directory}/current/file`, "/mnt/file"),
    );
    const kept = box.command("cat", { args: ["/mnt/file"] });
    const shown = () => new TextDecoder().decode(kept.outputSync().stdout);
    assertEquals(shown(), "right");
    // The file has moved, and another one is where it was.
    Deno.renameSync(`${directory}/v1`, `${directory}/v2`);
    Deno.removeSync(`${directory}/current`);
    Deno.symlinkSync("v2", `${directory}/current`);
    Deno.mkdirSync(`${directory}/v1`);
    Deno.writeTextFileSync(`${directory}/v1/file`, "wrong");
    assertEquals(shown(), "right");
    // The number of a deleted file is often the next one's.
    Deno.removeSync(`${directory}/v2/file`);
    Deno.mkdirSync(`${directory}/v2/file`);
    assertEquals(box.command("test", { args: ["-d", "/mnt/file"] }).outputSync().code, 0);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("a path that has become a link to the same directory gets a new plan", () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${directory}/shown`);
    const box = recipe(unshare("user", "mount"), mapRoot(), bind(`${directory}/shown`, "/mnt"));
    const command = box.command("true");
    assert(command.outputSync().success);
    Deno.renameSync(`${directory}/shown`, `${directory}/moved`);
    Deno.symlinkSync("moved", `${directory}/shown`);
    assert(command.outputSync().success);
    assert(box.command("true").outputSync().success);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
