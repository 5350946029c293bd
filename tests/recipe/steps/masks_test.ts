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
} from "../../../mod.ts";
import {
  assertFails,
  assertRefused,
  failing,
  grounds,
  inFolder,
  inside,
  notRoot,
  test,
  testOn,
} from "../support.ts";

testOn(["mount"], "a file reads as empty, a folder is empty and stays it", (ground) => {
  const box = ground.with(maskPaths("/etc/passwd", "/usr/share"));
  assertEquals(inside(box, "cat /etc/passwd; ls -A /usr/share"), "");
  failing(box, "touch /usr/share/a");
  assertEquals(inside(box, "test -c /etc/passwd && stat -c %a /usr/share"), "555");
});

testOn(["mount", "pid"], "parts of /proc are hidden, or can only be read", (ground) => {
  const box = ground.with(
    proc(),
    maskPaths("/proc/keys", "/proc/kcore", "/proc/acpi", "/proc/no_such_file", "/proc/fs"),
    readonlyPaths("/proc/sys", "/proc/irq", "/proc/sysrq-trigger", "/proc/no/such/folder"),
  );
  assertEquals(inside(box, "cat /proc/keys; ls /proc/fs"), "");
  assertStringIncludes(failing(box, "echo 1 > /proc/sys/kernel/pid_max"), "Read-only");
  assertEquals(inside(box, "cat /proc/sys/kernel/ostype"), "Linux");
});

testOn(["mount"], "what is missing is left out, and nothing is made in its place", (ground) => {
  const box = ground.with(
    tmpfs("/mnt"),
    maskPaths("/mnt/a", "/mnt/b/c"),
    readonlyPaths("/mnt/d", "/etc/passwd/e"),
  );
  assertEquals(inside(box, "ls -A /mnt"), "");
});

testOn(["mount"], "folders and files cannot be changed, nor what is mounted in them", (ground) => {
  const box = ground.with(
    tmpfs("/mnt"),
    mkdir("/mnt/folder"),
    tmpfs("/mnt/folder/within"),
    writeFile("/mnt/file", "soup"),
    readonlyPaths("/mnt/folder", "/mnt/file"),
  );
  for (const change of ["touch folder/a", "touch folder/within/a", "echo > file"]) {
    assertStringIncludes(failing(box, `cd /mnt; ${change}`), "Read-only");
  }
  assertEquals(inside(box, "cat /mnt/file; touch /mnt/other"), "soup");
});

test(
  "the host's files stay as they are",
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "soup");
    for (const { ground } of grounds("mount")) {
      inside(ground.with(maskPaths(`${folder}/file`), readonlyPaths(folder)), "true");
      assertEquals(Deno.readTextFileSync(`${folder}/file`), "soup");
      Deno.writeTextFileSync(`${folder}/other`, "");
    }
  }),
);

test(
  "the working directory is no way around",
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/within`);
    Deno.chmodSync(`${folder}/within`, 0o777);
    for (const { ground } of grounds("mount")) {
      const entered = ground.with(chdir(`${folder}/within`));
      const locked = entered.with(readonlyPaths(folder));
      assertEquals(inside(locked, "pwd"), `${folder}/within`);
      assertStringIncludes(failing(locked, "touch a"), "Read-only");
      const hidden = entered.with(maskPaths(folder));
      assertEquals(inside(hidden, "pwd; ls"), inside(recipe(chdir("/")), "pwd; ls"));
    }
  }),
);

testOn(["mount"], "in a root that is entered later, links lead nowhere else", (ground) => {
  const box = ground.with(
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

testOn(["mount"], "who may not mount cannot take it away", (ground) => {
  const box = ground.with(maskPaths("/usr/share"), readonlyPaths("/tmp"));
  inside(box, "umount /usr/share");
  const held = box.with(capabilities({ keep: [] }));
  failing(held, "umount /usr/share");
  failing(held, "mount -o remount,bind,rw /tmp");
});

test("the host's own files, the root and no path at all are refused", () => {
  assertRefused(() => recipe(maskPaths("/etc")), { step: "maskPaths", says: 'unshare("mount")' });
  assertRefused(() => recipe(readonlyPaths("/etc")), { says: 'unshare("mount")' });
  const { ground } = grounds("mount")[0]!;
  assertRefused(() => ground.with(maskPaths("/")), { says: "pivotRoot()" });
  assertRefused(() => ground.with(readonlyPaths("//")), { says: 'remount("/"' });
  assertRefused(() => recipe(maskPaths()), { says: "needs at least one" });
  assertRefused(() => recipe(maskPaths("etc")), { says: "begin with /" });
});

test(
  "it is told that a path lies where the user may not look",
  inFolder((folder) => {
    // The mapped root is no more than anybody there.
    Deno.chownSync(folder, 1, 1);
    Deno.chmodSync(folder, 0o700);
    const ground = recipe(unshare("user", "mount"), mapRoot());
    const hidden = `${folder}/a`;
    for (const step of [maskPaths(hidden), readonlyPaths(hidden), bind(hidden, "/mnt")]) {
      assertFails(ground.with(step), {
        step: step.step,
        code: "EACCES",
        says: "a folder on the way may not be searched by this user",
      });
    }
  }),
  notRoot,
);
