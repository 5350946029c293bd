/** Looking for names in directories of the host. */

import { assert, assertEquals } from "@std/assert";
import { liveHost } from "../../host/live_host.ts";
import type { NameScan } from "../../host/name_question.ts";
import { NameScanner } from "../../host/name_scan.ts";
import { inDirectory, test } from "../support.ts";

const HOST = liveHost();

/** Returns the paths that are found, from the directory. */
function found(directory: string, ...names: string[]): string[] {
  const scan = HOST.scanNames({ directory, names, absent: [], except: [], uid: 0 });
  return scan.found.map(({ path }) => path.slice(directory.length + 1));
}

function write(directory: string, ...paths: string[]): void {
  for (const path of paths) {
    Deno.mkdirSync(`${directory}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${directory}/${path}`, "");
  }
}

test(
  "a name is the whole end of a path, in upper or lower case",
  inDirectory((directory) => {
    write(directory, ".rc", "a.rc", "b/.rc", "c/.RC", "d/x/y", "d/x/z", "dd/x/y");
    assertEquals(found(directory, ".rc"), [".rc", "b/.rc", "c/.RC"]);
    assertEquals(found(directory, "d/x"), ["d/x"]);
    assertEquals(found(`${directory}/d`, "d/x"), ["x"]);
  }),
);

test(
  "what is found is not looked through",
  inDirectory((directory) => {
    write(directory, "a/b/a", "b/a");
    assertEquals(found(directory, "a"), ["a", "b/a"]);
  }),
);

test(
  "the depth is bounded, but for repositories of git",
  inDirectory((directory) => {
    write(directory, "1/2/3/x", "1/2/3/4/x", "node_modules/a/x");
    assertEquals(found(directory, "x"), ["1/2/3/x"]);
    write(directory, ".git/modules/a/b/c/d/e/HEAD", ".git/modules/a/b/c/d/e/objects/x");
    write(directory, ".git/modules/a/b/c/d/e/refs/x", ".git/modules/a/b/c/d/e/config");
    assertEquals(found(directory, ".git/config"), [".git/modules/a/b/c/d/e/config"]);
  }),
);

test(
  "the number of directories is bounded, and where it is not enough nothing is found",
  inDirectory((directory) => {
    for (let index = 0; index < 600; index++) Deno.mkdirSync(`${directory}/${index}`);
    write(directory, "0/a/b/x", "x", ".git/hooks/x", ".git/modules/a/HEAD");
    write(directory, ".git/modules/a/commondir", ".git/modules/a/config");
    assertEquals(found(directory, "x"), ["0/a/b/x", "x"]);
    assertEquals(found(directory, ".git/hooks", ".git/config"), [
      ".git/hooks",
      ".git/modules/a/config",
    ]);
    const question = { directory, names: ["x"], absent: [], except: [], uid: 0 };
    const { directories } = HOST.scanNames(question);
    assertEquals(HOST.scanNames({ ...question, most: directories }).found.length, 2);
    const { found: few, directories: more } = HOST.scanNames({ ...question, most: 100 });
    assertEquals([few.length, more > 100], [0, true]);
  }),
);

test(
  "looking like a repository adds names, and takes no directory out of what is looked through",
  inDirectory((directory) => {
    write(directory, "HEAD", "objects/00/x", "refs/x", "logs/a/x", ".git/hooks/x", ".git/HEAD");
    write(directory, ".git/objects/00/x", "modules/a/b/c/d/e/HEAD", "modules/a/b/c/d/e/hooks/x");
    write(directory, "modules/a/b/c/d/e/refs/x", "other/a/b/x");
    assertEquals(found(directory, "x", ".git/hooks"), [
      ".git/hooks",
      "logs/a/x",
      "modules/a/b/c/d/e/hooks",
      "modules/a/b/c/d/e/hooks/x",
      "modules/a/b/c/d/e/refs/x",
      "objects/00/x",
      "other/a/b/x",
      "refs/x",
    ]);
  }),
);

