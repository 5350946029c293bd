/** `container.pin`: namespaces without a process. The scripts have a mount namespace. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { mapRoot, recipe, SyscallError, unshare } from "../../mod.ts";
import { runScript } from "../other_scripts.ts";
import { inDirectory, notOrdinary, notRoot, test } from "../support.ts";

/**
 * The start of a script: its mounts are in a namespace of its own, and end with it. It stays on one
 * processor, as Linux 6.18 numbers namespaces by processor, and takes the higher number for the younger.
 */
function withMounts(propagation: "MS_PRIVATE" | "MS_SHARED"): string {
  return `
    const { recipe, unshare, hostname, join, listNamespaces, linux, mapRoot } = ramekin;
    recipe().command("taskset", { args: ["-cp", "0", String(Deno.pid)] }).outputSync();
    linux.unshare(linux.CLONE_FS | linux.CLONE_NEWNS);
    linux.mount(null, "/", null, linux.MS_REC | linux.${propagation});
    const file = Deno.args[0] + "/kept";
    const read = (box, ...args) =>
      new TextDecoder().decode(box.command(args[0], { args: args.slice(1) }).outputSync().stdout).trim();
    const start = (...steps) => recipe(...steps).command("sleep", { args: ["600"] }).spawn();`;
}

/** Runs a script with an empty directory, and returns the JSON that it prints last. */
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

test(
  "a namespace is kept after the end of its processes, joined, listed and released",
  async () => {
    const result = await run(
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
    // Meanwhile another namespace may have the number.
    const gone = !listNamespaces().some(({ id, mounts }) => id === uts && mounts.includes(file));
    console.log(JSON.stringify({
      joined, type, processes, at: mounts[0] === file, after, gone, path: kept.path === file,
    }));`,
      "MS_PRIVATE",
    );
    assertEquals(result, {
      joined: "kept-name",
      type: "uts",
      processes: 0,
      at: true,
      after: "ENOENT",
      gone: true,
      path: true,
    });
  },
  notRoot,
);

test("a release leaves alone what has taken the place of the file", async () => {
  const result = await run(
    `
    const [directory] = Deno.args;
    const others = directory + "/others";
    linux.mkdir(others);
    linux.mount("none", others, "tmpfs");
    await using first = start(unshare("uts"));
    await using second = start(unshare("uts"));
    const left = {};
    for (const [name, replace] of Object.entries({
      link: (path) => linux.symlinkat(others, linux.AT_FDCWD, path),
      file: (path) => linux.open(path, linux.O_CREAT | linux.O_CLOEXEC, 0o600).close(),
      namespace: (path) => second.pin("uts", path),
    })) {
      const path = directory + "/" + name;
      const kept = first.pin("uts", path);
      linux.umount2(path);
      linux.unlinkat(linux.AT_FDCWD, path);
      replace(path);
      const before = linux.statx(linux.AT_FDCWD, path).ino;
      try { kept.release(); } catch (error) {
        left[name] = error.code + " " + (linux.statx(linux.AT_FDCWD, path).ino === before);
      }
    }
    const TMPFS_MAGIC = 0x01021994;
    left.others = linux.statfs(others).type === TMPFS_MAGIC;
    linux.umount2(directory + "/namespace");
    linux.umount2(others);
    console.log(JSON.stringify(left));`,
    "MS_PRIVATE",
  );
  const alone = "EINVAL true";
  assertEquals(result, { link: alone, file: alone, namespace: alone, others: true });
}, notRoot);

test("every kind can be kept if mounts are private", async () => {
  const result = await run(
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
  assertEquals(result, Object.fromEntries(kinds.map((kind) => [kind, true])));
}, notRoot);

test(
  "a mount namespace cannot be kept on a shared mount, and the error says why",
  async () => {
    const result = await run(
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
      result.message.includes("EINVAL") && result.message.includes("--make-private"),
      result.message,
    );
    assertEquals(result.left, "ENOENT");
  },
  notRoot,
);

test("an existing file is not changed", async () => {
  await using container = recipe(unshare("uts")).command("sleep", { args: ["9"] }).spawn();
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/kept`, "something");
    assertThrows(() => container.pin("uts", `${directory}/kept`), SyscallError, "EEXIST");
    assertThrows(() => container.pin("uts", `${directory}/no/kept`), SyscallError, "ENOENT");
    assertEquals(Deno.readTextFileSync(`${directory}/kept`), "something");
  })();
}, notRoot);

test("the error of an unprivileged user says how else to keep a namespace", async () => {
  const box = recipe(unshare("user", "net"), mapRoot());
  await using container = box.command("sleep", { args: ["9"] }).spawn();
  inDirectory((directory) => {
    const error = assertThrows(
      () => container.pin("net", `${directory}/kept`),
      SyscallError,
      "EPERM",
    );
    assert(error.hint!.includes("container that goes on running"), error.hint);
    assertEquals([...Deno.readDirSync(directory)], []);
  })();
}, notOrdinary);
