/** `mount`, `tmpfs`, `proc`, `sysfs`, `mqueue`, `propagation`, `remount` and `unmount`. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  bind,
  init,
  mapCurrentUser,
  mapRoot,
  mkdir,
  mount,
  mqueue,
  pivotRoot,
  proc,
  propagation,
  recipe,
  remount,
  sysctl,
  sysfs,
  tmpfs,
  unmount,
  unshare,
} from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  failing,
  inDirectory,
  inside,
  test,
  testOn,
} from "../support.ts";

const box = recipe(unshare("user", "mount"), mapRoot());

/** A script that prints the last line of a mount point in /proc/self/mountinfo. */
function mountOf(target: string): string {
  return `awk '$5 == "${target}"' /proc/self/mountinfo | tail -n 1`;
}

testOn(
  ["mount"],
  "mount translates option words to flags, and leaves the rest to the type",
  (mounts) => {
    const options = "ro,nosuid,nodev,noexec,noatime,size=64k,mode=0711";
    const line = inside(
      mounts.with(mount("kitchen", "/tmp", { type: "tmpfs", options })),
      mountOf("/tmp"),
    );
    const [mounted, filesystem] = line.split(" - ") as [string, string];
    assertStringIncludes(mounted, " ro,nosuid,nodev,noexec,noatime");
    assertMatch(filesystem, /^tmpfs kitchen ro,size=64k,mode=711/);
  },
);

testOn(["mount"], "later option words override earlier ones", (mounts) => {
  const options = "ro,nosuid,rw,suid,defaults,x-initrd.mount,noauto";
  const line = inside(mounts.with(mount("a", "/tmp", { type: "tmpfs", options })), mountOf("/tmp"));
  assertStringIncludes(line, " rw,relatime");
});

testOn(["mount"], "the words of fstab(5) do not reach the kernel", (mounts) => {
  const words =
    "auto,noauto,user,nouser,users,nousers,owner,noowner,group,nogroup,_netdev,nofail," +
    "comment=soup,x-systemd.automount,X-mount.mkdir,uhelper=a,helper=b,size=64k";
  const line = (options: string) =>
    inside(mounts.with(mount("a", "/tmp", { type: "tmpfs", options })), mountOf("/tmp"));
  assertStringIncludes(line(words), " rw,nosuid,nodev,noexec");
  assertStringIncludes(line(`${words},defaults`), " rw,relatime");
  const box = mounts.with(tmpfs("/mnt", { options: words }), remount("/mnt", "ro,user,comment=a"));
  assertStringIncludes(inside(box, mountOf("/mnt")), " ro,nosuid,nodev,noexec");
});

testOn(["mount"], "a tmpfs is empty, without setuid and devices, and for everyone", (mounts) => {
  const seen = inside(
    mounts.with(tmpfs("/tmp")),
    `ls -A /tmp; stat -c %a /tmp; ${mountOf("/tmp")}`,
  );
  assertMatch(seen, /^1777\n.* rw,nosuid,nodev/);
});

testOn(["mount"], "a tmpfs holds as much as it may", (mounts) => {
  const small = mounts.with(
    tmpfs("/tmp", { size: "64k", mode: 0o700, options: "noexec,nr_inodes=9" }),
  );
  const script = `head -c 65536 /dev/zero > /tmp/full && stat -c %a /tmp; ${mountOf("/tmp")}`;
  assertMatch(inside(small, script), /^700\n.* rw,nosuid,nodev,noexec.*size=64k,nr_inodes=9/);
  assertStringIncludes(failing(small, "head -c 65537 /dev/zero > /tmp/full"), "No space left");
});

testOn(["mount"], "a tmpfs's size may be a part of memory, and its mode 0", (mounts) => {
  const seen = inside(mounts.with(tmpfs("/tmp", { size: "1%", mode: 0 })), mountOf("/tmp"));
  assertStringIncludes(seen, "mode=0");
});

test("files of a tmpfs are not on the host", () => {
  const file = `/tmp/ramekin-${crypto.randomUUID()}`;
  inside(box.with(tmpfs("/tmp")), `touch ${file}`);
  assert(!exists(file));
});

testOn(["mount", "pid"], "proc shows the container's processes alone", (mounts) => {
  const seen = inside(mounts.with(proc()), `echo /proc/[0-9]*; ${mountOf("/proc")}`);
  assertMatch(seen, /^\/proc\/1\n.* rw,nosuid,nodev,noexec/);
});

testOn(["mount", "pid"], "proc can be read-only, and hide what is others'", (mounts) => {
  const seen = inside(mounts.with(proc("/proc", { options: "ro,hidepid=2" })), mountOf("/proc"));
  assertMatch(seen, / ro,nosuid,nodev,noexec.*hidepid=(2|invisible)/);
});

