/** `pivotRoot`, `chroot` and `chdir`. */

import { assert, assertEquals } from "@std/assert";
import {
  bind,
  chdir,
  chroot,
  devices,
  mapRoot,
  mkdir,
  pivotRoot,
  proc,
  type Recipe,
  recipe,
  symlink,
  tmpfs,
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

/** A root with the host's programs. */
function withRoot(mounts: Recipe, root: string): Recipe {
  return mounts.with(
    tmpfs(root),
    bind("/usr", `${root}/usr`, { readOnly: true }),
    ...["bin", "lib", "lib64"].map((name) => symlink(`usr/${name}`, `${root}/${name}`)),
    proc(`${root}/proc`),
  );
}

testOn(
  ["mount", "pid"],
  "the new root holds what the recipe has put there, and no more",
  (mounts) => {
    const box = withRoot(mounts, "/mnt").with(pivotRoot("/mnt"));
    assertEquals(
      inside(box, "ls /; pwd; readlink /proc/1/cwd /proc/1/root"),
      [
        "bin",
        "lib",
        "lib64",
        "proc",
        "usr",
        "/",
        "/",
        "/",
      ].join("\n"),
    );
  },
);

testOn(
  ["mount"],
  "a directory of the host as the root has no devices but those of the recipe",
  (mounts) =>
    inDirectory((directory) => {
      for (const name of ["usr", "dev"]) Deno.mkdirSync(`${directory}/${name}`);
      for (const name of ["bin", "lib", "lib64"]) {
        Deno.symlinkSync(`usr/${name}`, `${directory}/${name}`);
      }
      // The numbers of /dev/null (null(4)).
      inside(recipe(), `mknod -m 666 ${directory}/node c 1 3`);
      const box = mounts.with(
        bind("/usr", `${directory}/usr`, { readOnly: true }),
        devices(`${directory}/dev`),
        pivotRoot(directory),
      );
      inside(box, "echo salt > /dev/null; ! echo salt > /node");
    })(),
  notRoot,
);

testOn(["mount", "pid"], "no mount of the old root is left", (mounts) => {
  const box = withRoot(mounts, "/mnt").with(pivotRoot("/mnt"));
  const points = inside(box, "cat /proc/self/mountinfo").split("\n").map((line) =>
    line.split(" ")[4]
  );
  assertEquals(points.toSorted().filter((point) => !point!.startsWith("/usr/")), [
    "/",
    "/proc",
    "/usr",
  ]);
});

testOn(["mount", "pid"], "a directory that is no mount point becomes the root too", (mounts) => {
  inDirectory((directory) => {
    for (const name of ["usr", "proc", "tmp"]) Deno.mkdirSync(`${directory}/${name}`);
    for (const name of ["bin", "lib", "lib64"]) {
      Deno.symlinkSync(`usr/${name}`, `${directory}/${name}`);
    }
    const box = mounts.with(
      bind("/usr", `${directory}/usr`),
      proc(`${directory}/proc`),
      tmpfs(`${directory}/tmp`),
      pivotRoot(directory),
      writeFile("/tmp/a", "soup"),
    );
    assertEquals(inside(box, "ls /; cat /tmp/a"), "bin\nlib\nlib64\nproc\ntmp\nusr\nsoup");
    assertEquals([...Deno.readDirSync(directory)].length, 6);
    assertEquals([...Deno.readDirSync(`${directory}/tmp`)], []);
  })();
});

testOn(["mount", "pid"], "steps behind pivotRoot happen in the new root", (mounts) => {
  const box = withRoot(mounts, "/mnt").with(
    mkdir("/mnt/x"),
    pivotRoot("/mnt"),
    mkdir("/a/b"),
    tmpfs("/c"),
    writeFile("/c/d", "soup"),
    bind("/c", "/x"),
    chdir("/x"),
  );
  assertEquals(inside(box, "pwd; cat d; test -d /a/b"), "/x\nsoup");
});

testOn(["mount", "pid"], "the root can be changed twice", (mounts) => {
  const first = withRoot(mounts, "/mnt").with(pivotRoot("/mnt"));
  const box = withRoot(first, "/inner").with(pivotRoot("/inner"));
  const points = inside(box, "ls / | tr '\\n' ' '; cat /proc/self/mountinfo");
  assert(points.startsWith("bin lib lib64 proc usr "), points);
  assert(!points.includes("/inner"), points);
});

testOn(["mount"], "a missing new root is reported", (mounts) => {
  assertFails(mounts.with(pivotRoot("/no/such/directory")), {
    step: "pivotRoot",
    code: "ENOENT",
    says: "does not exist",
  });
  assertFails(mounts.with(pivotRoot("/etc/passwd")), {
    step: "pivotRoot",
    code: "ENOTDIR",
    says: "",
  });
});

testOn(["mount"], "the root itself as the new root is refused", (mounts) => {
  assertRefused(() => mounts.with(pivotRoot("/")), { step: "pivotRoot", says: "the root already" });
  assertRefused(() => mounts.with(pivotRoot("//.")), {
    step: "pivotRoot",
    says: "the root already",
  });
});

test("pivotRoot without a mount namespace is refused", () => {
  assertRefused(() => recipe(unshare("user"), mapRoot(), pivotRoot("/mnt")), {
    step: "pivotRoot",
    at: 2,
    says: 'put unshare("mount") before it',
  });
});

testOn(["mount", "pid"], "chroot makes a directory the root of the program", (mounts) => {
  const box = withRoot(mounts, "/mnt").with(chroot("/mnt"), mkdir("/a"));
  assertEquals(inside(box, "ls /; pwd"), "a\nbin\nlib\nlib64\nproc\nusr\n/");
});

test("chroot needs no mount namespace", () => {
  assertEquals(
    inside(recipe(unshare("user"), mapRoot(), chroot("/"), chdir("usr")), "pwd"),
    "/usr",
  );
});

testOn([], "a missing directory of chroot is reported", (mounts) => {
  assertFails(mounts.with(chroot("/no/such/directory")), {
    step: "chroot",
    code: "ENOENT",
    says: "does not exist",
  });
});

testOn([], "chdir changes the working directory, step by step", (mounts) => {
  assertEquals(inside(mounts.with(chdir("/usr"), chdir("bin"), chdir("..")), "pwd"), "/usr");
});

testOn([], "a missing working directory is reported", (mounts) => {
  assertFails(mounts.with(chdir("/no/such/directory")), {
    step: "chdir",
    code: "ENOENT",
    says: "does not exist",
  });
  assertFails(mounts.with(chdir("/etc/passwd")), {
    step: "chdir",
    code: "ENOTDIR",
    says: "/etc/passwd is not a directory",
  });
});

test("the error of an unprivileged user says what chroot needs", () => {
  const box = recipe(chroot("/"));
  if (Deno.uid() === 0) assertEquals(inside(box, "pwd"), "/");
  else assertFails(box, { step: "chroot", at: 0, code: "EPERM", says: "CAP_SYS_CHROOT" });
});

testOn(["mount", "pid"], "nothing leads out of the new root", (mounts) => {
  const box = withRoot(mounts, "/mnt").with(pivotRoot("/mnt"));
  assertEquals(inside(box, "cd /; cd ../../../..; pwd; ls ../.. | head -n 1"), "/\nbin");
});
