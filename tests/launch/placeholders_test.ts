/** The directories that stand for missing names on the host: shared, guarded, and found again. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Placeholders } from "../../launch/placeholders.ts";
import { mapRoot, protect, recipe, SyscallError, unshare } from "../../mod.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { failing, inDirectory, inside, root, test } from "../support.ts";

const box = (directory: string) =>
  recipe(unshare("user", "mount"), mapRoot(), protect(directory, directory, { names: ["a", "b"] }));

const namesIn = (directory: string) => [...Deno.readDirSync(directory)].map(({ name }) => name);

/** Runs a body with a directory that all users may enter. */
async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

test("containers share them, and the last one removes them", () =>
  withDirectory(async (directory) => {
    const script =
      `read -r line; ! touch ${directory}/a; ! rmdir ${directory}/b; touch ${directory}/$0`;
    const start = (name: string) =>
      box(directory).command("sh", {
        args: ["-ec", script, name],
        stdin: "piped",
        stderr: "null",
      }).spawn();
    const end = async (one: ReturnType<typeof start>) => {
      const writer = one.stdin.getWriter();
      await writer.write(new TextEncoder().encode("\n"));
      await writer.close();
      assertEquals((await one.status).code, 0);
    };
    const [first, second] = [start("first"), start("second")];
    await end(first);
    assertEquals(namesIn(directory).sort(), ["a", "b", "first"]);
    const third = start("third");
    await end(second);
    assertEquals(namesIn(directory).sort(), ["a", "b", "first", "second"]);
    await end(third);
    assertEquals(namesIn(directory).sort(), ["first", "second", "third"]);
  }));

test(
  "they are removed when a launch fails",
  inDirectory((directory) => {
    try {
      box(directory).command("/no/such/program").outputSync();
    } catch { /* as it should be */ }
    assertEquals(namesIn(directory), []);
  }),
);

for (
  const [when, run] of [
    [
      "while the container runs",
      `const container = box.command("sh", { args: ["-c", "echo ready; exec sleep 60"], stdout: "piped" })
        .spawn();
      for await (const _ of container.stdout) console.log("ready");`,
    ],
    [
      "before the program begins",
      `const { pid } = new Launcher(planRecipe(box.steps)).create(execSpec("true"));
      console.log("ready", pid);
      setInterval(() => {}, 1000);`,
    ],
  ] as const
) {
  test(`they go when the script is killed ${when}`, () =>
    withDirectory(async (directory) => {
      const script = `
        import { mapRoot, protect, recipe, unshare } from "${import.meta.resolve("../../mod.ts")}";
        import { Launcher } from "${import.meta.resolve("../../launch/launcher.ts")}";
        import { execSpec } from "${import.meta.resolve("../../launch/exec.ts")}";
        import { planRecipe } from "${import.meta.resolve("../../plan/plan_recipe.ts")}";
        const [directory] = Deno.args;
        const box = recipe(unshare("user", "mount"), mapRoot(),
          protect(directory, directory, { names: ["a", "b"] }));
        ${run}`;
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-config", "--no-check", "--allow-ffi", "-", directory],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(script));
      await writer.close();
      const reader = child.stdout.getReader();
      await reader.read();
      assertEquals(namesIn(directory).sort(), ["a", "b"]);
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
      while (namesIn(directory).length > 0) await new Promise((done) => setTimeout(done, 10));
    }));
}

test(
  "one that was left behind is taken over, and removed",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/a`);
    Deno.chmodSync(`${directory}/a`, 0o555);
    failing(box(directory), `touch ${directory}/a/x`);
    assertEquals(namesIn(directory), []);
  }),
);

test(
  "a directory of somebody's, empty or not, stays",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/a`);
    Deno.mkdirSync(`${directory}/b`);
    Deno.writeTextFileSync(`${directory}/b/file`, "text");
    Deno.chmodSync(`${directory}/b`, 0o555);
    failing(box(directory), `touch ${directory}/a/x`);
    assertEquals(namesIn(directory).sort(), ["a", "b"]);
    Deno.chmodSync(`${directory}/b`, 0o755);
  }),
);

test(
  "what somebody has put there first is not written to, waited for or removed",
  inDirectory((directory) => {
    const path = `${directory}/config`;
    const other = `${directory}/other`;
    const ways: Record<string, () => void> = {
      "a pipe": () => new Deno.Command("mkfifo", { args: [path] }).outputSync(),
      "a hard link": () => Deno.linkSync(other, path),
      "a file with a text": () => Deno.writeTextFileSync(path, "text"),
      "a symbolic link": () => Deno.symlinkSync("other", path),
      "a directory": () => Deno.mkdirSync(path),
    };
    for (const [name, put] of Object.entries(ways)) {
      Deno.writeTextFileSync(other, "");
      put();
      const { ino } = Deno.lstatSync(path);
      const plan = planRecipe(box(directory).steps);
      plan.placeholders.splice(0, Infinity, { path, text: ".\n", stepIndex: 2 });
      assertThrows(() => Placeholders.make(plan), SyscallError, undefined, name);
      assertEquals(Deno.lstatSync(path).ino, ino, name);
      assertEquals(Deno.readTextFileSync(other), "", name);
      Deno.removeSync(path);
    }
  }),
);

test("what is put there meanwhile stays", () =>
  withDirectory(async (directory) => {
    const container = box(directory).command("cat", { stdin: "piped", stdout: "null" }).spawn();
    Deno.chmodSync(`${directory}/a`, 0o755);
    Deno.writeTextFileSync(`${directory}/a/file`, "text");
    await container.stdin.close();
    await container.status;
    assertEquals(namesIn(directory), ["a"]);
  }));

test(
  "none are made where the user may not",
  () => {
    const { entries } = box("/usr/share").command("true").plan();
    assert(!entries.some(({ call }) => call.startsWith("mkdirat")));
    inside(box("/usr/share"), "true");
  },
  root ? "root may" : undefined,
);
