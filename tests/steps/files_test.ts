/** `mkdir`, `symlink`, `writeFile` and `mknod`. */

import { assert, assertEquals } from "@std/assert";
import {
  mapRoot,
  mkdir,
  mknod,
  overlay,
  recipe,
  symlink,
  tmpfs,
  umask,
  unshare,
  writeFile,
} from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  inDirectory,
  inside,
  notRoot,
  test,
  testOn,
} from "../support.ts";

const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));

testOn(["mount"], "mkdir makes directories with all that they lie in", (mounts) => {
  const made = mounts.with(tmpfs("/mnt"), mkdir("/mnt/a/b/c", { mode: 0o2750 }), mkdir("/mnt/a"));
  assertEquals(inside(made, "stat -c %a /mnt/a /mnt/a/b /mnt/a/b/c"), "755\n755\n2750");
});

testOn(["mount"], "modes are exact, whatever the umask is", (mounts) => {
  const made = mounts.with(
    umask(0o077),
    tmpfs("/mnt"),
    mkdir("/mnt/a", { mode: 0o777 }),
    writeFile("/mnt/b", "", { mode: 0o666 }),
    mknod("/mnt/c", { type: "p", mode: 0o666 }),
    mkdir("/mnt/d"),
    writeFile("/mnt/e", ""),
    mknod("/mnt/f", { type: "p" }),
  );
  const modes = inside(made, "stat -c %a /mnt/a /mnt/b /mnt/c /mnt/d /mnt/e /mnt/f").split("\n");
  assertEquals(modes, ["777", "666", "666", "700", "600", "600"]);
});

testOn(["mount"], "mkdir leaves a directory that is there as it is", (mounts) => {
  const made = mounts.with(
    tmpfs("/mnt"),
    mkdir("/mnt/a", { mode: 0o700 }),
    writeFile("/mnt/a/b", "soup"),
    mkdir("/mnt/a"),
    mkdir("/mnt"),
  );
  assertEquals(inside(made, "stat -c %a /mnt/a; cat /mnt/a/b"), "700\nsoup");
});

testOn(["mount"], "symlink makes a link that says anything", (mounts) => {
  const made = mounts.with(
    tmpfs("/mnt"),
    symlink("/no/where", "/mnt/a"),
    symlink("../x y", "/mnt/b"),
  );
  assertEquals(inside(made, "readlink /mnt/a /mnt/b"), "/no/where\n../x y");
});

testOn(["mount"], "a link that is there is an error", (mounts) => {
  assertFails(mounts.with(tmpfs("/mnt"), symlink("x", "/mnt/a"), symlink("y", "/mnt/a")), {
    step: "symlink",
    code: "EEXIST",
    says: "/mnt/a exists already",
  });
});

testOn(["mount"], "writeFile writes texts of any size", (mounts) => {
  for (const size of [0, 1, 65536, 65537, 2 ** 21 + 1]) {
    const text = "soup\n".repeat(size / 5 + 1).slice(0, size);
    const made = mounts.with(tmpfs("/mnt"), writeFile("/mnt/a", text));
    const { stdout } = made.command("cat", { args: ["/mnt/a"] }).outputSync();
    assert(new TextDecoder().decode(stdout) === text, `${size} bytes differ`);
  }
});

testOn(
  ["mount"],
  "writeFile writes UTF-8, empties what is there, and has the mode 0644",
  (mounts) => {
    const made = mounts.with(
      tmpfs("/mnt"),
      writeFile("/mnt/a", "a longer text than the next one"),
      writeFile("/mnt/a", "Müesli €\0"),
    );
    assertEquals(inside(made, "tr '\\0' 0 < /mnt/a; stat -c %a /mnt/a"), "Müesli €0644");
  },
);

testOn(["mount"], "writeFile on a full filesystem is reported", (mounts) => {
  const full = mounts.with(tmpfs("/mnt", { size: "64k" }), writeFile("/mnt/a", "x".repeat(65537)));
  assertFails(full, { step: "writeFile", code: "ENOSPC", says: "give its tmpfs more { size }" });
});

