/** Attacks on held changes: on where they are kept, and on the files of the host at the commit. */

import { assertEquals } from "@std/assert";
import { hold } from "../../changes/mod.ts";
import { O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../ffi/calls/constants/open.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { removeAll } from "../../ffi/files/remove_tree.ts";
import { open } from "../../ffi/linux/files.ts";
import { syscallNumber } from "../../ffi/syscall_numbers.ts";
import { PROTECTED_NAMES } from "../../mod.ts";
import { inKitchen, runIn } from "../changes/support.ts";

inKitchen("no program sees where changes are held, or writes there", async (kitchen) => {
  const { directory, place } = kitchen;
  const whole = directory.slice(0, directory.lastIndexOf("/"));
  await using held = await hold([directory], { place });
  const [kept] = Object.values(held.places);
  const attack = `ls -A ${whole} ${kept} 2> /dev/null || true; ` +
    `for f in ${kept}/upper/x ${kept}/../commit.json ${place}/x; do ` +
    "! { echo x > $f; } 2> /dev/null; done";
  const shown = await runIn(held.sandbox({ read: [whole] }), directory, attack);
  assertEquals(shown.split("\n").filter((line) => /upper|work|json/.test(line)), []);
  assertEquals(await held.changes(), []);
  // Who writes there can have any file of the user changed.
  assertEquals(PROTECTED_NAMES.includes("~/.local/state/ramekin"), true);
});

inKitchen("a commit follows no link, of the program's or the host's", async (kitchen) => {
  const { directory, place } = kitchen;
  const outside = `${directory}.outside`;
  Deno.mkdirSync(outside);
  Deno.writeTextFileSync(`${outside}/soup`, "mine\n");
  Deno.mkdirSync(`${directory}/sub`);
  Deno.mkdirSync(`${directory}/swapped`);
  await using held = await hold([directory], { place });
  await runIn(
    held.sandbox(),
    directory,
    `echo x > sub/soup; echo x > swapped/soup; ln -s ${outside} link; ln -s ${outside}/soup file; ` +
      `rm -r sub; ln -s ${outside} sub; ln -s ../../../../etc/passwd up`,
  );
  // An earlier program of the same user swaps a directory for a link.
  Deno.removeSync(`${directory}/swapped`);
  Deno.symlinkSync(outside, `${directory}/swapped`);
  await held.commit(undefined, { conflicts: "overwrite" });
  assertEquals(Deno.readTextFileSync(`${outside}/soup`), "mine\n");
  assertEquals([...Deno.readDirSync(outside)].length, 1);
  assertEquals(Deno.readLinkSync(`${directory}/sub`), outside);
  assertEquals(Deno.readTextFileSync(`${directory}/swapped/soup`), "x\n");
  assertEquals(Deno.lstatSync(`${directory}/swapped`).isDirectory, true);
});

inKitchen(
  "links on the way to protected names, and files in place of .git, are told",
  async (kitchen) => {
    const { directory, place } = kitchen;
    Deno.mkdirSync(`${directory}/lib`);
    await using held = await hold([directory], { place });
    const attack = "mkdir x; echo x > x/config; for d in . lib; do " +
      "for name in .git .claude .cargo; do ln -s x $d/$name; done; done; " +
      "mkdir new; echo gitdir: ../x > new/.git; " +
      "mkdir -p deep/.git/modules/lib; echo ../x > deep/.git/modules/lib/commondir; echo x > .gitignore";
    await runIn(held.sandbox(), directory, attack);
    const told = (await held.changes()).filter(({ protectedBy }) => protectedBy !== undefined);
    assertEquals(told.map(({ path }) => path.slice(directory.length + 1)), [
      ".cargo",
      ".claude",
      ".git",
      "deep/.git/modules/lib/commondir",
      "lib/.cargo",
      "lib/.claude",
      "lib/.git",
      "new/.git",
    ]);
  },
);

inKitchen("names in the home directory are told whatever HOME calls it", async (kitchen) => {
  const { directory, place } = kitchen;
  const link = `${directory}.link`;
  Deno.symlinkSync(directory, link);
  const before = Deno.env.get("HOME");
  try {
    for (const home of [link, `${directory}/`]) {
      Deno.env.set("HOME", home);
      await using held = await hold([directory], { place });
      const box = held.sandbox({ denyWrite: [`${link}/later`] });
      await runIn(box, directory, "echo x > .bashrc; echo x > later; mkdir x; ln -s x .config");
      const told = (await held.changes()).map(({ protectedBy }) => protectedBy);
      assertEquals(told.map((name) => name !== undefined), [true, true, true, false]);
    }
  } finally {
    if (before === undefined) Deno.env.delete("HOME");
    else Deno.env.set("HOME", before);
  }
});

inKitchen(
  "directories beyond PATH_MAX are thrown away, and the next hold() succeeds",
  async (kitchen) => {
    const { directory, place } = kitchen;
    const name = "d".repeat(200);
    {
      await using held = await hold([directory], { place });
      const attack =
        `i=0; while [ $i -lt 30 ]; do mkdir ${name}; cd -P ${name}; i=$((i+1)); done; ` +
        "echo x > end; chmod 0 .";
      await runIn(held.sandbox(), directory, attack);
      await held.discard();
    }
    await using held = await hold([directory], { place });
    assertEquals(await held.changes(), []);
  },
);

inKitchen(
  "what configurations of git name, and bare repositories read, is told",
  async (kitchen) => {
    const { directory, place } = kitchen;
    for (const repository of [`${directory}/.git`, `${directory}/menu.git`]) {
      for (const name of ["", "objects", "refs"]) Deno.mkdirSync(`${repository}/${name}`);
      Deno.writeTextFileSync(`${repository}/HEAD`, "ref: refs/heads/main\n");
    }
    const settings = "[core]\nhooksPath = .checks\n[include]\npath = ../more\n";
    Deno.writeTextFileSync(`${directory}/.git/config`, settings);
    await using held = await hold([directory], { place });
    const attack = "mkdir .checks menu.git/hooks; echo x > .checks/pre-commit; echo x > more; " +
      "echo x > menu.git/commondir; echo x > menu.git/hooks/update; echo x > other";
    await runIn(held.sandbox(), directory, attack);
    const told = (await held.changes()).map(({ path, protectedBy }) => [path, protectedBy]);
    assertEquals(
      told,
      [
        ["/.checks", ".git/config"],
        ["/.checks/pre-commit", ".git/config"],
        ["/menu.git/commondir", ".git/commondir"],
        ["/menu.git/hooks", ".git/hooks"],
        ["/menu.git/hooks/update", ".git/hooks"],
        ["/more", ".git/config"],
        ["/other", undefined],
      ].map(([path, name]) => [`${directory}${path}`, name]),
    );
  },
);

/** A file of the user's that nobody else may read. */
function secretBeside(directory: string): { readonly path: string; readonly mode: () => number } {
  const path = `${directory}.secret`;
  Deno.writeTextFileSync(path, "mine\n", { mode: 0o600 });
  return { path, mode: () => Deno.statSync(path).mode! & 0o7777 };
}

inKitchen(
  "links that take the place of directories while these are removed change no other file's mode",
  async ({ directory }) => {
    const secret = secretBeside(directory);
    Deno.chmodSync(secret.path, 0o400);
    const paths = Array.from({ length: 200 }, (_, at) => `${directory}/${at}`);
    for (const path of paths) Deno.mkdirSync(path);
    Deno.writeTextFileSync(`${directory}/first`, "");
    using root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    let isOver = false;
    const removing = removeAll(root.number).catch(() => {}).finally(() => isOver = true);
    const isThere = (path: string) => {
      try {
        return Deno.lstatSync(path).isDirectory;
      } catch {
        return false;
      }
    };
    // Once the directory was listed, and its files were removed.
    while (!isOver && Array.from(Deno.readDirSync(directory)).some(({ isFile }) => isFile)) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const left = paths.filter(isThere);
    for (const path of left) {
      Deno.removeSync(path);
      Deno.symlinkSync(secret.path, path);
    }
    await removing;
    assertEquals([left.length > 0, secret.mode()], [true, 0o400]);
  },
);

inKitchen(
  "a program that swaps directories for links while changes are made changes no mode of others",
  async (kitchen) => {
    const { directory, place } = kitchen;
    const secret = secretBeside(directory);
    const names = Array.from({ length: 50 }, (_, at) => `d${at}`);
    for (const name of names) Deno.mkdirSync(`${directory}/${name}`);
    await using held = await hold([directory], { place });
    await runIn(
      held.sandbox(),
      directory,
      `chmod 750 ${names.join(" ")}`,
    );
    // Another program of this user, which may write there: it waits for the commit to begin.
    const attack = `
    chdir $ARGV[0]; my @names = split / /, $ARGV[2]; symlink $ARGV[1], "l$_" for @names;
    $| = 1; print "ready\\n"; my @own; 1 until @own = glob ".ramekin-*";
    chmod 0077, @names;
    while (1) { syscall $ARGV[3], -100, "$_", -100, "l$_", 2 for @names }`;
    const number = String(syscallNumber("renameat2", engine().architecture));
    const args = ["-e", attack, "--", directory, secret.path, names.join(" "), number];
    const racer = new Deno.Command("perl", { args, stdout: "piped", stderr: "null" }).spawn();
    const reader = racer.stdout.getReader();
    await reader.read();
    await held.commit(undefined, { conflicts: "overwrite" }).catch(() => {});
    racer.kill("SIGKILL");
    await racer.status;
    await reader.cancel();
    assertEquals(secret.mode(), 0o600);
  },
);
