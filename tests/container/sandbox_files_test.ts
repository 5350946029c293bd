/** The files that `sandbox()` shows otherwise than by `read` and `write`. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { RecipeError, sandbox, type SandboxOptions } from "../../mod.ts";
import { failing, inDirectory, inside, test } from "../support.ts";

/** A test with a directory that has `work` in it, with some files. */
const withWork = (body: (directory: string, work: string) => void) =>
  inDirectory((directory) => {
    const work = `${directory}/work`;
    Deno.mkdirSync(`${work}/sub`, { recursive: true });
    Deno.writeTextFileSync(`${work}/soup`, "leek\n");
    body(directory, work);
  });

/** A shell script that prints nothing of its errors. */
const quiet = (script: string) => `{ ${script}; } 2> /dev/null || true`;

test(
  "a directory is shown at another path, to be changed or only read",
  withWork((_, work) => {
    const box = sandbox({ bind: [[work, "/srv/in"], [`${work}/soup`, "/etc/soup", "ro"]] });
    assertEquals(inside(box, "echo salt > /srv/in/new; cat /srv/in/new /etc/soup"), "salt\nleek");
    assertEquals(Deno.readTextFileSync(`${work}/new`), "salt\n");
    assertStringIncludes(failing(box, "echo > /etc/soup"), "Read-only");
    assertStringIncludes(failing(box, `ls ${work}`), "No such file");
  }),
);

test(
  "changes of an overlay are thrown away",
  withWork((_, work) => {
    const box = sandbox({ overlay: [work], read: [work] });
    const script = `cd ${work}; echo salt > new; rm -r sub; echo onion > soup; cat *`;
    assertEquals(inside(box, script), "salt\nonion");
    assertEquals([...Deno.readDirSync(work)].map(({ name }) => name).sort(), ["soup", "sub"]);
    assertEquals(Deno.readTextFileSync(`${work}/soup`), "leek\n");
    // What is in it can be written to, or read, by its own path.
    const inner = sandbox({ overlay: [work], write: [`${work}/sub`] });
    inside(inner, `echo salt > ${work}/sub/kept; rm ${work}/soup`);
    assertEquals(Deno.readTextFileSync(`${work}/sub/kept`), "salt\n");
  }),
);

test(
  "further directories are empty, and as large as /tmp at most",
  withWork((_, work) => {
    const box = sandbox({ tmpfs: ["/cache", `${work}/sub`], write: [work], tmp: "3m" });
    const script =
      `df -m --output=size /cache ${work}/sub | tail -n 2 | tr -d ' '; touch ${work}/sub/x`;
    assertEquals(inside(box, script), "3\n3");
    assertEquals([...Deno.readDirSync(`${work}/sub`)], []);
  }),
);

test(
  "what may be missing is left out where it is",
  withWork((directory, work) => {
    const box = sandbox({ tryRead: [`${directory}/none`, work] });
    assertEquals(inside(box, `ls ${directory}; cat ${work}/soup`), "work\nleek");
    assertStringIncludes(failing(box, `echo > ${work}/soup`), "Read-only");
  }),
);

test(
  "another root takes the place of this machine's programs",
  inDirectory((root) => {
    for (const name of ["etc", "usr"]) Deno.mkdirSync(`${root}/${name}`);
    for (const name of ["bin", "lib", "lib64"]) Deno.symlinkSync(`usr/${name}`, `${root}/${name}`);
    Deno.writeTextFileSync(`${root}/etc/motd`, "soup\n");
    const box = sandbox({ root, read: ["/usr"] });
    assertEquals(
      inside(box, "echo /*; cat /etc/motd; ls /etc; grep -c sandbox /etc/hosts; id -u"),
      ["/bin /dev /etc /lib /lib64 /proc /run /tmp /usr", "soup", "hosts", "motd", "1", Deno.uid()]
        .join("\n"),
    );
    assertStringIncludes(failing(box, "echo > /etc/motd"), "Read-only");
    assertEquals([...Deno.readDirSync(root)].map(({ name }) => name).sort(), [
      "bin",
      "etc",
      "lib",
      "lib64",
      "usr",
    ]);
    const net = inside(sandbox({ root, read: ["/usr"], net: "host" }), "cat /etc/hosts");
    assertEquals(net, Deno.readTextFileSync("/etc/hosts").trimEnd());
    assertEquals(
      inside(sandbox({ root, read: ["/usr"], denyRead: [`${root}/etc`] }), "ls /etc"),
      "",
    );
  }),
);