testOn(["mount"], "writeFile into a missing directory is reported", (mounts) => {
  assertFails(mounts.with(tmpfs("/mnt"), writeFile("/mnt/a/b", "")), {
    step: "writeFile",
    code: "ENOENT",
    says: "mkdir() makes it",
  });
});

testOn(["mount"], "mknod makes a pipe", (mounts) => {
  const made = mounts.with(tmpfs("/mnt"), mknod("/mnt/a", { type: "p" }));
  assertEquals(inside(made, "echo soup > /mnt/a & cat /mnt/a"), "soup");
});

test("mknod makes exactly the mode that it is given, and leaves the umask as it is", () => {
  const made = box.with(
    umask(0o77),
    mknod("/mnt/exact", { type: "p", mode: 0o666 }),
    mknod("/mnt/usual", { type: "p" }),
    mknod("/mnt/own", { type: "p", uid: 0, gid: 0, mode: 0o640 }),
  );
  assertEquals(
    inside(made, "umask; stat -c %a /mnt/exact /mnt/usual /mnt/own"),
    [
      "0077",
      "666",
      "600",
      "640",
    ].join("\n"),
  );
});

test("root makes device files that work", () => {
  const made = recipe(
    unshare("mount"),
    tmpfs("/mnt", { options: "dev" }),
    mknod("/mnt/zero", { type: "c", major: 1, minor: 5, mode: 0o600 }),
    mknod("/mnt/block", { type: "b", major: 7, minor: 300 }),
  );
  const script = "head -c 2 /mnt/zero | od -An -tx1; stat -c '%a %t %T %F' /mnt/zero /mnt/block";
  assertEquals(
    inside(made, script),
    [
      " 00 00",
      "600 1 5 character special file",
      "644 7 12c block special file",
    ].join("\n"),
  );
}, notRoot);

test("the error of mknod in a user namespace has a fix", () => {
  assertFails(box.with(mknod("/mnt/zero", { type: "c", major: 1, minor: 5 })), {
    step: "mknod",
    at: 3,
    code: "EPERM",
    says: "devices() and bind() need none",
  });
});

test(
  "files on the host are made only with { host: true }",
  inDirectory((directory) => {
    const onHost = recipe(
      mkdir(`${directory}/a/b`, { host: true, mode: 0o700 }),
      writeFile(`${directory}/a/b/c`, "soup", { host: true }),
      symlink("c", `${directory}/a/b/d`, { host: true }),
      mknod(`${directory}/a/e`, { type: "p", host: true }),
    );
    assertEquals(inside(onHost, `cat ${directory}/a/b/d`), "soup");
    assertEquals(Deno.readTextFileSync(`${directory}/a/b/d`), "soup");
    assertEquals(Deno.statSync(`${directory}/a/b`).mode! & 0o7777, 0o700);
    assert(Deno.statSync(`${directory}/a/e`).isFifo);
    for (
      const step of [
        mkdir(`${directory}/x`),
        writeFile(`${directory}/x`, ""),
        symlink("a", `${directory}/x`),
        mknod(`${directory}/x`, { type: "p" }),
      ]
    ) {
      assertRefused(() => recipe(step), { step: step.step, at: 0, says: 'put unshare("mount")' });
      assertRefused(() => box.with(step), { step: step.step, at: 3, says: "pass { host: true }" });
    }
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["a"]);
  }),
);

test(
  "files beneath a bound directory are on the host, and refused",
  inDirectory((directory) => {
    const bound = box.with({ step: "bind", source: directory, target: "/mnt/a" });
    assertRefused(() => bound.with(writeFile("/mnt/a/b", "")), {
      step: "writeFile",
      says: "is on the host",
    });
    const covered = bound.with(tmpfs("/mnt/a"), writeFile("/mnt/a/b", "soup"));
    assertEquals(inside(covered, "cat /mnt/a/b"), "soup");
    const uncovered = bound.with(tmpfs("/mnt/a"), { step: "unmount", target: "/mnt/a" });
    assertRefused(() => uncovered.with(writeFile("/mnt/a/b", "")), { says: "is on the host" });
    assertEquals([...Deno.readDirSync(directory)], []);
  }),
);

