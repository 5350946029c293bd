/** `protect`. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  bind,
  mapCurrentUser,
  PermissionError,
  protect,
  recipe,
  RecipeError,
  tmpfs,
  unshare,
} from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  failing,
  inDirectory,
  inside,
  root,
  test,
  testOn,
} from "../support.ts";

/** Writes files, by their paths in a directory. */
function write(directory: string, ...paths: string[]): void {
  for (const path of paths) {
    Deno.mkdirSync(`${directory}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${directory}/${path}`, "text\n");
  }
}

/** All paths in a directory, and the texts of files. */
function contentOf(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  const read = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(directory + path)) {
      const child = `${path}/${name}`;
      if (isDirectory) read(child);
      found[child] = isDirectory ? "" : Deno.readTextFileSync(directory + child);
    }
  };
  read("");
  return found;
}

const HOOKS = { names: [".git/hooks", ".bashrc"] } as const;

testOn(
  ["mount"],
  "files of the names are read-only, and others are not",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, ".bashrc", "file", "a/b/.bashrc", "a/.git/HEAD", "a/.git/hooks/pre-commit");
      write(directory, "a/.git/objects/x", "a/.git/refs/x", "hooks/pre-commit");
      const box = mounts.with(protect(directory, directory, HOOKS));
      const denied = [".bashrc", "a/b/.bashrc", "a/.git/hooks/pre-commit", "a/.git/hooks/new"];
      for (const path of denied) {
        assertStringIncludes(failing(box, `echo evil >> ${directory}/${path}`), "Read-only");
      }
      const before = contentOf(directory);
      inside(box, `cd ${directory}; echo more | tee -a file hooks/pre-commit a/.git/HEAD a/new`);
      const more = "text\nmore\n";
      assertEquals(contentOf(directory), {
        ...before,
        "/file": more,
        "/hooks/pre-commit": more,
        "/a/.git/HEAD": more,
        "/a/new": "more\n",
      });
    })(),
);

testOn(
  ["mount"],
  "the directories on the way cannot be moved or removed",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "a/.git/hooks/pre-commit", "a/b/.bashrc", "c/file");
      const box = mounts.with(protect(directory, directory, HOOKS));
      const before = contentOf(directory);
      for (const path of ["a", "a/.git", "a/.git/hooks", "a/b", "a/b/.bashrc"]) {
        const rename = `rename("${directory}/${path}", "${directory}/old") and exit; print $! + 0`;
        assert(
          ["16", "18"].includes(inside(box, `perl -e '${rename}'`)),
          "neither EBUSY nor EXDEV",
        );
        failing(box, `rm -r ${directory}/${path}`);
      }
      assertEquals(contentOf(directory), before);
      inside(box, `mv ${directory}/c ${directory}/d`);
    })(),
);

testOn(
  ["mount"],
  "a link, the links on its way, and what it leads to stay as they are",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "real/rc", "outside");
      Deno.symlinkSync("real", `${directory}/way`);
      Deno.symlinkSync("way/rc", `${directory}/.bashrc`);
      const box = mounts.with(protect(directory, directory, HOOKS));
      for (const path of [".bashrc", "real/rc", "way/rc"]) {
        failing(box, `echo evil > ${directory}/${path}`);
      }
      for (const path of [".bashrc", "real", "way"]) {
        failing(box, `mv ${directory}/${path} ${directory}/old`);
        failing(box, `rm -r ${directory}/${path}`);
      }
      assertEquals(inside(box, `cat ${directory}/.bashrc`), "text");
    })(),
);

testOn(
  ["mount"],
  "a hook that is a link protects what it leads to",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, ".git/HEAD", "scripts/check.sh");
      Deno.mkdirSync(`${directory}/.git/hooks`);
      Deno.symlinkSync("../../scripts/check.sh", `${directory}/.git/hooks/pre-push`);
      const box = mounts.with(protect(directory, directory, HOOKS));
      failing(box, `echo evil > ${directory}/scripts/check.sh`);
      failing(box, `mv ${directory}/scripts ${directory}/old`);
    })(),
);

testOn(
  ["mount"],
  "a name that is missing cannot be made, and leaves nothing behind",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, ".git/HEAD", "file");
      const before = contentOf(directory);
      const box = mounts.with(protect(directory, directory, { names: [".git/hooks", "a/b", "c"] }));
      for (const path of [".git/hooks/pre-commit", "a/b", "a/x", "c"]) {
        failing(box, `echo evil > ${directory}/${path}`);
        failing(box, `mkdir ${directory}/${path}`);
      }
      failing(box, `mv ${directory}/c ${directory}/d`);
      inside(box, `rm ${directory}/file`);
      const { "/file": _, ...rest } = before;
      assertEquals(contentOf(directory), rest);
    })(),
);

testOn(
  ["mount"],
  "what is excepted, and what the recipe mounts over it, is not protected",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "a/.bashrc", "b/.bashrc", "c/.bashrc");
      const box = mounts.with(
        tmpfs(`${directory}/b`),
        protect(directory, directory, { names: [".bashrc"], except: [`${directory}/a/.bashrc`] }),
      );
      inside(box, `cd ${directory}; echo new > a/.bashrc; echo new > b/.bashrc`);
      failing(box, `echo new > ${directory}/c/.bashrc`);
      assertEquals(contentOf(directory)["/a/.bashrc"], "new\n");
    })(),
);

