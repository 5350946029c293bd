/** Changes that are held, told, made and thrown away. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ChangesError, describeChange, hold } from "../../changes/mod.ts";
import { sandbox } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { root } from "../support.ts";
import { inKitchen, runIn, setXattr, shownIn } from "./support.ts";

/** A kitchen as it is before a program comes. */
function furnish(directory: string): void {
  const write = (path: string, text: string, mode = 0o644) => {
    Deno.writeTextFileSync(`${directory}/${path}`, text);
    Deno.chmodSync(`${directory}/${path}`, mode);
  };
  for (const path of ["menu", "menu/old", "cellar", "cellar/wine", "empty", "shelf"]) {
    Deno.mkdirSync(`${directory}/${path}`);
  }
  write("soup.txt", "leek\n");
  write("salt", "salt\n", 0o600);
  write("menu/monday", "fish\n");
  write("menu/old/sunday", "roast\n");
  write("cellar/wine/red", "red\n");
  write("shelf/one", "one\n");
  write("pan", "pan\n");
  write("kept", "kept\n");
  Deno.linkSync(`${directory}/pan`, `${directory}/lid`);
  Deno.symlinkSync("soup.txt", `${directory}/link`);
  setXattr(`${directory}/salt`, "user.origin", "sea");
  setXattr(`${directory}/menu`, "user.cook", "ann");
}

/** What a program does: each kind of change. */
const WORK = `
umask 022
echo carrot >> soup.txt
chmod 640 salt
touch -d @1000000000 menu/monday
rm -r cellar
mv menu/old menu/new
rm pan
rmdir empty
echo file > empty
rm -r shelf; mkdir shelf; echo two > shelf/two; chmod 750 shelf
ln -sf kept link
ln -s /etc/shadow shadow
mkfifo -m 620 pipe
mkdir -m 2755 group; echo x > group/x
mkdir -m 1777 shared
echo hard > first; ln first second; mkdir deep; ln first deep/third
truncate -s 1M holes; printf end >> holes
perl -e 'use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0); bind($s, sockaddr_un("socket")) or die $!'
echo secret > closed; chmod 000 closed
mkdir shut; echo in > shut/in; chmod 000 shut
mkdir stuck; echo in > stuck/in; chmod 555 stuck
printf 'a\\nb' > "$(printf 'odd \\303\\244\\n name')"
echo same > kept.new; mv kept.new kept
touch salt
chmod 700 .
`;

/** What a program may not make otherwise. */
const LIFTED = { unixSockets: true, setuidFiles: true } as const;

inKitchen("held changes are what a program without a hold does", async ({ directory, place }) => {
  const other = `${directory}.other`;
  furnish(directory);
  Deno.mkdirSync(other, { mode: 0o755 });
  furnish(other);
  await runIn(sandbox({ write: [other], ...LIFTED }), other, WORK);
  const before = await shownIn(directory);

  await using held = await hold([directory], { place });
  await runIn(held.sandbox(LIFTED), directory, WORK);
  assertEquals(await shownIn(directory), before, "nothing is changed before the commit");
  const { left } = await held.commit();
  assertEquals(left, []);
  for (const path of [directory, other]) Deno.chmodSync(`${path}/shut`, 0o700);
  assertEquals(await shownIn(directory), await shownIn(other));
  assertEquals([...Deno.readDirSync(place)], []);
});

