/** `bind`. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  bind,
  type BindOptions,
  mapRoot,
  mkdir,
  recipe,
  symlink,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  failing,
  inDirectory,
  inside,
  notRoot,
  root,
  test,
  testOn,
} from "../support.ts";

const box = recipe(unshare("user", "mount"), mapRoot());

function testBind(name: string, body: (mounts: typeof box, directory: string) => void): void {
  testOn(["mount"], name, (mounts) => inDirectory((directory) => body(mounts, directory))());
}

testBind("a directory is seen at another place, and can be written", (mounts, directory) => {
  Deno.writeTextFileSync(`${directory}/a`, "soup");
  assertEquals(
    inside(mounts.with(bind(directory, "/mnt")), "cat /mnt/a; echo stew > /mnt/b"),
    "soup",
  );
  assertEquals(Deno.readTextFileSync(`${directory}/b`), "stew\n");
});

testBind("a directory can be read-only", (mounts, directory) => {
  Deno.writeTextFileSync(`${directory}/a`, "soup");
  const readOnly = mounts.with(bind(directory, "/mnt", { readOnly: true }));
  assertEquals(inside(readOnly, "cat /mnt/a"), "soup");
  assertStringIncludes(failing(readOnly, "touch /mnt/b"), "Read-only file system");
  assertEquals([...Deno.readDirSync(directory)].length, 1);
});

testBind("the source stays writable at its own place", (mounts, directory) => {
  inside(mounts.with(bind(directory, "/mnt", { readOnly: true })), `touch ${directory}/a`);
  assert(Deno.statSync(`${directory}/a`).isFile);
});

testBind("what is mounted below the source is seen, and read-only too", (mounts, directory) => {
  Deno.mkdirSync(`${directory}/below`);
  const mounted = mounts.with(
    tmpfs(`${directory}/below`),
    writeFile(`${directory}/below/a`, "soup"),
  );
  assertEquals(
    inside(mounted.with(bind(directory, "/mnt")), "cat /mnt/below/a; touch /mnt/below/b"),
    "soup",
  );
  const readOnly = mounted.with(bind(directory, "/mnt", { readOnly: true }));
  assertEquals(inside(readOnly, "cat /mnt/below/a"), "soup");
  assertStringIncludes(failing(readOnly, "touch /mnt/below/b"), "Read-only file system");
});

testBind("what is mounted below the source can be left away", (mounts, directory) => {
  Deno.mkdirSync(`${directory}/below`);
  const mounted = mounts.with(
    tmpfs(`${directory}/below`),
    writeFile(`${directory}/below/a`, "soup"),
  );
  const without = mounted.with(bind(directory, "/mnt", { recursive: false, readOnly: true }));
  assertEquals(inside(without, "ls /mnt/below"), "");
});

test("an unprivileged user cannot bind without the host's submounts, and the error says so", () => {
  assertFails(box.with(bind("/", "/mnt", { recursive: false })), {
    step: "bind",
    at: 2,
    code: "EINVAL",
    says: "cannot bind / without the submounts that it has; pass { recursive: true }",
  });
});

testBind("the whole host can be read-only", (mounts, directory) => {
  const seen = mounts.with(bind("/", "/mnt", { readOnly: true }));
  assertStringIncludes(failing(seen, `touch /mnt${directory}/a`), "Read-only file system");
  assertStringIncludes(failing(seen, `touch /mnt/dev/shm/a`), "Read-only file system");
});

testBind("a file is seen on a file", (mounts, directory) => {
  Deno.writeTextFileSync(`${directory}/a`, "soup");
  Deno.writeTextFileSync(`${directory}/b`, "stew");
  assertEquals(
    inside(mounts.with(bind(`${directory}/a`, `${directory}/b`)), `cat ${directory}/b`),
    "soup",
  );
  assertEquals(Deno.readTextFileSync(`${directory}/b`), "stew");
});

testBind(
  "missing mount points are made on the recipe's filesystems, as directory or file",
  (mounts, directory) => {
    Deno.writeTextFileSync(`${directory}/a`, "soup");
    const box = mounts.with(
      tmpfs("/mnt"),
      bind(`${directory}/a`, "/mnt/x/file"),
      bind(directory, "/mnt/y/directory"),
      bind("/dev/null", "/mnt/x/null"),
    );
    assertEquals(inside(box, "cat /mnt/x/file /mnt/y/directory/a; : > /mnt/x/null"), "soupsoup");
  },
);

testBind("pipes, sockets and links to files are seen too", (mounts, directory) => {
  new Deno.Command("mkfifo", { args: [`${directory}/pipe`] }).outputSync();
  const socket = Deno.listen({ transport: "unix", path: `${directory}/socket` });
  try {
    Deno.writeTextFileSync(`${directory}/file`, "soup");
    Deno.symlinkSync("file", `${directory}/link`);
    const names = ["pipe", "socket", "link"];
    const box = mounts.with(
      tmpfs("/mnt"),
      ...names.map((name) => bind(`${directory}/${name}`, `/mnt/${name}`)),
    );
    const script = "stat -c %F /mnt/pipe /mnt/socket; cat /mnt/link";
    assertEquals(inside(box, script), "fifo\nsocket\nsoup");
  } finally {
    socket.close();
  }
});

test("a container can read only those files of the host that its user can", () => {
  const shadow = box.with(bind("/etc", "/mnt"));
  const { success } = shadow.command("cat", { args: ["/mnt/shadow"] }).outputSync();
  assertEquals(success, root);
});

testBind(
  "a missing mount point on the host is an error, and stays missing",
  (mounts, directory) => {
    assertFails(mounts.with(bind("/usr", `${directory}/a`)), {
      step: "bind",
      code: "ENOENT",
      says: `the mount point ${directory}/a does not exist on the host; take one that does`,
    });
    assertEquals([...Deno.readDirSync(directory)], []);
  },
);

testBind("a missing source is an error, unless the step is optional", (mounts, directory) => {
  const missing = `${directory}/missing`;
  assertFails(mounts.with(bind(missing, "/mnt")), {
    step: "bind",
    code: "ENOENT",
    says: "{ optional: true }",
  });
  const box = mounts.with(
    tmpfs("/mnt"),
    bind(missing, "/mnt/a", { optional: true, readOnly: true }),
    bind("/usr", "/mnt/usr", { optional: true }),
  );
  assertEquals(inside(box, "ls /mnt"), "usr");
});

testBind(
  "of two optional sources for one place the one that is there is seen",
  (mounts, directory) => {
    Deno.writeTextFileSync(`${directory}/a`, "soup");
    const missing = bind(`${directory}/missing`, "/mnt/a", { optional: true });
    const there = bind(`${directory}/a`, "/mnt/a", { optional: true });
    assertEquals(inside(mounts.with(tmpfs("/mnt"), missing, there), "cat /mnt/a"), "soup");
    assertEquals(inside(mounts.with(tmpfs("/mnt"), there, missing), "cat /mnt/a"), "soup");
    assertEquals(inside(mounts.with(tmpfs("/mnt"), there, there), "cat /mnt/a"), "soup");
  },
);

testBind("a directory on a file and a file on a directory are reported", (mounts, directory) => {
  Deno.writeTextFileSync(`${directory}/a`, "");
  for (const step of [bind("/usr", `${directory}/a`), bind(`${directory}/a`, "/mnt")]) {
    assertFails(mounts.with(step), {
      step: "bind",
      code: "EINVAL",
      says: "a directory can only be bound on a directory",
    });
  }
});

testBind("what bound files must not be used for is kept", (mounts, directory) => {
  Deno.writeTextFileSync(`${directory}/a`, "#!/bin/sh\n", { mode: 0o755 });
  Deno.symlinkSync("a", `${directory}/link`);
  const restricted = mounts.with(
    bind(directory, "/mnt", { restrict: ["nosuid", "nodev", "noexec", "nosymfollow"] }),
  );
  assertMatch(
    inside(restricted, "grep ' /mnt ' /proc/self/mountinfo | tail -n 1"),
    / rw,nosuid,nodev,noexec,.*nosymfollow/,
  );
  assertStringIncludes(failing(restricted, "/mnt/a"), "ermission denied");
  assertStringIncludes(failing(restricted, "cat /mnt/link"), "symbolic links");
});

for (const readOnly of [true, false]) {
  testOn(
    ["mount"],
    `a device in a ${
      readOnly ? "read-only " : ""
    }directory cannot be opened, unless a step says so`,
    (mounts) =>
      inDirectory((directory) => {
        // The numbers of /dev/null (null(4)).
        inside(recipe(), `mknod -m 666 ${directory}/node c 1 3`);
        const shown = (options: BindOptions) =>
          mounts.with(bind(directory, "/mnt", { readOnly, ...options }));
        const write = "echo salt > /mnt/node";
        inside(shown({ restrict: [] }), write);
        inside(shown({ restrict: ["nosuid"] }), write);
        assertStringIncludes(failing(shown({}), write), "ermission denied");
      })(),
    notRoot,
  );
}

testBind("a device that is named is one, and those of /dev are", (mounts) => {
  inside(mounts.with(bind("/dev/null", "/etc/hostname")), "echo salt > /etc/hostname");
  inside(mounts.with(bind("/dev", "/mnt", { readOnly: true })), "echo salt > /mnt/null");
});

testBind("a mount of the host below is restricted too", (mounts, directory) => {
  Deno.mkdirSync(`${directory}/below`);
  const box = mounts.with(
    tmpfs(`${directory}/below`),
    bind(directory, "/mnt", { restrict: ["noexec"] }),
  );
  assertMatch(inside(box, "grep ' /mnt/below ' /proc/self/mountinfo"), /noexec/);
});

testBind("a path by /proc/self is the container's own, and not the script's", (mounts) => {
  for (const source of ["/proc/self", "/proc/thread-self"]) {
    const shown = mounts.with(bind(source, "/mnt"));
    assertStringIncludes(inside(shown, "tr '\\0' ' ' < /mnt/cmdline"), "/mnt/cmdline");
    assertEquals(shown.needs().find(({ stepIndex }) => stepIndex === mounts.steps.length), {
      kind: "read",
      path: source,
      stepIndex: mounts.steps.length,
      step: "bind",
    });
  }
});

testBind("the source may be relative, and hold any characters", (mounts, directory) => {
  const name = 'a b,c:d\\e"f\nä';
  Deno.mkdirSync(`${directory}/${name}`);
  Deno.writeTextFileSync(`${directory}/${name}/x`, "soup");
  assertEquals(inside(mounts.with(bind(`${directory}/${name}`, "/mnt")), "cat /mnt/x"), "soup");
  assertEquals(
    inside(mounts.with(tmpfs("/mnt"), bind("/usr", `/mnt/${name}`)), "ls /mnt"),
    inside(mounts.with(tmpfs("/mnt"), mkdir(`/mnt/${name}`)), "ls /mnt"),
  );
  const cwd = Deno.cwd();
  Deno.chdir(directory);
  try {
    assertEquals(inside(mounts.with(bind(".", "/mnt")), `cat /mnt/*/x`), "soup");
  } finally {
    Deno.chdir(cwd);
  }
});

testBind(
  "a source within the new root is not led to the host by a symlink",
  (mounts, directory) => {
    Deno.mkdirSync(`${directory}/etc`);
    Deno.writeTextFileSync(`${directory}/etc/a`, "soup");
    Deno.symlinkSync("/etc", `${directory}/link`);
    const box = mounts.with(
      bind(directory),
      bind("/usr", `${directory}/usr`, { optional: true }),
      bind(`${directory}/link`, "/mnt"),
      { step: "chroot", path: directory },
    );
    // The chroot has no programs; that error comes after all steps.
    let message = "";
    try {
      box.command("true").outputSync();
    } catch (error) {
      message = (error as Error).message;
    }
    assertStringIncludes(message, "usr");
  },
);

testOn(
  ["mount"],
  "files are made through no symlink that leads out of the recipe's filesystem",
  (mounts) => {
    inDirectory((directory) => {
      Deno.chmodSync(directory, 0o777);
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
        assertFails(mounts.with(tmpfs("/mnt"), symlink(directory, "/mnt/out"), step), {
          step: step.step,
          code: "EXDEV",
          says: "leads out of /mnt; make it a relative one within it",
        });
      }
      assertEquals([...Deno.readDirSync(directory)], []);
    })();
  },
);

test("a bind that would change the host is refused, and invalid fields", () => {
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

test("/ is refused as a mount point, also for a source that is missing", () => {
  for (const source of ["/usr", "/nonesuch"]) {
    const root = bind(source, "/", { optional: true });
    const box = () => recipe(unshare("user", "mount"), mapRoot(), root, bind("/usr", "/mnt"));
    assertRefused(box, { step: "bind", at: 2, says: "a mount on / is invisible" });
  }
});

test(
  "below a mount that is missing no link of the host is followed",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/granted`);
    Deno.mkdirSync(`${directory}/other`);
    Deno.symlinkSync("../other", `${directory}/granted/link`);
    const box = recipe(
      unshare("user", "mount"),
      mapRoot(),
      tmpfs("/mnt"),
      bind("/nonesuch", directory, { optional: true }),
      bind(`${directory}/granted/link`, "/mnt/x"),
    );
    assertFails(box, { step: "bind", at: 4, code: "ELOOP", says: "symbolic links" });
  }),
);