test(
  "names of bytes that are not UTF-8 are found, and lead to the files",
  inDirectory((directory) => {
    const { success } = new Deno.Command("sh", {
      args: [
        "-ec",
        `cd "$0"; d=$(printf 'a\\351\\303\\251b'); mkdir "$d"; echo > "$d/x"`,
        directory,
      ],
    }).outputSync();
    assertEquals(success, true);
    assertEquals(found(directory, "x"), ["a\udce9\u00e9b/x"]);
  }),
);

test(
  "a scan is the same until there are other names, or they lead elsewhere",
  inDirectory((directory) => {
    write(directory, "a/file", "b/file", ".git/HEAD", ".git/config");
    Deno.symlinkSync("a/file", `${directory}/rc`);
    const question = {
      directory,
      names: ["rc", ".git/config"],
      absent: ["gone"],
      except: [],
      uid: 0,
    };
    const changes: readonly [same: boolean, change: () => void][] = [
      [true, () => {}],
      [true, () => write(directory, "a/other")],
      [false, () => write(directory, "b/rc")],
      [false, () => Deno.removeSync(`${directory}/b/rc`)],
      [false, () => {
        Deno.removeSync(`${directory}/rc`);
        Deno.symlinkSync("b/file", `${directory}/rc`);
      }],
      [false, () => Deno.writeTextFileSync(`${directory}/.git/config`, "[core]\nhooksPath = a")],
      [false, () => write(directory, "gone")],
      [false, () => Deno.linkSync(`${directory}/.git/config`, `${directory}/b/hard`)],
    ];
    for (const [same, change] of changes) {
      const scan = HOST.scanNames(question);
      change();
      assertEquals(HOST.sameNames([scan]), same, String(change));
    }
  }),
);

test(
  "scans of the same directories are the same together, until one would be another",
  inDirectory((directory) => {
    write(directory, "a/file", "a/x");
    const question = { directory, absent: [], except: [], uid: 0 };
    const scans = () => {
      const first = HOST.scanNames({ ...question, names: ["file"] });
      return [first, HOST.scanNames({ ...question, names: ["x"] }, first)];
    };
    assertEquals(scans().map(({ found }) => found.length), [1, 1]);
    const [before, later] = [scans(), scans()];
    assertEquals([HOST.sameNames([]), HOST.sameNames(before), HOST.sameNames(before)], [
      true,
      true,
      true,
    ]);
    write(directory, "x");
    assertEquals([HOST.sameNames(before), HOST.sameNames(later)], [false, false]);
  }),
);