inKitchen("changes are told in order, each with what it was", async ({ directory, place }) => {
  furnish(directory);
  await using held = await hold([directory], { place });
  const box = held.sandbox();
  await runIn(box, directory, "echo carrot >> soup.txt; rm -r cellar; mkdir sub; ln -s x sub/link");
  // The next program sees what the one before has done.
  await runIn(
    box,
    directory,
    "test ! -e cellar; chmod 600 soup.txt; cat pan > pan2; touch -c kept; touch 'x\n+ y'",
  );
  const changes = await held.changes();
  assertEquals(changes.filter(({ path }) => !path.endsWith("kept")).map(describeChange), [
    `- ${directory}/cellar/`,
    `+ ${directory}/pan2 (4 bytes)`,
    `~ ${directory}/soup.txt (5 bytes, now 12, mode 0644, now 0600)`,
    `+ ${directory}/sub/`,
    `+ ${directory}/sub/link (leads to x)`,
    `+ ${directory}/x\\n+ y (0 bytes)`,
  ]);
  const { uid, gid } = Deno.statSync(directory);
  assertEquals(changes.find(({ path }) => path.endsWith("soup.txt")), {
    path: `${directory}/soup.txt`,
    change: "changed",
    before: { kind: "file", mode: 0o644, uid: uid!, gid: gid!, size: 5 },
    after: { kind: "file", mode: 0o600, uid: uid!, gid: gid!, size: 12 },
  });
  // Two containers may not use it at once, but a third one may be made later.
  const { made } = await held.commit([`${directory}/sub/link`, `${directory}/soup.txt`]);
  assertEquals(made.map(({ path }) => path.slice(directory.length)), [
    "/soup.txt",
    "/sub",
    "/sub/link",
  ]);
  assert(Deno.statSync(`${directory}/cellar/wine/red`).isFile);
  await assertRejects(() => held.changes(), ChangesError, "made or thrown away");
});

inKitchen("what was changed meanwhile is not overwritten", async (kitchen) => {
  const { directory, place } = kitchen;
  furnish(directory);
  const change = async () => {
    const held = await hold([directory], { place });
    await runIn(
      held.sandbox(),
      directory,
      "echo a >> soup.txt; rm -r cellar menu/old; echo b > salt; echo c > new; chmod 600 kept",
    );
    Deno.writeTextFileSync(`${directory}/soup.txt`, "mine\n");
    Deno.writeTextFileSync(`${directory}/cellar/wine/white`, "white\n");
    Deno.writeTextFileSync(`${directory}/new`, "mine\n");
    Deno.removeSync(`${directory}/kept`);
    return held;
  };
  {
    await using held = await change();
    const conflicts = (await held.changes()).filter(({ conflict }) => conflict !== undefined);
    assertEquals(conflicts.map(({ path, conflict }) => [path.slice(directory.length), conflict]), [
      ["/cellar", `${directory}/cellar/wine was changed meanwhile`],
      ["/kept", "it was removed meanwhile"],
      ["/new", "it was changed meanwhile"],
      ["/soup.txt", "it was changed meanwhile"],
    ]);
    const before = await shownIn(directory);
    const error = await assertRejects(() => held.commit(), ChangesError, "was changed on the host");
    assertEquals([error.code, error.changes.length], ["conflict", 4]);
    assertEquals(await shownIn(directory), before);
    const { left } = await held.commit(undefined, { conflicts: "leave" });
    assertEquals(left.length, 4);
    assertEquals(Deno.readTextFileSync(`${directory}/soup.txt`), "mine\n");
    assertEquals(Deno.readTextFileSync(`${directory}/salt`), "b\n");
    assert(!exists(`${directory}/menu/old`));
  }
  Deno.mkdirSync(`${directory}/menu/old`);
  Deno.writeTextFileSync(`${directory}/kept`, "kept\n");
  await using held = await change();
  await held.commit(undefined, { conflicts: "overwrite" });
  assertEquals(Deno.readTextFileSync(`${directory}/new`), "c\n");
  assert(!exists(`${directory}/cellar`));
});

