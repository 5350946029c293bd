/**
 * What a container can do to a script that reads and writes its files by `container.fs`: links that
 * lead out, named pipes, files without end, names that change meanwhile.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bind,
  type Container,
  landlock,
  mapIds,
  mapRoot,
  pivotRoot,
  proc,
  type Recipe,
  recipe,
  setUser,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { notRoot, test } from "../support.ts";
import { SECRET } from "./support.ts";

/** Runs a script in a container, which goes on, and uses its files once it has said "ready". */
async function hostile(
  box: Recipe,
  script: string,
  body: (container: Container) => Promise<void>,
): Promise<void> {
  const args = ["-euc", script];
  await using container = box.command("sh", { args, stdout: "piped", killAfter: 0 }).spawn();
  const reader = container.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "ready\n", "the attack is not ready");
  await reader.cancel();
  await body(container);
}

/** A root of its own, with a directory of the host at /work, and a secret of the host beside it. */
async function withRoot(
  body: (box: Recipe, directory: string) => Promise<void>,
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    Deno.mkdirSync(`${directory}/work`);
    Deno.chmodSync(`${directory}/work`, 0o777);
    Deno.writeTextFileSync(`${directory}/secret`, SECRET);
    const box = recipe(
      unshare("user", "mount", "pid"),
      mapRoot(),
      tmpfs("/mnt"),
      ...["usr", "bin", "lib", "lib64", "proc", "work", "tmp", "dev"].map((name) =>
        ({ step: "mkdir", path: `/mnt/${name}` }) as const
      ),
      ...["usr", "bin", "lib", "lib64", "dev"].map((name) => bind(`/${name}`, `/mnt/${name}`)),
      bind(`${directory}/work`, "/mnt/work"),
      proc("/mnt/proc"),
      pivotRoot("/mnt"),
    );
    await body(box, directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

test("links lead to files of the container, and those of /proc nowhere", () =>
  withRoot(async (box, directory) => {
    const script = `
      ln -s ${directory}/secret /work/absolute
      ln -s ../../../../../..${directory}/secret /work/climbing
      exec 7< /work; ln -s /proc/self/fd/7/../secret /work/self
      ln -s /proc/$$/fd/7/../secret /work/descriptor
      ln -s /proc/$$/root/tmp /work/magic
      echo ready; exec sleep 60`;
    await hostile(box, script, async ({ fs }) => {
      for (const name of ["absolute", "climbing", "self", "descriptor"]) {
        const error = await assertRejects(() => fs.readTextFile(`/work/${name}`));
        assert(
          error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop,
          `${name}: ${error}`,
        );
      }
      const magic = () => Array.fromAsync(fs.readDir("/work/magic"));
      await assertRejects(magic, Deno.errors.FilesystemLoop);
      await assertRejects(() => fs.writeTextFile("/work/magic/new", ""));
      // A link in what is copied out is a link again.
      await fs.copyOut("/work", `${directory}/out`);
      assertEquals(Deno.readLinkSync(`${directory}/out/absolute`), `${directory}/secret`);
      assertEquals(Deno.readTextFileSync(`${directory}/secret`), SECRET);
    });
  }));

test("named pipes, files that grow and files that are mostly holes do not keep the script", () =>
  withRoot(async (box, directory) => {
    const script = `
      mkfifo /work/pipe
      head -c 100000 /dev/zero > /tmp/grows 2>/dev/null || perl -e 'print "0" x 100000' > /tmp/grows
      truncate -s 1T /tmp/holes
      perl -e 'open my $f, ">>", "/tmp/grows"; while (1) { syswrite $f, "x" x 4096; }' &
      echo ready; exec sleep 60`;
    await hostile(box, script, async ({ fs }) => {
      await assertRejects(() => fs.readFile("/work/pipe"), TypeError, "not a regular file");
      await assertRejects(() => fs.writeTextFile("/work/pipe", "soup"), Error, "ENXIO");
      await assertRejects(() => fs.copyOut("/work", `${directory}/out`), TypeError, "pipes");
      const { size } = await fs.stat("/tmp/grows");
      assert((await fs.readFile("/tmp/grows")).length >= size);
      await assertRejects(() => fs.readFile("/tmp/holes"), RangeError, "maxSize");
      const copy = () => fs.copyOut("/tmp/holes", `${directory}/holes`, { maxBytes: 2 ** 20 });
      await assertRejects(copy, RangeError, "maxBytes");
      assertEquals([...Deno.readDirSync(directory)].some(({ name }) => name === "holes"), false);
    });
  }));

test("a directory that turns into a link while it is copied or removed leads nowhere", () =>
  withRoot(async (box, directory) => {
    Deno.mkdirSync(`${directory}/other`);
    Deno.writeTextFileSync(`${directory}/other/kept`, SECRET);
    const both = recipe(
      ...box.steps.slice(0, -2),
      { step: "mkdir", path: "/mnt/other" },
      bind(`${directory}/other`, "/mnt/other"),
      ...box.steps.slice(-2),
    );
    const script = `
      mkdir -p /work/tree/a /work/spare; echo stew > /work/tree/a/kept
      perl -e '
        while (1) {
          rename "/work/tree/a", "/work/spare/a"; symlink "/other", "/work/tree/a";
          unlink "/work/tree/a"; rename "/work/spare/a", "/work/tree/a";
        }' &
      echo ready; exec sleep 60`;
    await hostile(both, script, async ({ fs }) => {
      for (let round = 0; round < 25; round++) {
        try {
          await fs.copyOut("/work/tree", `${directory}/out${round}`);
        } catch {
          // What was listed is gone, or no directory any more.
        }
        const copy = `${directory}/out${round}/a`;
        try {
          if (Deno.lstatSync(copy).isSymlink) continue;
          assertEquals(Deno.readTextFileSync(`${copy}/kept`), "stew\n");
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
      for (let round = 0; round < 25; round++) {
        try {
          await fs.remove("/work/tree", { recursive: true });
        } catch {
          // The same.
        }
        assertEquals(Deno.readTextFileSync(`${directory}/other/kept`), SECRET);
      }
    });
  }));

test("a program cannot have the script change what it may not change itself", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    Deno.mkdirSync(`${directory}/work`);
    Deno.chmodSync(`${directory}/work`, 0o777);
    Deno.writeTextFileSync(`${directory}/secret`, SECRET);
    const box = recipe(
      landlock({ execute: ["/"], write: [`${directory}/work`, "/dev/null"] }),
    );
    const script = `ln -s ${directory}/secret ${directory}/work/link; echo ready; exec sleep 60`;
    await hostile(box, script, async ({ fs }) => {
      const write = () => fs.writeTextFile(`${directory}/work/link`, "poison");
      await assertRejects(write, Deno.errors.PermissionDenied);
      await fs.writeTextFile(`${directory}/work/own`, "soup");
    });
    assertEquals(Deno.readTextFileSync(`${directory}/secret`), SECRET);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test(
  "root's script is no deputy for the users of a container",
  async () => {
    const range = [{ inside: 0, outside: 100000, count: 65536 }];
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o755);
      Deno.writeTextFileSync(`${directory}/secret`, SECRET, { mode: 0o600 });
      const mounts = [tmpfs("/mnt", { mode: 0o777 })] as const;
      const boxes = [
        recipe(unshare("mount"), ...mounts, setUser({ uid: 65534, gid: 65534 })),
        recipe(unshare("user", "mount"), mapIds({ uids: range, gids: range }), ...mounts),
      ];
      for (const box of boxes) {
        const script = `ln -s ${directory}/secret /mnt/link; ln -s ${directory} /mnt/directory
          echo ready; exec sleep 60`;
        await hostile(box, script, async ({ fs }) => {
          for (
            const act of [
              () => fs.readTextFile("/mnt/link"),
              () => fs.writeTextFile("/mnt/link", "poison"),
              () => fs.remove("/mnt/directory/secret"),
              () => fs.writeTextFile("/mnt/directory/new", "poison"),
              () => fs.copyIn("/etc/hostname", "/mnt/directory/secret"),
            ]
          ) await assertRejects(act, Deno.errors.PermissionDenied);
        });
      }
      assertEquals(Deno.readTextFileSync(`${directory}/secret`), SECRET);
      assertEquals([...Deno.readDirSync(directory)].length, 1);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
  notRoot,
);

test("holes of a file take no room, of the disk and of time", () =>
  withRoot(async (box, directory) => {
    // A terabyte, of which there are eight bytes.
    const script = `
      cd /work; printf beef > sparse
      perl -e 'open my $f, "+<", "sparse" or die; seek $f, 2**40, 0; print $f "leek"'
      echo ready; exec sleep 60`;
    await hostile(box, script, async ({ fs }) => {
      const { bytes } = await fs.copyOut("/work/sparse", `${directory}/copy`);
      assertEquals(bytes, 2 ** 40 + 4);
      using copy = Deno.openSync(`${directory}/copy`);
      const { size, blocks } = copy.statSync();
      assertEquals([size, blocks! < 2 ** 12], [bytes, true]);
      const found = new Uint8Array(4);
      copy.readSync(found);
      assertEquals(new TextDecoder().decode(found), "beef");
      copy.seekSync(2 ** 40, Deno.SeekMode.Start);
      copy.readSync(found);
      assertEquals(new TextDecoder().decode(found), "leek");
      const bounds = { maxBytes: 2 ** 30 };
      await assertRejects(() => fs.copyOut("/work/sparse", `${directory}/no`, bounds), RangeError);
    });
  }));