test("what cannot be shown is refused when it is written", () => {
  const refused = (options: SandboxOptions, says: string) => {
    const error = assertThrows(() => sandbox(options), RecipeError);
    assertStringIncludes(error.message, says);
  };
  refused({ bind: [["/a", "/b"], ["/c", "/b/d"]] }, "could have put a link there");
  refused({ write: ["/b"], bind: [["/c", "/b/d", "ro"]] }, "could have put a link there");
  refused({ write: ["/b"], overlay: ["/b/d"] }, "could have put a link there");
  refused({ bind: [["/a", "/b"]], read: ["/b/d"] }, "could have put a link there");
  refused({ bind: [["/a", "/b"]], read: ["/b"] }, '"read" has it too');
  refused({ write: ["/b"], overlay: ["/b"] }, '"write" has it too');
  refused({ overlay: ["/"] }, "it is the root of the sandbox");
  refused({ tmpfs: ["/"] }, "it is the root of the sandbox");
  refused({ bind: [["/a", "/"]] }, "it is the root of the sandbox");
  refused({ bind: [["/proc", "/p"]] }, "a sandbox has its own /proc");
  refused({ bind: [["/a", "/b", "rw" as "ro"]] }, 'where only "ro" can be');
  refused({ root: "/srv", read: ["/"] }, '"root": it takes the place of all files');
});

test("a filesystem of the kernel is refused, in whichever way it would be shown", () => {
  const ways: readonly SandboxOptions[] = [
    { overlay: ["/sys"] },
    { root: "/sys" },
    { bind: [["/sys", "/in", "ro"]] },
    { tryRead: ["/sys"] },
  ];
  for (const options of ways) {
    const { message } = assertThrows(() => sandbox(options).command("true"), RecipeError);
    assertStringIncludes(message, "/sys is a filesystem of the kernel (sysfs)");
  }
});

/** Attacks by a second path at which a sandbox shows the same files. */
const ATTACKS: Readonly<Record<string, (work: string) => [SandboxOptions, string]>> = {
  "a protected file, at another path": (work) => [
    { bind: [[work, "/in"]] },
    "echo evil > /in/.git/hooks/pre-commit; mv /in/.git /in/x; echo evil > /in/x/hooks/pre-commit",
  ],
  "a protected file, where both paths can be written to": (work) => [
    { write: [work], bind: [[work, "/in"]] },
    "echo evil > /in/.git/hooks/pre-commit; rm -rf /in/.git",
  ],
  "a protected file, below what is shown at another path, and deep in it": (work) => [
    { write: [`${work}/a/b/c/d/e`], bind: [[work, "/in"]] },
    "echo evil > /in/a/b/c/d/e/.husky/x; echo evil > /in/a/b/c/d/e/.mcp.json",
  ],
  "a denied file, at another path": (work) => [
    { bind: [[work, "/in"]], denyRead: [`${work}/secret`], denyWrite: [`${work}/kept`] },
    "cat /in/secret; mv /in/secret /in/x; cat /in/x; echo evil > /in/kept; rm /in/kept",
  ],
  "a denied file of an overlay": (work) => [
    { overlay: [work], denyRead: [`${work}/secret`, `${work}/deep`] },
    `cd ${work}; cat secret deep/secret; mv deep x; cat x/secret; cp -r . /tmp/x; cat /tmp/x/*`,
  ],
  "a denied file of an overlay, by a link": (work) => [
    { overlay: [work], denyRead: [`${work}/link`] },
    `cd ${work}; cat link secret; rm link; cat secret`,
  ],
  "a denied directory that is shown whole": (work) => [
    { overlay: [`${work}/deep`], bind: [[`${work}/deep`, "/in"]], denyRead: [work] },
    `cat ${work}/deep/secret /in/secret`,
  ],
  "a denied file, by a bind of a bind": (work) => [
    { bind: [[work, "/in", "ro"], [`${work}/deep`, "/deep"]], denyRead: [`${work}/deep/secret`] },
    "cat /in/deep/secret /deep/secret",
  ],
};

for (const [name, attack] of Object.entries(ATTACKS)) {
  test(
    `held: ${name}`,
    withWork((_, work) => {
      for (const directory of [".git/hooks", "a/b/c/d/e/.husky", "deep"]) {
        Deno.mkdirSync(`${work}/${directory}`, { recursive: true });
      }
      for (const path of [".git/HEAD", ".git/hooks/pre-commit", "a/b/c/d/e/.husky/x", "kept"]) {
        Deno.writeTextFileSync(`${work}/${path}`, "good\n");
      }
      for (const path of ["secret", "deep/secret"]) {
        Deno.writeTextFileSync(`${work}/${path}`, "SECRET\n");
      }
      Deno.symlinkSync("secret", `${work}/link`);
      const [options, script] = attack(work);
      const seen = inside(sandbox(options), script.split("; ").map(quiet).join("\n"));
      assert(!seen.includes("SECRET"), seen);
      for (const path of [".git/hooks/pre-commit", "a/b/c/d/e/.husky/x", "kept"]) {
        assertEquals(Deno.readTextFileSync(`${work}/${path}`), "good\n", path);
      }
      for (const path of ["secret", "deep/secret"]) {
        assertEquals(Deno.readTextFileSync(`${work}/${path}`), "SECRET\n", path);
      }
      assertThrows(() => Deno.statSync(`${work}/a/b/c/d/e/.mcp.json`), Deno.errors.NotFound);
    }),
  );
}