inKitchen("files that are run or trusted later are told, and left", async (kitchen) => {
  const { directory, place } = kitchen;
  Deno.mkdirSync(`${directory}/.git/hooks`, { recursive: true });
  Deno.mkdirSync(`${directory}/.git/objects`);
  Deno.mkdirSync(`${directory}/.git/refs`);
  Deno.writeTextFileSync(`${directory}/.git/HEAD`, "ref: refs/heads/main\n");
  Deno.writeTextFileSync(`${directory}/fixed`, "fixed\n");
  await using held = await hold([directory], { place });
  const denied = [`${directory}/fixed`, `${directory}/later`];
  const box = held.sandbox({ denyWrite: denied, denyRead: [`${directory}/unseen`] });
  await runIn(
    box,
    directory,
    "! { echo x > .git/hooks/pre-commit; } 2> /dev/null; ! { echo x > fixed; } 2> /dev/null; " +
      "mkdir -p .VSCode sub/.git/hooks; echo x > .VSCode/tasks.json; echo x > later; echo x > unseen; " +
      "echo x > sub/.git/hooks/pre-commit; echo x > plain; echo x > .bashrc",
  );
  const guarded = (await held.changes()).filter(({ protectedBy }) => protectedBy !== undefined);
  assertEquals(
    guarded.map(({ path, protectedBy }) => [path.slice(directory.length), protectedBy]),
    [
      ["/.VSCode", ".vscode"],
      ["/.VSCode/tasks.json", ".vscode"],
      ["/later", `${directory}/later`],
      ["/sub/.git/hooks", ".git/hooks"],
      ["/sub/.git/hooks/pre-commit", ".git/hooks"],
      ["/unseen", `${directory}/unseen`],
    ],
  );
  const error = await assertRejects(() => held.commit(), ChangesError, "is protected, and 5 more");
  assertEquals(error.code, "protected");
  const { left } = await held.commit(undefined, { protected: "leave" });
  assertEquals(left.length, 6);
  assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), [
    ".bashrc",
    ".git",
    "fixed",
    "plain",
    "sub",
  ]);
});

inKitchen(
  "several directories are held, and what lies outside cannot be written",
  async (kitchen) => {
    const { directory, place } = kitchen;
    const [one, other] = [`${directory}/one`, `${directory}/other`];
    for (const path of [one, other, `${one}/inner`]) Deno.mkdirSync(path);
    await using held = await hold([other, one, `${one}/inner`, one], { place });
    assertEquals(held.directories, [one, other]);
    await runIn(
      held.sandbox({ read: [directory] }),
      directory,
      "echo 1 > one/inner/a; echo 2 > other/b; echo 4 > \"other/$(printf '\\377')\"; ! { echo 3 > c; } 2> /dev/null",
    );
    await held.commit();
    assertEquals(Deno.readTextFileSync(`${one}/inner/a`), "1\n");
    assertEquals(Deno.readTextFileSync(`${other}/b`), "2\n");
    // A name that is no UTF-8.
    const script = `cat "${other}/$(printf '\\377')"`;
    const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
    assertEquals(decode(stdout), "4\n");
  },
);

inKitchen("what cannot be held is refused, with the reason", async ({ directory, place }) => {
  Deno.writeTextFileSync(`${directory}/file`, "x");
  const refused = async (paths: readonly string[], says: string) => {
    const error = await assertRejects(() => hold(paths, { place }), ChangesError, says);
    assertEquals(error.code, "invalid");
  };
  await refused([`${directory}/file`], "is not a directory");
  await refused([`${directory}/nonesuch`], "does not exist");
  await refused(["/"], root ? "changes of / cannot be held" : "is not this user's to write");
  await refused([], "there is no directory");
  const error = await assertRejects(
    () => hold([directory], { place: `${directory}/place` }),
    ChangesError,
    `lies in ${directory}`,
  );
  assertEquals(error.code, "place");
  assertStringIncludes(error.advice.join(), "hold a directory that it is not in");
  Deno.mkdirSync(place, { mode: 0o755 });
  Deno.chmodSync(place, 0o755);
  await assertRejects(() => hold([directory], { place }), ChangesError, "is open to other users");
  Deno.chmodSync(place, 0o700);
});

inKitchen("a commit that cannot be prepared changes nothing", async (kitchen) => {
  const { directory, place } = kitchen;
  furnish(directory);
  await using held = await hold([directory], { place });
  await runIn(held.sandbox(LIFTED), directory, WORK);
  const before = await shownIn(directory);
  // What is in the way of the directory with the copies.
  const [id] = [...Deno.readDirSync(place)];
  Deno.writeTextFileSync(`${directory}/.ramekin-${id!.name}`, "");
  await assertRejects(() => held.commit());
  Deno.removeSync(`${directory}/.ramekin-${id!.name}`);
  assertEquals(await shownIn(directory), before);
  await held.commit();
  assertStringIncludes(Deno.readTextFileSync(`${directory}/soup.txt`), "carrot");
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
