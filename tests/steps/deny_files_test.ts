/** `denyFiles`. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  bind,
  denyFiles,
  mapCurrentUser,
  mapRoot,
  mkdir,
  overlay,
  pivotRoot,
  proc,
  protect,
  readonlyPaths,
  recipe,
  symlink,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { assertRefused, failing, inDirectory, inside, root, test, testOn } from "../support.ts";

/** Writes files, by their paths in a directory. */
function write(directory: string, ...paths: string[]): void {
  for (const path of paths) {
    Deno.mkdirSync(`${directory}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${directory}/${path}`, "soup\n");
  }
}

/** The names in a directory and below it. */
function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) =>
    isDirectory ? [name, ...namesIn(`${directory}/${name}`).map((path) => `${name}/${path}`)] : name
  ).sort();
}

testOn(
  ["mount"],
  "what is denied to be read is empty and cannot be changed, and the rest can",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "secret", "keys/a", "deep/er/secret", "file");
      const read = ["secret", "keys", "deep/er/secret"].map((path) => `${directory}/${path}`);
      const box = mounts.with(denyFiles({ read }));
      assertEquals(
        inside(box, `cd ${directory}; cat secret deep/er/secret file; ls keys; echo salt > file`),
        "soup",
      );
      for (const path of ["secret", "keys/b", "deep/er/secret"]) {
        assertStringIncludes(failing(box, `echo evil > ${directory}/${path}`), "Read-only");
      }
      assertEquals(namesIn(directory).length, 7);
      assertEquals(Deno.readTextFileSync(`${directory}/secret`), "soup\n");
    })(),
);

testOn(
  ["mount"],
  "what is denied to be changed can be read",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "a/kept", "b/x", "a/file");
      const box = mounts.with(denyFiles({ write: [`${directory}/a/kept`, `${directory}/b`] }));
      assertEquals(
        inside(box, `cd ${directory}; cat a/kept b/x; echo salt > a/file`),
        "soup\nsoup",
      );
      for (const path of ["a/kept", "b/x", "b/new"]) {
        assertStringIncludes(failing(box, `echo evil > ${directory}/${path}`), "Read-only");
      }
    })(),
);

testOn(
  ["mount"],
  "no directory on the way, and nothing that is denied, can be moved away or linked",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "a/b/secret", "c/d/kept");
      const box = mounts.with(
        denyFiles({ read: [`${directory}/a/b/secret`], write: [`${directory}/c/d/kept`] }),
      );
      for (const path of ["a", "a/b", "a/b/secret", "c", "c/d", "c/d/kept"]) {
        const rename = `rename("${directory}/${path}", "${directory}/old") and exit; print $! + 0`;
        assert(["16", "18"].includes(inside(box, `perl -e '${rename}'`)), path);
        failing(box, `rm -r ${directory}/${path}`);
      }
      failing(box, `ln ${directory}/a/b/secret ${directory}/a/b/other`);
      assertEquals(namesIn(directory), ["a", "a/b", "a/b/secret", "c", "c/d", "c/d/kept"]);
    })(),
);

testOn(
  ["mount"],
  "a path that is missing cannot be made, and leaves nothing behind",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "a/file");
      const denied = ["new", "a/new/er", "b/c"].map((path) => `${directory}/${path}`);
      for (const step of [denyFiles({ read: denied }), denyFiles({ write: denied })]) {
        for (const path of ["new", "new/x", "a/new", "a/new/er", "b", "b/c"]) {
          failing(mounts.with(step), `echo evil > ${directory}/${path}`);
        }
        failing(mounts.with(step), `rmdir ${directory}/new`);
        inside(mounts.with(step), `echo salt > ${directory}/a/file`);
      }
      assertEquals(namesIn(directory), ["a", "a/file"]);
    })(),
);

