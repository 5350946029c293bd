/** The files of a running container: `container.fs`. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  bind,
  type Container,
  init,
  landlock,
  mapIds,
  mapRoot,
  proc,
  type Recipe,
  recipe,
  setUser,
  SyscallError,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { root, test } from "../support.ts";

const range = [{ inside: 0, outside: 100000, count: 65536 }];
const others = mapIds({ uids: range, gids: range });
const mounts = [tmpfs("/mnt", { mode: 0o777 })] as const;

/** Containers, and the ids of their programs. */
const CONTAINERS: Readonly<Record<string, readonly [Recipe, string]>> = {
  "root in a user namespace": [recipe(unshare("user", "mount"), mapRoot(), ...mounts), "0:0"],
  "an init": [
    recipe(unshare("user", "mount", "pid"), mapRoot(), ...mounts, proc(), init()),
    "0:0",
  ],
  "under Landlock": [
    recipe(
      unshare("user", "mount"),
      mapRoot(),
      ...mounts,
      landlock({ execute: ["/usr"], read: ["/mnt"], write: ["/mnt"] }),
    ),
    "0:0",
  ],
  ...(root
    ? {
      "root itself": [recipe(unshare("mount"), ...mounts), "0:0"],
      "another user of root's": [
        recipe(unshare("mount"), ...mounts, setUser({ uid: 1234, gid: 4321 })),
        "1234:4321",
      ],
      "a user of many": [
        recipe(
          unshare("user", "mount"),
          others,
          ...mounts,
          setUser({ uid: 1234, gid: 4321 }),
        ),
        "1234:4321",
      ],
    }
    : {}),
};

/** Runs a program that only waits, and uses the container. */
async function within(box: Recipe, body: (container: Container) => Promise<void>): Promise<void> {
  await using container = box.command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  await body(container);
}

/** The output of a program that enters the container. */
async function seen(container: Container, ...words: string[]): Promise<string> {
  const [program, ...args] = words as [string, ...string[]];
  const { stdout, stderr } = await container.enter(program, { args }).output();
  return new TextDecoder().decode(stdout).trim() + new TextDecoder().decode(stderr);
}

for (const [name, [box, ids]] of Object.entries(CONTAINERS)) {
  test(`what the script writes is the program's, and the other way round: ${name}`, () =>
    within(box, async (container) => {
      const { fs } = container;
      await fs.mkdir("/mnt/menu/today", { recursive: true });
      await fs.mkdir("/mnt/menu/today", { recursive: true });
      await fs.writeTextFile("/mnt/menu/soup", "leek\n", { mode: 0o640 });
      await fs.writeTextFile("/mnt/menu/soup", "cress\n", { append: true });
      await fs.symlink("soup", "/mnt/menu/link");
      const shown = await seen(container, "stat", "-c", "%u:%g %a %s", "/mnt/menu/soup");
      assertEquals(shown, `${ids} 640 11`);
      assertEquals(await seen(container, "cat", "/mnt/menu/link"), "leek\ncress");

      const { uid, gid, mode, isFile, size, mtime } = await fs.stat("/mnt/menu/link");
      assertEquals([`${uid}:${gid}`, mode! & 0o7777, isFile, size], [ids, 0o640, true, 11]);
      assert(Math.abs(mtime!.getTime() - Date.now()) < 3_600_000, String(mtime));
      assert((await fs.lstat("/mnt/menu/link")).isSymlink);
      assertEquals(await fs.readLink("/mnt/menu/link"), "soup");
      assertEquals(await fs.readTextFile("/mnt/menu/link"), "leek\ncress\n");
      const entries = (await Array.fromAsync(fs.readDir("/mnt/menu")))
        .map(({ name, isFile, isDirectory, isSymlink }) => [name, isFile, isDirectory, isSymlink])
        .sort();
      assertEquals(entries, [
        ["link", false, false, true],
        ["soup", true, false, false],
        ["today", false, true, false],
      ]);

      await fs.rename("/mnt/menu/soup", "/mnt/menu/today/soup");
      await assertRejects(() => fs.stat("/mnt/menu/link"), Deno.errors.NotFound, "/mnt/menu/link");
      await assertRejects(() => fs.remove("/mnt/menu"), SyscallError, "ENOTEMPTY");
      await fs.remove("/mnt/menu/link");
      await fs.remove("/mnt/menu", { recursive: true });
      assertEquals(await seen(container, "ls", "-A", "/mnt"), "");
    }));
}

