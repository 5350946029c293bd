/** Boxes that protect names in a directory that their program may write to. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { buildBox } from "../../box/mod.ts";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import {
  bind,
  landlock,
  mapRoot,
  protect,
  PROTECTED_NAMES,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  unshare,
} from "../../mod.ts";
import { nameTree } from "../../plan/steps/name_tree.ts";
import { decode } from "../other_scripts.ts";
import { root, test } from "../support.ts";
import { failedRecords } from "./failed_records.ts";
import { BoxFile, type BoxResult } from "./support.ts";

const NAMES = [".bashrc", ".claude/a", ".claude/b", ".git/commondir", ".git/hooks", ".vscode"];

/** A recipe that protects a directory of the host where it is. */
function protecting(directory: string, names: readonly string[] = NAMES): Recipe {
  return recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    bind(directory, directory),
    protect(directory, directory, { names }),
  );
}

function makeRepository(directory: string): void {
  Deno.mkdirSync(`${directory}/.git/hooks`, { recursive: true });
  Deno.writeTextFileSync(`${directory}/.git/config`, "[core]\n");
  Deno.mkdirSync(`${directory}/.claude`);
  Deno.writeTextFileSync(`${directory}/.claude/a`, "a");
}

/** Gives a test a directory of its own. */
function inNew(body: (directory: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const directory = Deno.makeTempDirSync();
    try {
      await body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

/** What is in a directory and below it. */
function listing(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => [
    name,
    ...(isDirectory ? listing(`${directory}/${name}`).map((inner) => `${name}/${inner}`) : []),
  ]).sort();
}

const TRIES = `for file in "$@"; do
  (echo changed >>$file) 2>/dev/null && echo "changed $file"
done
for name in .git .claude .vscode; do mv $name moved 2>/dev/null && echo "moved $name"; done
rmdir .vscode 2>/dev/null && echo "removed .vscode"
umask; exit 3`;

async function tryIn(box: BoxFile, directory: string, ...files: string[]): Promise<BoxResult> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `umask 027; exec "$@"`, "sh", box.path, "sh", "-c", TRIES, "sh", ...files],
    cwd: directory,
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

test(
  "names are held in a directory that may be written, found or missing, and no file is left",
  inNew(async (directory) => {
    makeRepository(directory);
    const before = listing(directory);
    const held = [
      ".git/hooks/post-commit",
      ".git/commondir",
      ".claude/a",
      ".claude/b",
      ".vscode/x",
    ];
    for (const container of [protecting(directory), sandbox({ write: [directory] })]) {
      const isSandbox = container.steps.length > 10;
      using box = new BoxFile(container, { cwd: "caller" });
      const more = isSandbox ? [".git/config", ".idea/x"] : [];
      const names = isSandbox ? held.filter((name) => !name.startsWith(".claude")) : held;
      const result = await tryIn(box, directory, ...names, ...more, "made");
      assertEquals(result, { code: 3, stdout: "changed made\n0027\n", stderr: "" });
      Deno.removeSync(`${directory}/made`);
      assertEquals(listing(directory), before);
    }
  }),
);

test(
  "what is read in a home directory alone can be made elsewhere, and a repository too",
  inNew(async (directory) => {
    using box = new BoxFile(sandbox({ write: [directory] }), { cwd: "caller" });
    const { code, stderr } = await box.run(
      ["sh", "-euc", "echo >.profile; mkdir -p .git/hooks; echo >.git/hooks/made; echo >.npmrc"],
      { cwd: directory },
    );
    assertEquals([code, stderr], [0, ""]);
    assertEquals(listing(directory), [
      ".git",
      ".git/hooks",
      ".git/hooks/made",
      ".npmrc",
      ".profile",
    ]);
    // The next box finds them.
    const again = await box.run(["sh", "-c", "echo >>.npmrc; echo >>.git/hooks/made"], {
      cwd: directory,
    });
    assertEquals(again.code, 2);
    assertEquals(Deno.readTextFileSync(`${directory}/.npmrc`), "\n");
  }),
);

test(
  "a file .git is held, and a file in place of a directory",
  inNew(async (directory) => {
    Deno.writeTextFileSync(`${directory}/.git`, "gitdir: /elsewhere\n");
    Deno.writeTextFileSync(`${directory}/.claude`, "");
    using box = new BoxFile(protecting(directory), { cwd: "caller" });
    const { stdout } = await tryIn(box, directory, ".git", ".claude");
    assertEquals(stdout, "0027\n");
    assertEquals(listing(directory), [".claude", ".git"]);
  }),
);

test(
  "boxes share what they hold, the last one removes it, and takes over what a killed one has left",
  inNew(async (directory) => {
    using box = new BoxFile(protecting(directory));
    const start = async () => {
      const process = box.spawn(["sh", "-c", "echo ready; read line; (echo >.vscode/x) 2>&1"], {
        cwd: directory,
        stdin: "piped",
      });
      const reader = process.stdout.getReader();
      await reader.read();
      return { process, reader };
    };
    const end = async ({ process, reader }: Awaited<ReturnType<typeof start>>) => {
      await process.stdin.close();
      let said = "";
      for (let part; !(part = await reader.read()).done;) said += decode(part.value);
      assertStringIncludes(said, "Read-only file system");
      await process.status;
      await process.stderr.cancel();
    };
    const [first, second] = [await start(), await start()];
    await end(first);
    assertEquals(listing(directory), [".claude", ".vscode"]);
    await end(second);
    assertEquals(listing(directory), []);
    const killed = await start();
    killed.process.kill("SIGKILL");
    await killed.process.status;
    await killed.reader.cancel();
    await killed.process.stdin.close().catch(() => {});
    await killed.process.stderr.cancel();
    assertEquals(listing(directory), [".claude", ".vscode"]);
    assertEquals((await box.run(["true"])).code, 0);
    assertEquals(listing(directory), []);
  }),
);

test(
  "a name that cannot be made for another reason than its directory's mode ends the launch",
  inNew((directory) => {
    using box = new BoxFile(protecting(directory));
    const limited = recipe(landlock({ execute: ["/"], read: ["/"], write: ["/dev"] }));
    const { success, stderr } = limited.command("timeout", { args: ["10", box.path, "true"] })
      .outputSync();
    assert(!success);
    assertStringIncludes(decode(stderr), "it cannot be made now");
  }),
  landlockVersion() === 0 ? "needs landlock" : undefined,
);

test(
  "what a box cannot hold, it says: links, hard links, and directories that are closed",
  inNew(async (directory) => {
    using box = new BoxFile(protecting(directory));
    const refused = async (says: RegExp) => {
      const { code, stderr } = await box.run(["true"]);
      assertEquals(code, 125);
      assertMatch(stderr, says);
    };
    Deno.writeTextFileSync(`${directory}/file`, "");
    Deno.symlinkSync("file", `${directory}/.bashrc`);
    await refused(
      /^box: step 4 \(protect\): openat2\(.*"\.bashrc".* failed: ELOOP\n {2}it is a symb/,
    );
    Deno.removeSync(`${directory}/.bashrc`);
    Deno.linkSync(`${directory}/file`, `${directory}/.bashrc`);
    await refused(
      /^box: step 4 \(protect\): <\.bashrc>\.nlink failed: EINVAL\n {2}it has another name/,
    );
    Deno.removeSync(`${directory}/.bashrc`);
    assertEquals(listing(directory), ["file"]);
    Deno.symlinkSync("/tmp", `${directory}/.claude`);
    await refused(/"\.claude".* failed: ELOOP\n/);
    Deno.removeSync(`${directory}/.claude`);
    assertEquals((await box.run(["true"])).code, 0);
    assertEquals(listing(directory), ["file"]);
    // The user could open it, but nobody else's.
    const asUser = root ? { uid: 65534, gid: 65534 } : {};
    Deno.chmodSync(directory, 0o555);
    if (root) {
      assertEquals(await box.run(["true"], asUser), { code: 0, stdout: "", stderr: "" });
      Deno.chownSync(directory, 65534, 65534);
    }
    const { code, stderr } = await box.run(["true"], asUser);
    assertEquals(code, 125);
    assertMatch(stderr, /\(protect\): mkdirat\(.* failed: EACCES\n.*chmod u\+rwx\n$/);
    Deno.chmodSync(directory, 0o755);
  }),
);

test(
  "a file that is named itself may be changed, and a directory that is missing has no names",
  inNew(async (directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "");
    using box = new BoxFile(sandbox({ write: [`${directory}/file`] }));
    assertEquals((await box.run(["sh", "-c", `echo x >${directory}/file`])).code, 0);
    assertEquals(Deno.readTextFileSync(`${directory}/file`), "x\n");
  }),
);

test("names in a home directory cannot be made there, nor programs that it has changed", () => {
  const find = (directory: string, path: string, names = PROTECTED_NAMES) => {
    let nodes = nameTree(directory, names, []);
    let found = nodes.find((node) => node.path === path.split("/")[0]);
    while (found !== undefined && found.path !== path) {
      nodes = found.children;
      found = nodes.find((node) => path === node.path || path.startsWith(`${node.path}/`));
    }
    return found;
  };
  for (const home of ["/root", "/home/cook"]) {
    assertEquals(find(home, ".bashrc")?.mayBeMade, false);
    assertEquals(find(home, ".local/bin")?.mayBeMade, false);
    assertEquals(find(home, ".cargo/bin")?.mayBeMade, true);
  }
  assertEquals(find("/home/cook/project", ".bashrc")?.mayBeMade, true);
  assertEquals(find("/home/cook/project", ".local/bin"), undefined);
  assertEquals(find("/home/cook/project", ".vscode")?.mayBeMade, false);
  assertEquals(find("/srv/.claude", "hooks")?.isName, true);
  assertEquals(find("/srv/project/.git", "config")?.mayBeMade, false);
  assertEquals(nameTree("/srv", [".vscode"], ["/srv/.vscode"]), []);
});

test("directories in which homes lie that are not known, and those of boxes, are refused", () => {
  const refused = (directory: string, says: string, shown = recipe()) => {
    const error = assertThrows(
      () => buildBox(recipe(unshare("user", "mount"), mapRoot(), shown, protect(directory))),
      RecipeError,
    );
    assertEquals(error.step, "protect");
    assertStringIncludes(error.message, says);
  };
  refused("/", "whose home directories are in /");
  refused("/home", "whose home directories are in /home");
  refused("/srv", "/srv/menu is shown at /mnt too", recipe(bind("/srv/menu", "/mnt")));
  refused("/srv/cook/.cache/ramekin/boxes", "--no-protect");
  assert(buildBox(sandbox({ write: ["/srv"], protect: false })).length > 0);
});

test(
  "each call that holds names is made to fail, and told",
  inNew((directory) => {
    makeRepository(directory);
    const before = listing(directory);
    const container = protecting(directory, [
      ".claude/a",
      ".claude/b",
      ".git/commondir",
      ".vscode",
    ]);
    for (const { code, stderr, expected } of failedRecords(container, "step 4 (protect)")) {
      const left = listing(directory);
      // What could not be opened or looked at is not known by the end.
      for (const path of left.filter((path) => !before.includes(path))) {
        Deno.removeSync(`${directory}/${path}`);
      }
      if (code === 0) continue;
      assertEquals(code, 125);
      assertStringIncludes(stderr, expected);
      assert(left.length <= before.length + 1, left.join(" "));
    }
  }),
);