test(
  "pipes in place of git's files are not waited for, and links have an end",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/.git`);
    for (const name of [".git/commondir", ".git/config", "a"]) {
      new Deno.Command("mkfifo", { args: [`${directory}/${name}`] }).outputSync();
    }
    Deno.symlinkSync("loop", `${directory}/loop`);
    Deno.symlinkSync("..", `${directory}/up`);
    Deno.symlinkSync("/", `${directory}/root`);
    assertEquals(
      found(directory, "a", "loop", "up", "root", ".git/config"),
      [".git/config", "a", "loop", "root", "up"],
    );
  }),
);

test(
  "a directory is found that its owner may not read, or write to where a name is missing",
  inDirectory((directory) => {
    write(directory, "closed/rc", "a/.git/HEAD", "b/x", "shut/a/rc");
    const names = ["rc", ".git/hooks"];
    const uid = Deno.statSync(directory).uid!;
    const owner = uid === 0 ? 65534 : uid;
    for (const path of ["", "/closed", "/a/.git", "/b", "/shut"]) {
      if (uid === 0) Deno.chownSync(directory + path, owner, owner);
    }
    for (const [path, mode] of [["closed", 0o311], ["a/.git", 0o555], ["b", 0o555], ["shut", 0]]) {
      Deno.chmodSync(`${directory}/${path}`, mode as number);
    }
    const scan = (uid: number) => {
      const { found } = HOST.scanNames({ directory, names, absent: names, except: [], uid });
      return found.map(({ path }) => path.slice(directory.length + 1));
    };
    // Root may write everywhere.
    assertEquals(scan(owner), [...(uid === 0 ? [] : ["a/.git"]), "closed", "shut"]);
    Deno.chmodSync(directory, 0o300);
    assertEquals(scan(owner), [""]);
    Deno.chmodSync(directory, 0o755);
    for (const path of ["closed", "a/.git", "b", "shut"]) {
      Deno.chmodSync(`${directory}/${path}`, 0o755);
    }
  }),
);

test(
  "what a configuration of git includes is read too, and ~ is the home directory",
  inDirectory((directory) => {
    const text = (path: string, text: string) => Deno.writeTextFileSync(directory + path, text);
    write(directory, ".git/HEAD", "home/.gitconfig", "a", "b", "home/c", "hooks/x");
    write(directory, "home/.config/git/config", "home/d");
    text("/home/.config/git/config", "[include]\n\tpath = ../../d\n");
    text("/.git/config", "[include]\n\tpath = ../a\n");
    text("/a", "[include]\n\tpath = b\n[core]\n\thooksPath = hooks\n");
    text("/b", "[include] path = ../x/../a\n");
    text("/home/.gitconfig", '[include]\n\tpath = "~/c"\n');
    const home = `${directory}/home`;
    const { found } = HOST.scanNames({
      directory,
      names: [".git/config", ".gitconfig", ".config/git"],
      absent: [],
      except: [],
      home,
      uid: 0,
    });
    assertEquals(
      found.map(({ path }) => path.slice(directory.length + 1)),
      [".git/config", "a", "b", "home/.config/git", "home/.gitconfig", "home/c", "home/d", "hooks"],
    );
  }),
);

test(
  "the user's own configuration counts for each repository, wherever it is",
  inDirectory((directory) => {
    const text = (path: string, text: string) => Deno.writeTextFileSync(directory + path, text);
    write(directory, "home/.gitconfig", "xdg/git/config", "work/a/.git/HEAD", "work/b/.git/HEAD");
    write(directory, "work/a/own/x", "work/b/own/x", "work/all/x", "work/one", "work/a/other/x");
    write(directory, "work/new/hooks/x");
    text(
      "/home/.gitconfig",
      '[core] # own\n\thooksPath = "own" ; here\n[include]\n path=../work/one',
    );
    text(
      "/xdg/git/config",
      `[core]\nhookspath = ${directory}/work/all\n[init]\ntemplateDir=${directory}/work/new\n`,
    );
    text("/work/one", "[core]\nhooksPath = ot\\\nher\n");
    const question = {
      directory: `${directory}/work`,
      names: [".git/hooks"],
      absent: [],
      except: [],
      home: `${directory}/home`,
      configHome: `${directory}/xdg`,
      uid: 0,
    };
    assertEquals(
      new NameScanner().scan(question, HOST.otherNames()).found.map(({ path }) =>
        path.slice(directory.length + 6)
      ),
      ["a/other", "a/own", "all", "b/own", "new", "one"],
    );
  }),
);

test(
  "what a program writes into configurations of git does not take without end",
  inDirectory((directory) => {
    write(directory, ".git/HEAD", ".git/objects/x", ".git/refs/x");
    const lines = (key: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${key} = ${key}${index}\n`).join("");
    const config = `${directory}/.git/config`;
    const names = [".git/hooks"];
    const scan = () =>
      HOST.scanNames({ directory, names, absent: [], except: [], uid: 0, most: 1000 });
    // Each directory of hooks is one in every worktree.
    Deno.writeTextFileSync(config, lines("hookspath", 300) + lines("worktree", 300));
    assertIsOver(scan());
    // Configurations that include others, and paths with many parts.
    Deno.writeTextFileSync(config, lines("path", 300));
    for (let index = 0; index < 300; index++) {
      Deno.writeTextFileSync(`${directory}/.git/path${index}`, `path = ${"a/".repeat(2000)}\n`);
    }
    assertIsOver(scan());
    Deno.writeTextFileSync(config, lines("hookspath", 3) + lines("worktree", 3));
    assert(scan().directories < 100);
  }),
);

/** The scan has given up at once when it was too much. */
function assertIsOver({ found, directories }: NameScan): void {
  assertEquals(found, []);
  assert(directories > 1000 && directories < 1500, `${directories}`);
}
