/** `maskPaths` and `readonlyPaths`. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  bind,
  capabilities,
  chdir,
  mapRoot,
  maskPaths,
  mkdir,
  pivotRoot,
  proc,
  readonlyPaths,
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
  grounds,
  inDirectory,
  inside,
  notRoot,
  test,
  testOn,
} from "../support.ts";

testOn(["mount"], "a file reads as empty, a directory is empty and stays it", (mounts) => {
  const box = mounts.with(maskPaths("/etc/passwd", "/usr/share"));
  assertEquals(inside(box, "cat /etc/passwd; ls -A /usr/share"), "");
  assertStringIncludes(failing(box, "touch /usr/share/a"), "Read-only");
  assertStringIncludes(failing(box, "echo soup >> /etc/passwd"), "Read-only");
  assertStringIncludes(failing(box, "chmod 777 /etc/passwd"), "Read-only");
  const files = "stat -c '%F %a %s' /etc/passwd; stat -c '%F %a' /usr/share";
  assertEquals(inside(box, files), "regular empty file 444 0\ndirectory 555");
});

testOn(["mount", "pid"], "parts of /proc are hidden, or can only be read", (mounts) => {
  const box = mounts.with(
    proc(),
    maskPaths("/proc/keys", "/proc/kcore", "/proc/acpi", "/proc/no_such_file", "/proc/fs"),
    readonlyPaths("/proc/sys", "/proc/irq", "/proc/sysrq-trigger", "/proc/no/such/directory"),
  );
  assertEquals(inside(box, "cat /proc/keys; ls /proc/fs"), "");
  assertStringIncludes(failing(box, "echo 1 > /proc/sys/kernel/pid_max"), "Read-only");
  assertEquals(inside(box, "cat /proc/sys/kernel/ostype"), "Linux");
});

testOn(["mount"], "what is missing is left out, and nothing is made in its place", (mounts) => {
  const box = mounts.with(
    tmpfs("/mnt"),
    maskPaths("/mnt/a", "/mnt/b/c"),
    readonlyPaths("/mnt/d", "/etc/passwd/e"),
  );
  assertEquals(inside(box, "ls -A /mnt"), "");
});

testOn(
  ["mount"],
  "directories and files cannot be changed, nor what is mounted in them",
  (mounts) => {
    const box = mounts.with(
      tmpfs("/mnt"),
      mkdir("/mnt/directory"),
      tmpfs("/mnt/directory/within"),
      writeFile("/mnt/file", "soup"),
      readonlyPaths("/mnt/directory", "/mnt/file"),
    );
    for (const change of ["touch directory/a", "touch directory/within/a", "echo > file"]) {
      assertStringIncludes(failing(box, `cd /mnt; ${change}`), "Read-only");
    }
    assertEquals(inside(box, "cat /mnt/file; touch /mnt/other"), "soup");
  },
);

test(
  "the host's files stay as they are",
  inDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "soup");
    for (const { mounts } of grounds("mount")) {
      inside(mounts.with(maskPaths(`${directory}/file`), readonlyPaths(directory)), "true");
      assertEquals(Deno.readTextFileSync(`${directory}/file`), "soup");
      Deno.writeTextFileSync(`${directory}/other`, "");
    }
  }),
);

test(
  "the working directory gives no access to masked files",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/within`);
    Deno.chmodSync(`${directory}/within`, 0o777);
    for (const { mounts } of grounds("mount")) {
      const entered = mounts.with(chdir(`${directory}/within`));
      const locked = entered.with(readonlyPaths(directory));
      assertEquals(inside(locked, "pwd"), `${directory}/within`);
      assertStringIncludes(failing(locked, "touch a"), "Read-only");
      const hidden = entered.with(maskPaths(directory));
      assertEquals(inside(hidden, "pwd; ls"), inside(recipe(chdir("/")), "pwd; ls"));
    }
  }),
);

testOn(["mount"], "in a root that is entered later, links lead nowhere else", (mounts) => {
  const box = mounts.with(
    tmpfs("/mnt"),
    bind("/usr", "/mnt/usr", { readOnly: true }),
    ...["bin", "lib", "lib64"].map((name) => symlink(`usr/${name}`, `/mnt/${name}`)),
    mkdir("/mnt/etc"),
    writeFile("/mnt/etc/passwd", "mine"),
    symlink("/etc", "/mnt/link"),
    maskPaths("/mnt/link/passwd"),
    pivotRoot("/mnt"),
  );
  assertEquals(inside(box, "cat /etc/passwd; echo -"), "-");
});

testOn(["mount"], "who may not mount cannot take it away", (mounts) => {
  const box = mounts.with(maskPaths("/usr/share"), readonlyPaths("/tmp"));
  inside(box, "umount /usr/share");
  const held = box.with(capabilities({ keep: [] }));
  failing(held, "umount /usr/share");
  failing(held, "mount -o remount,bind,rw /tmp");
});

test("masks on the host, on the root, or without paths are refused", () => {
  assertRefused(() => recipe(maskPaths("/etc")), { step: "maskPaths", says: 'unshare("mount")' });
  assertRefused(() => recipe(readonlyPaths("/etc")), { says: 'unshare("mount")' });
  const { mounts } = grounds("mount")[0]!;
  assertRefused(() => mounts.with(maskPaths("/")), { says: "pivotRoot()" });
  assertRefused(() => mounts.with(readonlyPaths("//")), { says: 'remount("/"' });
  assertRefused(() => recipe(maskPaths()), { says: "needs at least one" });
  assertRefused(() => recipe(maskPaths("etc")), { says: "begin with /" });
});

test(
  "a path in a directory that the user may not search is reported",
  inDirectory((directory) => {
    // The mapped root is an ordinary user there.
    Deno.chownSync(directory, 1, 1);
    Deno.chmodSync(directory, 0o700);
    const mounts = recipe(unshare("user", "mount"), mapRoot());
    const hidden = `${directory}/a`;
    for (const step of [maskPaths(hidden), readonlyPaths(hidden), bind(hidden, "/mnt")]) {
      assertFails(mounts.with(step), {
        step: step.step,
        code: "EACCES",
        says: `this user may not search a directory on the way to ${hidden} (chmod +x)`,
      });
    }
  }),
  notRoot,
);

testOn(
  ["mount"],
  "a link on the way, in what can be changed, is refused",
  (mounts) =>
    inDirectory((directory) => {
      Deno.mkdirSync(`${directory}/real`);
      Deno.writeTextFileSync(`${directory}/real/file`, "text");
      Deno.symlinkSync("real", `${directory}/link`);
      const box = mounts.with(tmpfs("/mnt"), bind(directory, "/mnt/work"));
      const path = "/mnt/work/link/file";
      const says = "a directory on the way to /mnt/work/link/file is a symbolic link";
      for (
        const step of [maskPaths(path), readonlyPaths(path), bind("/usr", path, { readOnly: true })]
      ) {
        assertFails(box.with(step), { step: step.step, code: "ELOOP", says });
      }
      inside(box.with(readonlyPaths("/mnt/work/real/file")), "cat /mnt/work/link/file");
    })(),
);

testOn(
  ["mount"],
  "directories above what is hidden or read-only stay where they are",
  (mounts) =>
    inDirectory((directory) => {
      Deno.mkdirSync(`${directory}/a/b/c`, { recursive: true });
      Deno.writeTextFileSync(`${directory}/a/b/file`, "text");
      const bound = mounts.with(tmpfs("/mnt"), bind(directory, "/mnt/work"));
      for (
        const [box, root] of [
          [mounts.with(maskPaths(`${directory}/a/b/c`, `${directory}/a/b/file`)), directory],
          [mounts.with(readonlyPaths(`${directory}/a/b/c`, `${directory}/a/b/file`)), directory],
          [bound.with(maskPaths("/mnt/work/a/b/c")), "/mnt/work"],
          [bound.with(readonlyPaths("/mnt/work/a/b/c")), "/mnt/work"],
          [bound.with(bind("/usr", "/mnt/work/a/b/c", { readOnly: true })), "/mnt/work"],
        ] as const
      ) {
        for (const path of ["a", "a/b", "a/b/c"]) failing(box, `mv -T ${root}/${path} ${root}/x`);
      }
      // What is missing is passed over, also where a directory on the way is.
      inside(mounts.with(readonlyPaths(`${directory}/a/x/y`, `${directory}/a/x/z`)), "true");
    })(),
);