testOn(["mount", "net"], "sysfs shows the container's network alone", (mounts) => {
  assertEquals(inside(mounts.with(sysfs()), "ls /sys/class/net"), "lo");
});

testOn(["mount", "ipc"], "mqueue shows the container's queues alone", (mounts) => {
  const script = "touch /tmp/queues/soup; ls /tmp/queues; cat /tmp/queues/soup | cut -d: -f1";
  const seen = inside(mounts.with(tmpfs("/tmp"), mqueue("/tmp/queues")), script);
  assertEquals(seen, "soup\nQSIZE");
  assert(!exists("/dev/mqueue/soup"));
});

testOn(["mount"], "a mount point that is missing is made on the recipe's filesystems", (mounts) => {
  const seen = inside(mounts.with(tmpfs("/tmp"), tmpfs("/tmp/a/b/c")), mountOf("/tmp/a/b/c"));
  assertStringIncludes(seen, "tmpfs");
});

testOn(
  ["mount"],
  "a mount point that is missing on the host is an error, and stays missing",
  (mounts) => {
    const target = `/ramekin-${crypto.randomUUID()}`;
    assertFails(mounts.with(tmpfs(target)), {
      step: "tmpfs",
      code: "ENOENT",
      says: `the mount point ${target} does not exist on the host; take one that does`,
    });
    assertFails(mounts.with(tmpfs("/etc/passwd")), {
      code: "ENOTDIR",
      says: "the mount point /etc/passwd is not a directory",
    });
    assert(!exists(target));
  },
);

testOn(["mount"], "an unknown type and an unknown option are reported", (mounts) => {
  assertFails(mounts.with(mount("a", "/tmp", { type: "soupfs" })), {
    step: "mount",
    code: "ENODEV",
    says: "/proc/filesystems",
  });
  assertFails(mounts.with(mount("a", "/tmp", { type: "tmpfs", options: "nosiud" })), {
    step: "mount",
    code: "EINVAL",
    says: "Unknown parameter",
  });
  assertFails(mounts.with(tmpfs("/tmp", { options: "soup=1" })), {
    step: "tmpfs",
    code: "EINVAL",
    says: "tmpfs: Unknown parameter 'soup'",
  });
});

test("the errors of an unprivileged user name the namespaces that proc, sysfs and mqueue need", () => {
  assertFails(box.with(proc()), { step: "proc", code: "EPERM", says: 'unshare("pid")' });
  assertFails(box.with(sysfs()), { step: "sysfs", code: "EPERM", says: 'unshare("net")' });
  assertFails(box.with(tmpfs("/tmp"), mqueue("/tmp/q")), {
    step: "mqueue",
    code: "EPERM",
    says: 'unshare("ipc")',
  });
});

test("proc is refused and explained if the /proc outside is covered in part", () => {
  // A container of an unprivileged user within one whose /proc is covered in part.
  const outer = recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    proc(),
    bind("/dev/null", "/proc/meminfo"),
  );
  const script = "unshare --user --map-root-user --mount --pid --fork mount -t proc proc /proc";
  assertMatch(failing(outer, script), /denied|not permitted/);
});

testOn(["mount"], "propagation changes how a mount spreads", (mounts) => {
  const flags = (type: Parameters<typeof propagation>[1], recursive = false) =>
    inside(
      mounts.with(tmpfs("/tmp"), tmpfs("/tmp/a"), propagation("/tmp", type, { recursive })),
      `${mountOf("/tmp")}; ${mountOf("/tmp/a")}`,
    ).split("\n").map((line) => line.match(/(shared|unbindable)(?=.* - )/)?.[0]);
  assertEquals(flags("shared"), ["shared", undefined]);
  assertEquals(flags("shared", true), ["shared", "shared"]);
  assertEquals(flags("unbindable"), ["unbindable", undefined]);
  assertEquals(flags("private"), [undefined, undefined]);
  assertEquals(flags("slave"), [undefined, undefined]);
});

testOn(["mount"], "remount gives a mount other options", (mounts) => {
  const mounted = mounts.with(tmpfs("/tmp", { options: "noexec" }));
  assertMatch(
    inside(mounted.with(remount("/tmp", "ro,nodev")), mountOf("/tmp")),
    / ro,nodev,relatime/,
  );
  assertMatch(
    inside(mounted.with(remount("/tmp", "nosuid")), mountOf("/tmp")),
    / rw,nosuid,relatime/,
  );
});