test(
  "a path beneath a later bind is not on a filesystem of the recipe",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/b`);
    const bound = box.with(tmpfs("/mnt/a/b"), {
      step: "bind",
      source: directory,
      target: "/mnt/a",
    });
    assertRefused(() => bound.with(writeFile("/mnt/a/b/c", "")), { says: "is on the host" });
    assertEquals([...Deno.readDirSync(`${directory}/b`)], []);
  }),
);

testOn(
  ["mount"],
  "a symlink in an overlay's lower directory leads no file to the host",
  (mounts) => {
    inDirectory((directory) => {
      Deno.mkdirSync(`${directory}/lower`);
      Deno.mkdirSync(`${directory}/host`);
      Deno.symlinkSync("../host", `${directory}/lower/a`);
      Deno.symlinkSync(`${directory}/host`, `${directory}/lower/b`);
      for (const name of ["a", "b"]) {
        const box = mounts.with(
          overlay(`${directory}/lower`, { lower: [`${directory}/lower`], discard: true }),
          writeFile(`${directory}/lower/${name}/file`, ""),
        );
        const says = `leads out of ${directory}/lower`;
        assertFails(box, { step: "writeFile", code: "EXDEV", says });
      }
      assertEquals([...Deno.readDirSync(`${directory}/host`)], []);
    })();
  },
);

testOn(
  ["mount"],
  "a link of the host can lead to a mount of the recipe over other mounts",
  (mounts) =>
    inDirectory((directory) => {
      for (const name of ["real", "elsewhere"]) Deno.mkdirSync(`${directory}/${name}`);
      Deno.symlinkSync("real", `${directory}/link`);
      Deno.symlinkSync("../elsewhere", `${directory}/real/a`);
      const made = mounts.with(
        tmpfs(`${directory}/real`),
        mkdir(`${directory}/link/a`),
        writeFile(`${directory}/link/a/file`, "soup"),
        tmpfs(`${directory}/link/b`),
      );
      const seen = `cd ${directory}; cat real/a/file; stat -c %F real/a; grep -c '/real/b ' `;
      assertEquals(inside(made, `${seen} /proc/self/mountinfo`), "soupdirectory\n1");
      assertEquals([...Deno.readDirSync(`${directory}/elsewhere`)], []);
    })(),
);

test("invalid fields of files are refused", () => {
  const cases: [() => Parameters<typeof box.with>[0], string][] = [
    [() => mkdir("a"), "has to begin with /"],
    [() => mkdir("/mnt/../a"), '".."'],
    [() => mkdir("/mnt/a\0"), "NUL"],
    [() => mkdir("/mnt/a", { mode: 8 ** 5 }), "whole number"],
    [() => symlink("", "/mnt/a"), "is empty"],
    [() => writeFile("/mnt/a", 5 as never), "should be a string, not 5"],
    [() => mknod("/mnt/a", { type: "x" as never }), '"b", "c", "p"'],
    [() => mknod("/mnt/a", { type: "c", major: 1 }), 'needs "major" and "minor"'],
    [() => mknod("/mnt/a", { type: "p", major: 1 }), "a pipe has no device number"],
    [() => mknod("/mnt/a", { type: "c", major: 4096, minor: 0 }), "whole number from 0 to 4095"],
    [() => mkdir("/mnt/a", { hots: true } as never), 'did you mean "host"?'],
  ];
  for (const [make, says] of cases) assertRefused(() => box.with(make()), { at: 3, says });
});

test("a missing parent directory of a link or pipe is reported with the fix", () => {
  for (const step of [symlink("b", "/mnt/c/a"), mknod("/mnt/c/a", { type: "p" })]) {
    assertFails(box.with(step), { step: step.step, code: "ENOENT", says: "mkdir() makes it" });
  }
});

test("a pipe in place of a file keeps no launch waiting", () => {
  const steps = [mknod("/mnt/pipe", { type: "p" }), writeFile("/mnt/pipe", "text")];
  assertFails(box.with(...steps), { step: "writeFile", code: "ENXIO", says: "is a pipe" });
});
