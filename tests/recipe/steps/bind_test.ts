/** `bind`. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bind, mapRoot, mkdir, recipe, symlink, tmpfs, unshare, writeFile } from "../../../mod.ts";
import {
  assertFails,
  assertRefused,
  failing,
  inFolder,
  inside,
  root,
  test,
  testOn,
} from "../support.ts";

const box = recipe(unshare("user", "mount"), mapRoot());

function testBind(name: string, body: (ground: typeof box, folder: string) => void): void {
  testOn(["mount"], name, (ground) => inFolder((folder) => body(ground, folder))());
}

testBind("a folder is seen at another place, and can be written", (ground, folder) => {
  Deno.writeTextFileSync(`${folder}/a`, "soup");
  assertEquals(inside(ground.with(bind(folder, "/mnt")), "cat /mnt/a; echo stew > /mnt/b"), "soup");
  assertEquals(Deno.readTextFileSync(`${folder}/b`), "stew\n");
});

testBind("a folder can be read-only", (ground, folder) => {
  Deno.writeTextFileSync(`${folder}/a`, "soup");
  const readOnly = ground.with(bind(folder, "/mnt", { readOnly: true }));
  assertEquals(inside(readOnly, "cat /mnt/a"), "soup");
  assertStringIncludes(failing(readOnly, "touch /mnt/b"), "Read-only file system");
  assertEquals([...Deno.readDirSync(folder)].length, 1);
});

testBind("the source stays writable at its own place", (ground, folder) => {
  inside(ground.with(bind(folder, "/mnt", { readOnly: true })), `touch ${folder}/a`);
  assert(Deno.statSync(`${folder}/a`).isFile);
});

testBind("what is mounted below the source is seen, and read-only too", (ground, folder) => {
  Deno.mkdirSync(`${folder}/below`);
  const mounted = ground.with(tmpfs(`${folder}/below`), writeFile(`${folder}/below/a`, "soup"));
  assertEquals(
    inside(mounted.with(bind(folder, "/mnt")), "cat /mnt/below/a; touch /mnt/below/b"),
    "soup",
  );
  const readOnly = mounted.with(bind(folder, "/mnt", { readOnly: true }));
  assertEquals(inside(readOnly, "cat /mnt/below/a"), "soup");
  assertStringIncludes(failing(readOnly, "touch /mnt/below/b"), "Read-only file system");
});

testBind("what is mounted below the source can be left away", (ground, folder) => {
  Deno.mkdirSync(`${folder}/below`);
  const mounted = ground.with(tmpfs(`${folder}/below`), writeFile(`${folder}/below/a`, "soup"));
  const without = mounted.with(bind(folder, "/mnt", { recursive: false, readOnly: true }));
  assertEquals(inside(without, "ls /mnt/below"), "");
});

test("an ordinary user cannot leave away what the host has mounted below, and is told", () => {
  assertFails(box.with(bind("/", "/mnt", { recursive: false })), {
    step: "bind",
    at: 2,
    code: "EINVAL",
    says: "cannot leave away",
  });
});

testBind("the whole host can be read-only", (ground, folder) => {
  const seen = ground.with(bind("/", "/mnt", { readOnly: true }));
  assertStringIncludes(failing(seen, `touch /mnt${folder}/a`), "Read-only file system");
  assertStringIncludes(failing(seen, `touch /mnt/dev/shm/a`), "Read-only file system");
});

testBind("a file is seen on a file", (ground, folder) => {
  Deno.writeTextFileSync(`${folder}/a`, "soup");
  Deno.writeTextFileSync(`${folder}/b`, "stew");
  assertEquals(inside(ground.with(bind(`${folder}/a`, `${folder}/b`)), `cat ${folder}/b`), "soup");
  assertEquals(Deno.readTextFileSync(`${folder}/b`), "stew");
});

testBind(
  "missing mount points are made on the recipe's filesystems, as folder or file",
  (ground, folder) => {
    Deno.writeTextFileSync(`${folder}/a`, "soup");
    const box = ground.with(
      tmpfs("/mnt"),
      bind(`${folder}/a`, "/mnt/x/file"),
      bind(folder, "/mnt/y/folder"),
      bind("/dev/null", "/mnt/x/null"),
    );
    assertEquals(inside(box, "cat /mnt/x/file /mnt/y/folder/a; : > /mnt/x/null"), "soupsoup");
  },
);

testBind("pipes, sockets and links to files are seen too", (ground, folder) => {
  new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).outputSync();
  const socket = Deno.listen({ transport: "unix", path: `${folder}/socket` });
  try {
    Deno.writeTextFileSync(`${folder}/file`, "soup");
    Deno.symlinkSync("file", `${folder}/link`);
    const names = ["pipe", "socket", "link"];
    const box = ground.with(
      tmpfs("/mnt"),
      ...names.map((name) => bind(`${folder}/${name}`, `/mnt/${name}`)),
    );
    const script = "stat -c %F /mnt/pipe /mnt/socket; cat /mnt/link";
    assertEquals(inside(box, script), "fifo\nsocket\nsoup");
  } finally {
    socket.close();
  }
});

test("a container reads no more of the host's files than its user may", () => {
  const shadow = box.with(bind("/etc", "/mnt"));
  const { success } = shadow.command("cat", { args: ["/mnt/shadow"] }).outputSync();
  assertEquals(success, root);
});

testBind("a missing mount point on the host is an error, and stays missing", (ground, folder) => {
  assertFails(ground.with(bind("/usr", `${folder}/a`)), {
    step: "bind",
    code: "ENOENT",
    says: "the mount point does not exist",
  });
  assertEquals([...Deno.readDirSync(folder)], []);
});

testBind("a missing source is an error, unless the step is optional", (ground, folder) => {
  const missing = `${folder}/missing`;
  assertFails(ground.with(bind(missing, "/mnt")), {
    step: "bind",
    code: "ENOENT",
    says: "{ optional: true }",
  });
  const box = ground.with(
    tmpfs("/mnt"),
    bind(missing, "/mnt/a", { optional: true, readOnly: true }),
    bind("/usr", "/mnt/usr", { optional: true }),
  );
  assertEquals(inside(box, "ls /mnt"), "usr");
});

testBind(
  "of two optional sources for one place the one that is there is seen",
  (ground, folder) => {
    Deno.writeTextFileSync(`${folder}/a`, "soup");
    const missing = bind(`${folder}/missing`, "/mnt/a", { optional: true });
    const there = bind(`${folder}/a`, "/mnt/a", { optional: true });
    assertEquals(inside(ground.with(tmpfs("/mnt"), missing, there), "cat /mnt/a"), "soup");
    assertEquals(inside(ground.with(tmpfs("/mnt"), there, missing), "cat /mnt/a"), "soup");
    assertEquals(inside(ground.with(tmpfs("/mnt"), there, there), "cat /mnt/a"), "soup");
  },
);

testBind("a folder on a file, and a file on a folder, are told", (ground, folder) => {
  Deno.writeTextFileSync(`${folder}/a`, "");
  for (const step of [bind("/usr", `${folder}/a`), bind(`${folder}/a`, "/mnt")]) {
    assertFails(ground.with(step), { step: "bind", code: "EINVAL", says: "a folder only" });
  }
});

testBind("what bound files must not be used for is kept", (ground, folder) => {
  Deno.writeTextFileSync(`${folder}/a`, "#!/bin/sh\n", { mode: 0o755 });
  Deno.symlinkSync("a", `${folder}/link`);
  const restricted = ground.with(
    bind(folder, "/mnt", { restrict: ["nosuid", "nodev", "noexec", "nosymfollow"] }),
  );
  assertMatch(
    inside(restricted, "grep ' /mnt ' /proc/self/mountinfo | tail -n 1"),
    / rw,nosuid,nodev,noexec,.*nosymfollow/,
  );
  assertStringIncludes(failing(restricted, "/mnt/a"), "ermission denied");
  assertStringIncludes(failing(restricted, "cat /mnt/link"), "symbolic links");
});

testBind("a mount of the host below is restricted too", (ground, folder) => {
  Deno.mkdirSync(`${folder}/below`);
  const box = ground.with(tmpfs(`${folder}/below`), bind(folder, "/mnt", { restrict: ["noexec"] }));
  assertMatch(inside(box, "grep ' /mnt/below ' /proc/self/mountinfo"), /noexec/);
});

testBind("the source may be relative, and hold any characters", (ground, folder) => {
  const name = 'a b,c:d\\e"f\nä';
  Deno.mkdirSync(`${folder}/${name}`);
  Deno.writeTextFileSync(`${folder}/${name}/x`, "soup");
  assertEquals(inside(ground.with(bind(`${folder}/${name}`, "/mnt")), "cat /mnt/x"), "soup");
  assertEquals(
    inside(ground.with(tmpfs("/mnt"), bind("/usr", `/mnt/${name}`)), "ls /mnt"),
    inside(ground.with(tmpfs("/mnt"), mkdir(`/mnt/${name}`)), "ls /mnt"),
  );
  const cwd = Deno.cwd();
  Deno.chdir(folder);
  try {
    assertEquals(inside(ground.with(bind(".", "/mnt")), `cat /mnt/*/x`), "soup");
  } finally {
    Deno.chdir(cwd);
  }
});

testBind("a source within the new root is not led to the host by a symlink", (ground, folder) => {
  Deno.mkdirSync(`${folder}/etc`);
  Deno.writeTextFileSync(`${folder}/etc/a`, "soup");
  Deno.symlinkSync("/etc", `${folder}/link`);
  const box = ground.with(
    bind(folder),
    bind("/usr", `${folder}/usr`, { optional: true }),
    bind(`${folder}/link`, "/mnt"),
    { step: "chroot", path: folder },
  );
  // The chroot has no programs; its error comes after all steps.
  let message = "";
  try {
    box.command("true").outputSync();
  } catch (error) {
    message = (error as Error).message;
  }
  assertStringIncludes(message, "usr");
});

testOn(
  ["mount"],
  "files are made through no symlink that leads out of the recipe's filesystem",
  (ground) => {
    inFolder((folder) => {
      Deno.chmodSync(folder, 0o777);
      for (
        const step of [
          writeFile("/mnt/out/a", ""),
          mkdir("/mnt/out/a"),
          symlink("b", "/mnt/out/a"),
          bind("/usr", "/mnt/out/a"),
          bind("/dev/null", "/mnt/out/a"),
          tmpfs("/mnt/out/a"),
        ]
      ) {
        assertFails(ground.with(tmpfs("/mnt"), symlink(folder, "/mnt/out"), step), {
          step: step.step,
          code: "EXDEV",
          says: "leads out of the filesystem that the recipe has mounted",
        });
      }
      assertEquals([...Deno.readDirSync(folder)], []);
    })();
  },
);

test("a bind that would change the host, and wrong fields, are refused", () => {
  assertRefused(() => recipe(unshare("user"), mapRoot(), bind("/usr", "/mnt")), {
    step: "bind",
    at: 2,
    says: 'put unshare("mount") before it',
  });
  const cases: [Parameters<typeof bind>, string][] = [
    [["/usr", "mnt"], "has to begin with /"],
    [["", "/mnt"], "is empty"],
    [["/a\0b", "/mnt"], "NUL"],
    [["/usr", "/mnt", { readonly: true } as never], 'did you mean "readOnly"?'],
    [["/usr", "/mnt", { restrict: ["noexex" as never] }], 'did you mean "noexec"?'],
    [["/usr", "/mnt", { optional: 1 as never }], "true or false"],
  ];
  for (const [args, says] of cases) {
    assertRefused(() => box.with(bind(...args)), { step: "bind", at: 2, says });
  }
});