testOn(["mount"], "remount can change the recipe's own filesystem", (mounts) => {
  const box = mounts.with(
    tmpfs("/tmp", { size: "1m" }),
    remount("/tmp", "size=64k,nosuid", { bind: false }),
  );
  assertStringIncludes(inside(box, mountOf("/tmp")), "size=64k");
  const after = mounts.with(tmpfs("/tmp"), pivotless(), remount("/tmp", "ro", { bind: false }));
  assertStringIncludes(inside(after, mountOf("/tmp")), " - tmpfs tmpfs ro");
});

/** A step that changes nothing. */
function pivotless() {
  return mkdir("/tmp/a");
}

test("remount refuses to change a filesystem of the host", () => {
  assertRefused(() => box.with(remount("/", "ro", { bind: false })), {
    step: "remount",
    at: 2,
    says: "everywhere",
  });
});

test("remount refuses the filesystem's options for a mount alone", () => {
  assertRefused(() => box.with(tmpfs("/tmp"), remount("/tmp", "ro,size=1m")), {
    step: "remount",
    at: 3,
    says: "{ bind: false }",
  });
});

testOn(["mount"], "remount of a path that is not a mount point is reported", (mounts) => {
  assertFails(mounts.with(remount("/usr/bin", "ro")), {
    step: "remount",
    code: "EINVAL",
    says: "nothing is mounted at /usr/bin",
  });
});

testOn(["mount"], "the host's mount can be made read-only in the container alone", (mounts) => {
  const box = mounts.with(bind("/usr"), remount("/usr", "ro,nosuid,nodev"));
  assertMatch(inside(box, mountOf("/usr")), / ro,/);
});

testOn(["mount"], "unmount takes the topmost mount away", (mounts) => {
  const box = mounts.with(tmpfs("/tmp"), mkdir("/tmp/lower"), tmpfs("/tmp"), unmount("/tmp"));
  assertEquals(inside(box, "ls /tmp"), "lower");
});

testOn(["mount"], "unmount may detach what is in use", (mounts) => {
  const nested = mounts.with(tmpfs("/tmp"), tmpfs("/tmp/a"));
  assertFails(nested.with(unmount("/tmp")), {
    step: "unmount",
    code: "EBUSY",
    says: "{ detach: true }",
  });
  const seen = inside(
    nested.with(unmount("/tmp", { detach: true })),
    "grep -c ' /tmp/a ' /proc/self/mountinfo || true",
  );
  assertEquals(seen, "0");
});

testOn(["mount", "pid", "ipc"], "nothing of an earlier step keeps a mount busy", (mounts) => {
  for (
    const steps of [
      [proc(), sysctl({ "kernel.msgmax": "4000" }), unmount("/proc")],
      [tmpfs("/mnt"), bind("/etc/passwd", "/mnt/file"), unmount("/mnt/file"), unmount("/mnt")],
      [tmpfs("/mnt"), bind("/usr", "/mnt/usr"), unmount("/mnt/usr"), unmount("/mnt")],
    ]
  ) {
    assertEquals(inside(mounts.with(...steps), "echo ended"), "ended");
  }
});

test("an unprivileged user cannot unmount the host's mounts", () => {
  assertFails(box.with(unmount("/proc", { detach: true })), {
    step: "unmount",
    at: 2,
    code: "EINVAL",
    says: "an ordinary user cannot",
  });
});

test("mounts that would change the host are refused", () => {
  const steps = [
    mount("a", "/tmp", { type: "tmpfs" }),
    tmpfs("/tmp"),
    proc(),
    sysfs(),
    mqueue(),
    propagation("/", "shared"),
    remount("/", "ro"),
    unmount("/tmp"),
  ];
  for (const step of steps) {
    assertRefused(() => recipe(unshare("user", "pid"), mapRoot(), step), {
      step: step.step,
      at: 2,
      says: 'put unshare("mount") before it',
    });
  }
});