testOn(
  ["mount"],
  "it holds by every name under which the file is shown",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "work/secret", "work/kept", "work/file");
      Deno.symlinkSync("work", `${directory}/home`);
      const shown = mounts.with(
        tmpfs("/mnt"),
        mkdir("/mnt/a"),
        bind(`${directory}/work`, "/mnt/a/b"),
        bind(`${directory}/home`, "/mnt/c"),
        bind(`${directory}/work/secret`, "/mnt/secret"),
        bind(`${directory}/work/kept`, "/mnt/kept"),
        bind("/mnt/a/b", "/mnt/d"),
      );
      const places = ["/mnt/a/b/", "/mnt/c/", "/mnt/", "/mnt/d/"];
      for (const name of ["work", "home"]) {
        const box = shown.with(
          denyFiles({
            read: [`${directory}/${name}/secret`],
            write: [`${directory}/${name}/kept`],
          }),
        );
        for (const place of places) {
          assertEquals(inside(box, `cat ${place}secret; cat ${place}kept`), "soup", place);
          failing(box, `echo evil > ${place}kept`);
          failing(box, `echo evil > ${place}secret`);
        }
        assertEquals(inside(box, `cat ${directory}/work/secret`), "");
      }
      // What is around a denied directory's part is denied as a whole.
      const all = shown.with(denyFiles({ read: [`${directory}/work`] }));
      assertEquals(
        inside(all, "cat /mnt/secret /mnt/kept; ls /mnt/a/b /mnt/c /mnt/d | grep x || :"),
        "",
      );
    })(),
);

testOn(
  ["mount"],
  "a link that is denied stays, and what it leads to is denied",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "real/secret", "other");
      Deno.symlinkSync("real", `${directory}/way`);
      Deno.symlinkSync("way/secret", `${directory}/link`);
      for (const kind of ["read", "write"]) {
        const box = mounts.with(denyFiles({ [kind]: [`${directory}/link`] }));
        assertEquals(inside(box, `cat ${directory}/real/secret`), kind === "read" ? "" : "soup");
        for (const path of ["link", "way", "real"]) {
          failing(box, `mv ${directory}/${path} ${directory}/old`);
          failing(box, `rm -r ${directory}/${path}`);
        }
        failing(box, `echo evil > ${directory}/link`);
      }
    })(),
);

testOn(
  ["mount"],
  "in what can only be read, a file is hidden, and none is made",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "a/secret", "a/file");
      const box = mounts.with(
        bind(directory, directory, { readOnly: true }),
        denyFiles({
          read: [`${directory}/a/secret`, `${directory}/gone`],
          write: [`${directory}/no`],
        }),
      );
      assertEquals(inside(box, `cat ${directory}/a/*; ls ${directory}`), "soup\na");
    })(),
);

testOn(
  ["mount"],
  "a file with another name is refused, and so are several layers of an overlay",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "a", "lower/secret", "other/x");
      Deno.linkSync(`${directory}/a`, `${directory}/b`);
      for (const kind of ["read", "write"]) {
        assertRefused(() => mounts.with(denyFiles({ [kind]: [`${directory}/a`] })), {
          step: "denyFiles",
          says: "a hard link, by which it could be " + (kind === "read" ? "read" : "changed"),
        });
      }
      const lower = [`${directory}/lower`, `${directory}/other`];
      const over = mounts.with(overlay("/mnt", { lower, discard: true }));
      assertRefused(() => over.with(denyFiles({ read: [`${directory}/lower/secret`] })), {
        step: "denyFiles",
        says: "is in a layer of the overlay at /mnt; maskPaths()",
      });
    })(),
);

testOn(
  ["mount"],
  "what another step shows again is refused where its files are not known",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "d/secret", "host/place/x");
      const shown = mounts.with(
        tmpfs("/mnt"),
        bind(`${directory}/d`, "/mnt/t/d"),
        bind(`${directory}/d`, `${directory}/host/place`),
        mkdir("/mnt/u"),
        symlink("t/d", "/mnt/link"),
      );
      for (
        const again of [
          bind("/mnt/t", "/mnt/u"),
          bind("/mnt/link", "/mnt/u"),
          // A directory of the host, with what the recipe has mounted in it.
          bind(`${directory}/host`, "/mnt/u"),
          overlay("/mnt/u", { lower: ["/mnt/t/d"], discard: true }),
        ]
      ) {
        assertRefused(() => shown.with(again, denyFiles({ read: [`${directory}/d/secret`] })), {
          step: "denyFiles",
          says: "shows is not known from the steps before",
        });
        shown.with(denyFiles({ read: [`${directory}/d/secret`] }), again).plan();
      }
    })(),
);

testOn(
  ["mount"],
  "a file is denied where a directory around it has been made read-only before",
  (mounts) =>
    inDirectory((directory) => {
      write(directory, "d/secret", "host/place/x");
      const shown = mounts.with(
        tmpfs("/mnt"),
        bind(`${directory}/d`, "/mnt/a/b"),
        bind(`${directory}/d`, `${directory}/host/place`),
      );
      for (
        const around of [
          readonlyPaths("/mnt/a", `${directory}/host`),
          denyFiles({ write: [`${directory}/host`] }),
          protect(directory, directory, { names: ["host"] }),
        ]
      ) {
        const box = shown.with(around, denyFiles({ read: [`${directory}/d/secret`] }));
        const files = `/mnt/a/b/secret ${directory}/host/place/secret`;
        assertEquals(inside(shown, `cat ${files}`), "soup\nsoup");
        assertEquals(inside(box, `cat ${files}`), "");
      }
    })(),
);