test("files come and go with their modes, links and names", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    Deno.mkdirSync(`${directory}/in/closed`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/in/run`, "#!/bin/sh\n", { mode: 0o755 });
    Deno.writeFileSync(`${directory}/in/closed/large`, new Uint8Array(1_000_003).fill(7));
    Deno.symlinkSync("/nowhere", `${directory}/in/link`);
    Deno.writeTextFileSync(`${directory}/in/\n \u00e9`, "a name");
    Deno.chmodSync(`${directory}/in/closed`, 0o500);
    const box = recipe(unshare("user", "mount"), mapRoot(), ...mounts);
    await within(box, async ({ fs }) => {
      const copied = await fs.copyIn(`${directory}/in`, "/mnt/copy");
      assertEquals(copied, { entries: 6, bytes: 1_000_003 + 10 + 6 });
      assertEquals((await fs.stat("/mnt/copy/run")).mode! & 0o777, 0o755);
      assertEquals((await fs.stat("/mnt/copy/closed")).mode! & 0o777, 0o500);
      assertEquals(await fs.readLink("/mnt/copy/link"), "/nowhere");
      await fs.copyOut("/mnt/copy", `${directory}/out`);
      // Again: the files of both are put together.
      await fs.copyOut("/mnt/copy/run", `${directory}/out/run`);
      assertEquals(Deno.readFileSync(`${directory}/out/closed/large`).at(-1), 7);
      assertEquals(Deno.statSync(`${directory}/out/closed`).mode! & 0o777, 0o500);
      assertEquals(Deno.readTextFileSync(`${directory}/out/\n \u00e9`), "a name");
      assertEquals(Deno.readLinkSync(`${directory}/out/link`), "/nowhere");
      assertEquals(Deno.statSync(`${directory}/out/run`).uid, Deno.uid());
      const large = () => fs.copyOut("/mnt/copy", `${directory}/less`, { maxBytes: 1000 });
      await assertRejects(large, RangeError, "large");
    });
  } finally {
    for (const name of ["in", "out", "less"]) {
      try {
        Deno.chmodSync(`${directory}/${name}/closed`, 0o700);
      } catch {
        // It was not copied.
      }
    }
    Deno.removeSync(directory, { recursive: true });
  }
});

test("errors have Deno's classes and name the file, and leave nothing open", () =>
  within(recipe(unshare("user", "mount"), mapRoot(), ...mounts), async ({ fs }) => {
    const cases: readonly [() => Promise<unknown>, new () => Error, string][] = [
      [() => fs.readFile("/mnt/none"), Deno.errors.NotFound, "cannot read /mnt/none in the cont"],
      [() => fs.readFile("/mnt"), Deno.errors.IsADirectory, "/mnt"],
      [() => fs.writeTextFile("/mnt", ""), Deno.errors.IsADirectory, "/mnt"],
      [() => fs.readFile("/dev/null"), TypeError, "not a regular file"],
      [() => fs.mkdir("/mnt"), Deno.errors.AlreadyExists, "/mnt"],
      [() => fs.mkdir("/mnt/a/b"), Deno.errors.NotFound, "/mnt/a/b"],
      [() => fs.stat("mnt"), TypeError, "relative"],
      [() => fs.stat(""), TypeError, "empty"],
      [() => fs.stat("/mnt\0"), TypeError, "NUL"],
      [() => fs.remove("/"), TypeError, "names no file"],
      [() => fs.copyIn("/nonesuch", "/mnt/x"), Deno.errors.NotFound, "/nonesuch"],
      [() => fs.copyIn("/dev/null", "/mnt/x"), TypeError, "devices"],
      [() => fs.writeTextFile("/mnt/n", "", { create: false }), Deno.errors.NotFound, "/mnt/n"],
      [() => Array.fromAsync(fs.readDir("/proc/version")), Deno.errors.NotADirectory, "version"],
    ];
    for (const [act, kind, says] of cases) {
      // deno-lint-ignore no-explicit-any
      const error = await assertRejects(act, kind as any, says);
      assert(error instanceof Error);
    }
    await fs.writeTextFile("/mnt/new", "", { createNew: true });
    await assertRejects(
      () => fs.writeTextFile("/mnt/new", "", { createNew: true }),
      Deno.errors.AlreadyExists,
    );
    await fs.writeFile("/mnt/large", new Uint8Array(100));
    await assertRejects(() => fs.readFile("/mnt/large", { maxSize: 99 }), RangeError, "maxSize");
  }));

test("a read-only mount stays as it is, and a container that has ended has no files", async () => {
  const box = recipe(
    unshare("user", "mount"),
    mapRoot(),
    ...mounts,
    bind("/usr", "/usr", { readOnly: true }),
  );
  const container = box.command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  const { fs } = container;
  const error = await assertRejects(() => fs.writeTextFile("/usr/new", ""), SyscallError, "EROFS");
  assertStringIncludes(error.message, "/usr/new in the container; the filesystem is read-only");
  await container[Symbol.asyncDispose]();
  await assertRejects(() => fs.stat("/mnt"), TypeError, "has ended");
});

if (root) {
  test("root of the container reads what is closed to its program, and makes files of its own", () =>
    within(CONTAINERS["a user of many"]![0], async (container) => {
      const { fs } = container;
      await fs.as("root").writeTextFile("/mnt/kept", "secret", { mode: 0o600 });
      assertEquals(await seen(container, "stat", "-c", "%u:%g", "/mnt/kept"), "0:0");
      const error = await assertRejects(
        () => fs.readTextFile("/mnt/kept"),
        Deno.errors.PermissionDenied,
      );
      assertStringIncludes(error.message, 'fs.as("root")');
      assertEquals(await fs.as("root").readTextFile("/mnt/kept"), "secret");
    }));
}