test("invalid fields are refused with the step and the field", () => {
  const cases: [() => ReturnType<typeof tmpfs | typeof mount>, string][] = [
    [() => tmpfs("tmp"), "has to begin with /"],
    [() => tmpfs("/tmp/../etc"), '".."'],
    [() => tmpfs("/a\0b"), "NUL"],
    [() => tmpfs(""), "is empty"],
    [() => tmpfs("/" + "x".repeat(4095)), "at most 4095"],
    [() => tmpfs(5 as never), "should be a string, not 5"],
    [() => tmpfs("/tmp", { size: "10 MB" }), "is not a number of bytes"],
    [() => tmpfs("/tmp", { size: "0" }), "means no limit to the kernel"],
    [() => tmpfs("/tmp", { size: "0k" }), "means no limit to the kernel"],
    [() => tmpfs("/tmp", { size: "-1" }), "is not a number of bytes"],
    [() => tmpfs("/tmp", { size: "99999999999999999999g" }), "more than any machine has"],
    [() => tmpfs("/tmp", { size: 10 as never }), "should be a string"],
    [() => tmpfs("/tmp", { mode: 0o10000 }), "whole number"],
    [() => tmpfs("/tmp", { mode: "u+x" as never }), "whole number"],
    [() => tmpfs("/tmp", { sise: "1m" } as never), 'did you mean "size"?'],
    [() => tmpfs("/tmp", { options: "bind" }), "the step bind()"],
    [() => tmpfs("/tmp", { options: "rprivate" }), "the step propagation()"],
    [() => mount("a", "/tmp", { type: "" }), "is empty"],
    [() => mount("a", "/tmp", { type: "ext4", options: "loop" }), "loop device"],
    [() => mount("a", "/tmp", { type: "ext4", options: "remount,ro" }), "the step remount()"],
  ];
  for (const [make, says] of cases) assertRefused(() => box.with(make()), { at: 2, says });
});

test("options that are longer than a page are refused, because the kernel would truncate them", () => {
  assertRefused(() => box.with(tmpfs("/tmp", { size: "1m", options: "x".repeat(4095) })), {
    step: "tmpfs",
    at: 2,
    says: "mount(2) takes 4095",
  });
});

test(
  "a symlink in the new root does not lead a mount to the host",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/usr`);
    Deno.mkdirSync(`${directory}/etc`);
    Deno.symlinkSync("/etc", `${directory}/run`);
    Deno.symlinkSync("../../../../etc", `${directory}/var`);
    const box = recipe(
      unshare("user", "mount", "pid"),
      mapRoot(),
      bind(directory),
      bind("/usr", `${directory}/usr`),
      ...["lib", "lib64", "bin"].map((name) => ({
        step: "symlink",
        target: `usr/${name}`,
        path: `${directory}/${name}`,
        host: true,
      } as const)),
      tmpfs(`${directory}/run`, { options: "size=4k" }),
      mkdir(`${directory}/run/made`),
      pivotRoot(directory),
    );
    assertEquals(inside(box, "ls /etc"), "made");
    const relative = recipe(...box.steps.slice(0, -3)).with(
      tmpfs(`${directory}/var`, { options: "size=4k" }),
      pivotRoot(directory),
    );
    for (const name of ["lib", "lib64", "bin"]) Deno.removeSync(`${directory}/${name}`);
    assertEquals(inside(relative, "ls /etc"), "");
    assert(!exists("/etc/made"));
  }),
);

test("many mounts beneath a new root do not use up the descriptors", () => {
  const steps = Array.from({ length: 400 }, (_, i) => tmpfs(`/tmp/root/a${i}`, { size: "4k" }));
  const box = recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    tmpfs("/tmp/"),
    tmpfs("/tmp/root"),
    bind("/usr", "/tmp/root/usr"),
    ...["lib", "lib64", "bin"].map((name) => ({
      step: "symlink",
      target: `usr/${name}`,
      path: `/tmp/root/${name}`,
    } as const)),
    ...steps,
    init(),
    pivotRoot("/tmp/root"),
  );
  assertEquals(inside(box, "ls / | grep -c ^a"), "400");
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

testOn(
  ["mount", "pid"],
  "an option that is refused is told in the kernel's own words",
  (mounts) => {
    const cases: [type: string, options: string, says: string][] = [
      ["tmpfs", "size=1m,nr_inode=3", "tmpfs: Unknown parameter 'nr_inode'"],
      ["tmpfs", "mode=9", "tmpfs: Bad value for 'mode'"],
      ["proc", "hidepid=9", "proc: unknown value of hidepid - 9"],
      ["proc", "hidepid=2\u001b[2J,x=y", String.raw`proc: unknown value of hidepid - 2\u001b[2J`],
    ];
    for (const [type, options, says] of cases) {
      assertFails(mounts.with(mount(type, "/mnt", { type, options })), {
        step: "mount",
        at: mounts.steps.length,
        code: "EINVAL",
        says,
      });
    }
  },
);

test("a user that is not mapped is told in the kernel's own words", () => {
  for (const map of [mapRoot(), mapCurrentUser()]) {
    assertFails(recipe(unshare("user", "mount"), map, tmpfs("/mnt", { options: "uid=12345" })), {
      step: "tmpfs",
      at: 2,
      code: "EINVAL",
      says: "tmpfs: Invalid uid '12345'",
    });
  }
});