testOn(
  ["mount"],
  "a directory is protected where it is bound",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, ".bashrc");
      const box = mounts.with(tmpfs("/mnt"), bind(directory, "/mnt/work"))
        .with(protect(directory, "/mnt/work", { names: [".bashrc", "b"] }));
      for (const name of [".bashrc", "b"]) failing(box, `echo > /mnt/work/${name}`);
      inside(box, `touch /mnt/work/file`);
      assertEquals(Object.keys(contentOf(directory)).sort(), ["/.bashrc", "/file"]);
    })(),
);

testOn(
  ["mount"],
  "a plan is made anew when there are other names",
  (mounts) =>
    inDirectory((directory) => {
      const box = mounts.with(protect(directory, directory, { names: ["x"], except: [] }));
      inside(box, "true");
      write(directory, "a/x");
      failing(box, `echo evil > ${directory}/a/x`);
      Deno.removeSync(`${directory}/a`, { recursive: true });
      inside(box, `mkdir ${directory}/a; touch ${directory}/a/x`);
    })(),
);

testOn(
  ["mount"],
  "a file is as it is named, and so is a directory that is gone",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, ".bashrc");
      inside(mounts.with(protect(`${directory}/.bashrc`)), `echo new > ${directory}/.bashrc`);
      inside(mounts.with(protect(`${directory}/gone`)), "true");
    })(),
);

testOn(["mount"], "a file with another name is refused", (mounts) =>
  inDirectory((directory) => {
    write(directory, "file");
    Deno.linkSync(`${directory}/file`, `${directory}/.bashrc`);
    assertRefused(() => mounts.with(protect(directory)), {
      step: "protect",
      says: "has another name, a hard link",
    });
    inside(mounts.with(protect(directory, directory, { names: ["b"] })), "true");
  })());

testOn(
  ["mount"],
  "a program cannot give a protected file another name",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, ".bashrc");
      const box = mounts.with(protect(directory));
      assertStringIncludes(
        failing(box, `ln ${directory}/.bashrc ${directory}/other`),
        "cross-device",
      );
    })(),
);

testOn(
  ["mount"],
  "a name that is gone when the recipe runs is an error",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "a/.bashrc");
      // The plan is made for the names as they are; the bind then covers them.
      const box = mounts.with(protect(directory, "/var/empty-or-missing", { names: [".bashrc"] }));
      assertFails(box, { step: "protect", code: "ENOENT", says: "" });
    })(),
);

test(
  "directories are looked through within a bound of the whole plan, and each question once",
  inDirectory((directory) => {
    for (let index = 0; index < 600; index++) Deno.mkdirSync(`${directory}/${index}`);
    const user = recipe(unshare("user", "mount"), mapCurrentUser());
    const steps = (names: (index: number) => string) =>
      user.with(
        ...Array.from(
          { length: 200 },
          (_, index) => protect(directory, directory, { names: [names(index)] }),
        ),
      );
    inside(steps(() => "x"), "true");
    assertRefused(() => steps((index) => `x${index}`), {
      step: "protect",
      says: `below ${directory} there are more directories, or paths`,
    });
  }),
);

test(
  "no directory is looked through that may not be written to",
  inDirectory((directory) => {
    write(directory, "file");
    Deno.linkSync(`${directory}/file`, `${directory}/.bashrc`);
    const box = recipe(unshare("user", "mount"), mapCurrentUser(), protect(directory));
    const run = (write: true | string[]) =>
      box.command("true", { permissions: { read: true, write } }).outputSync();
    assertThrows(() => run([]), PermissionError, directory);
    assertThrows(() => run([directory]), RecipeError, "a hard link");
  }),
);

test("invalid names are refused, and names on the host", () => {
  const refused = (names: string[], says: string) =>
    assertRefused(() => recipe(protect("/tmp", "/tmp", { names })), { step: "protect", says });
  refused(["/etc/passwd"], "is no name");
  refused(["a/../b"], "is no name");
  refused([".git/"], "is no name");
  refused([""], "is empty");
  assertRefused(() => recipe(protect("/tmp")), { step: "protect", says: 'unshare("mount")' });
  assertRefused(() => recipe(protect("tmp")), { step: "protect", says: "begin with /" });
});

test(
  "a directory that a program has closed to the next scan is read-only, or refused",
  inDirectory((directory) => {
    write(directory, ".git/HEAD", ".git/objects/x", ".git/refs/x", ".git/config");
    const user = recipe(unshare("user", "mount"), mapCurrentUser());
    const box = () => user.with(protect(directory, directory, HOOKS));
    inside(box(), `chmod 311 ${directory}/.git`);
    const again = `chmod 755 ${directory}/.git || mkdir ${directory}/.git/hooks`;
    assertStringIncludes(failing(box(), again), "Read-only");
    inside(box(), `chmod 311 ${directory}`);
    assertRefused(box, { step: "protect", says: "may not be read or written to by its owner" });
    Deno.chmodSync(directory, 0o755);
    Deno.chmodSync(`${directory}/.git`, 0o755);
  }),
  root ? "root may read everything" : undefined,
);