test(
  "a file is denied by all of its names that mounts of the host give it",
  inDirectory((directory) => {
    write(directory, "a/sub/secret", "b/c", "c/c", "d/secret");
    Deno.mkdirSync(`${directory}/a/sub/inner`);
    Deno.chmodSync(directory, 0o755);
    // The mounts are those of an outer container, in which the script runs.
    const outer = recipe(
      unshare("user", "mount", "pid"),
      mapRoot(),
      proc(),
      bind(`${directory}/a`, `${directory}/b`),
      bind(`${directory}/a/sub`, `${directory}/c`),
      // What is mounted in a directory that is denied has a name elsewhere, too.
      bind(`${directory}/d`, `${directory}/a/sub/inner`),
    );
    const cat = ["a/sub", "b/sub", "c", "a/sub/inner", "d"].map((path) =>
      `cat ${directory}/${path}/secret`
    ).join(";");
    const script = `
      const { bind, denyFiles, mapRoot, recipe, unshare } = ramekin;
      const seen = (...steps) =>
        new TextDecoder().decode(
          recipe(unshare("user", "mount"), mapRoot(), ...steps)
            .command("sh", { args: ["-c", "${cat}"] }).outputSync().stdout);
      const denial = denyFiles({ read: ["${directory}/a/sub"] });
      console.log(JSON.stringify([seen(), seen(denial)]));`;
    assertEquals(scriptInside(outer, script), ["soup\n".repeat(5), ""]);
  }),
);

test(
  "a directory that its owner has closed, and could open, is denied with what is in it",
  inDirectory((directory) => {
    write(directory, "closed/secret");
    Deno.chmodSync(`${directory}/closed`, 0);
    const user = recipe(unshare("user", "mount"), mapCurrentUser());
    const box = user.with(denyFiles({ read: [`${directory}/closed/secret`] }));
    try {
      failing(box, `chmod 700 ${directory}/closed`);
      assertEquals(inside(box, `cat ${directory}/closed/secret 2> /dev/null || :`), "");
    } finally {
      Deno.chmodSync(`${directory}/closed`, 0o755);
    }
    Deno.chmodSync(directory, 0o600);
    const shown = () =>
      user.with(bind(directory, "/mnt"), denyFiles({ read: [`${directory}/closed/secret`] }));
    try {
      assertRefused(shown, { step: "denyFiles", says: `run "chmod u+rwx ${directory}" before` });
    } finally {
      Deno.chmodSync(directory, 0o755);
    }
  }),
  root ? "root may search every directory" : undefined,
);

test(
  "it holds where files are shown, and where they are covered there is nothing to deny",
  inDirectory((directory) => {
    write(directory, "a/secret");
    const box = recipe(
      unshare("user", "mount"),
      mapCurrentUser(),
      bind(directory, "/mnt"),
      tmpfs(directory),
      denyFiles({ read: [`${directory}/a/secret`] }),
    );
    assertEquals(inside(box, "cat /mnt/a/secret"), "");
    const covered = recipe(
      unshare("user", "mount"),
      mapCurrentUser(),
      bind("/usr", "/mnt"),
      bind("/etc", "/mnt/share"),
      denyFiles({ read: ["/usr/share"] }),
    );
    assertEquals(inside(covered, "ls /usr/share"), "");
  }),
);

test("it needs a mount namespace, mapped ids and the host's root", () => {
  const read = ["/etc/passwd"];
  assertRefused(() => recipe(denyFiles({ read })), { step: "denyFiles", says: 'unshare("mount")' });
  assertRefused(() => recipe(unshare("user", "mount"), denyFiles({ read })), {
    step: "denyFiles",
    says: "mapRoot()",
  });
  const own = recipe(unshare("user", "mount"), mapCurrentUser(), tmpfs("/mnt"));
  assertRefused(() => own.with(pivotRoot("/mnt"), denyFiles({ read })), {
    step: "denyFiles",
    says: "put it before pivotRoot()",
  });
  assertRefused(() => own.with(denyFiles({ write: ["/"] })), {
    step: "denyFiles",
    says: "the root itself cannot be denied",
  });
  assertRefused(() => recipe(denyFiles({ read: ["etc"] })), {
    step: "denyFiles",
    says: "begin with /",
  });
});
