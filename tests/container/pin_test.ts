/** `container.keep`: namespaces that stay without a process. Scripts have mounts of their own. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { mapRoot, recipe, SyscallError, unshare } from "../../mod.ts";
import { runScript } from "../other_scripts.ts";
import { inDirectory, notOrdinary, notRoot, test } from "../support.ts";

/** Begins a script: nothing that it mounts is seen outside, and goes with it. */
function withMounts(propagation: "MS_PRIVATE" | "MS_SHARED"): string {
  return `
    const { recipe, unshare, hostname, join, listNamespaces, linux, mapRoot } = ramekin;
    linux.unshare(linux.CLONE_FS | linux.CLONE_NEWNS);
    linux.mount(null, "/", null, linux.MS_REC | linux.${propagation});
    const file = Deno.args[0] + "/kept";
    const read = (box, ...args) =>
      new TextDecoder().decode(box.command(args[0], { args: args.slice(1) }).outputSync().stdout).trim();
    const start = (...steps) => recipe(...steps).command("sleep", { args: ["600"] }).spawn();`;
}

/** Runs a script with an empty directory; what it prints last is JSON. */
async function run(code: string, propagation: "MS_PRIVATE" | "MS_SHARED"): Promise<unknown> {
  const directory = Deno.makeTempDirSync();
  try {
    const flags = ["--allow-ffi"];
    const result = await runScript(withMounts(propagation) + code, flags, [directory]);
    assertEquals(result.code, 0, result.stderr);
    return JSON.parse(result.stdout);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

test("a namespace is kept beyond its processes, joined, listed and released", async () => {
  const told = await run(
    `
    const first = start(unshare("uts"), hostname("kept-name"));
    const { uts } = first.namespaces;
    const kept = first.pin("uts", file);
    await first[Symbol.asyncDispose]();
    const box = recipe(join(file));
    const joined = read(box, "hostname");
    const { type, processes, mounts } = listNamespaces().find(({ id }) => id === uts);
    kept.release();
    kept.release();
    let after;
    try { recipe(join(file)).plan(); } catch (error) { after = error.code; }
    const gone = !listNamespaces().some(({ id }) => id === uts);
    console.log(JSON.stringify({
      joined, type, processes, at: mounts[0] === file, after, gone, path: kept.path === file,
    }));`,
    "MS_PRIVATE",
  );
  assertEquals(told, {
    joined: "kept-name",
    type: "uts",
    processes: 0,
    at: true,
    after: "ENOENT",
    gone: true,
    path: true,
  });
}, notRoot);

test("every kind can be kept where mounts are private", async () => {
  const told = await run(
    `
    const kinds = ["user", "mount", "pid", "uts", "ipc", "net", "cgroup", "time"];
    await using first = start(unshare(...kinds), mapRoot());
    const same = kinds.map((kind) => {
      using kept = first.pin(kind, file);
      return [kind, Number(linux.statx(linux.AT_FDCWD, file).ino) === first.namespaces[kind]];
    });
    console.log(JSON.stringify(Object.fromEntries(same)));`,
    "MS_PRIVATE",
  );
  const kinds = ["user", "mount", "pid", "uts", "ipc", "net", "cgroup", "time"];
  assertEquals(told, Object.fromEntries(kinds.map((kind) => [kind, true])));
}, notRoot);

test(
  "a mount namespace is not kept where it would be seen in itself, and why is told",
  async () => {
    const told = await run(
      `
    await using first = start(unshare("mount", { propagation: "slave" }));
    let message = "kept";
    try { first.pin("mount", file); } catch (error) { message = error.message; }
    let left = "a file";
    try { linux.statx(linux.AT_FDCWD, file); } catch (error) { left = error.code; }
    console.log(JSON.stringify({ message, left }));`,
      "MS_SHARED",
    ) as { message: string; left: string };
    assert(
      told.message.includes("EINVAL") && told.message.includes("--make-private"),
      told.message,
    );
    assertEquals(told.left, "ENOENT");
  },
  notRoot,
);

test("a file that is there already is left alone", () => {
  inDirectory((directory) => {
    const container = recipe(unshare("uts")).command("true").spawn();
    try {
      Deno.writeTextFileSync(`${directory}/kept`, "something");
      assertThrows(() => container.pin("uts", `${directory}/kept`), SyscallError, "EEXIST");
      assertThrows(() => container.pin("uts", `${directory}/no/kept`), SyscallError, "ENOENT");
      assertEquals(Deno.readTextFileSync(`${directory}/kept`), "something");
    } finally {
      container.unref();
    }
  })();
}, notRoot);

test("an ordinary user is told what keeps a namespace instead", () => {
  inDirectory((directory) => {
    const container = recipe(unshare("user", "net"), mapRoot()).command("true").spawn();
    const error = assertThrows(
      () => container.pin("net", `${directory}/kept`),
      SyscallError,
      "EPERM",
    );
    assert(error.hint!.includes("container that goes on running"), error.hint);
    assertEquals([...Deno.readDirSync(directory)], []);
  })();
}, notOrdinary);
