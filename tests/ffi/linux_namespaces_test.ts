/** The direct calls of namespaces, each in a thread that ends with its test. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import * as linux from "../../ffi/linux/mod.ts";
import { inThread, notRoot } from "./linux_thread.ts";
import { testWith } from "./support.ts";

testWith(notRoot, "a thread sets a hostname in a new namespace, and returns", async () => {
  const host = linux.gethostname();
  const names = await inThread((linux) => {
    using before = linux.open("/proc/thread-self/ns/uts");
    linux.unshare(linux.CLONE_NEWUTS);
    linux.sethostname("a-cooler-hostname");
    linux.setdomainname("kitchen.example");
    const inside = linux.uname();
    linux.setns(before, linux.CLONE_NEWUTS);
    return { inside, back: linux.gethostname() };
  });
  assertEquals(names.inside.nodename, "a-cooler-hostname");
  assertEquals(names.inside.domainname, "kitchen.example");
  assertEquals(names.back, host);
  assertEquals(linux.gethostname(), host);
});

testWith(notRoot, "unshare gives a thread every kind of namespace that it can have", async () => {
  const kinds = {
    uts: linux.CLONE_NEWUTS,
    ipc: linux.CLONE_NEWIPC,
    net: linux.CLONE_NEWNET,
    cgroup: linux.CLONE_NEWCGROUP,
    mnt: linux.CLONE_NEWNS,
  };
  for (const [name, flag] of Object.entries(kinds)) {
    const [before, after] = await inThread((linux, [name, flag]) => {
      const link = () => linux.readlinkat(linux.AT_FDCWD, `/proc/thread-self/ns/${name}`);
      const before = link();
      linux.unshare(flag);
      return [before, link()];
    }, [name, flag] as const);
    assertEquals(before, Deno.readLinkSync(`/proc/self/ns/${name}`), name);
    assertNotEquals(after, before, name);
  }
});

testWith(notRoot, "setns takes namespaces of a process by its pidfd", async () => {
  const same = await inThread((linux, pid) => {
    const link = () => linux.readlinkat(linux.AT_FDCWD, "/proc/thread-self/ns/uts");
    const before = link();
    using process = linux.pidfd_open(pid);
    linux.unshare(linux.CLONE_NEWUTS | linux.CLONE_NEWIPC);
    const moved = link() !== before;
    linux.setns(process, linux.CLONE_NEWUTS | linux.CLONE_NEWIPC);
    return moved && link() === before;
  }, Deno.pid);
  assert(same);
});

testWith(notRoot, "a hostname of 64 bytes is the longest", async () => {
  const errors = await inThread((linux) => {
    linux.unshare(linux.CLONE_NEWUTS);
    linux.sethostname("x".repeat(64));
    const failure = (name: string) => {
      try {
        linux.sethostname(name);
        return "none";
      } catch (error) {
        return String(error);
      }
    };
    return [linux.gethostname().length, failure("x".repeat(65)), failure("é".repeat(33))];
  });
  assertEquals(errors[0], 64);
  for (const error of errors.slice(1)) {
    assert(
      String(error).includes("EINVAL") && String(error).includes("at most 64 bytes"),
      `${error}`,
    );
  }
});

testWith(notRoot, "a thread that shares its root cannot enter a mount namespace", async () => {
  const [shared, own] = await inThread((linux) => {
    using mine = linux.open("/proc/thread-self/ns/mnt");
    let message = "";
    try {
      linux.setns(mine, linux.CLONE_NEWNS);
    } catch (error) {
      message = String(error);
    }
    linux.unshare(linux.CLONE_FS);
    linux.setns(mine, linux.CLONE_NEWNS);
    return [message, "entered"];
  });
  assert(shared!.includes("EINVAL") && shared!.includes("linux.unshare(linux.CLONE_FS)"), shared);
  assertEquals(own, "entered");
});

testWith(notRoot, "chroot affects only a thread that has unshared its root", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/here`, "");
    const seen = await inThread((linux, directory) => {
      linux.unshare(linux.CLONE_FS);
      linux.chroot(directory);
      linux.chdir("/");
      return [linux.statx(linux.AT_FDCWD, "/here").size, linux.getcwd()];
    }, directory);
    assertEquals(seen, [0, "/"]);
    assert(Deno.statSync("/proc").isDirectory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

testWith(notRoot, "pivot_root changes the root, and the old one is unmounted", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const seen = await inThread((linux, directory) => {
      linux.unshare(linux.CLONE_NEWNS);
      linux.mount(null, "/", null, linux.MS_REC | linux.MS_PRIVATE);
      linux.mount("tmpfs", directory, "tmpfs");
      linux.chdir(directory);
      linux.mkdir("only", 0o700);
      linux.pivot_root(".", ".");
      linux.umount2(".", linux.MNT_DETACH);
      let old = "there";
      try {
        linux.statx(linux.AT_FDCWD, "/proc");
      } catch (error) {
        old = String(error);
      }
      return [linux.statfs("/").type, linux.statx(linux.AT_FDCWD, "/only").mode & 0o777, old];
    }, directory);
    const TMPFS_MAGIC = 0x01021994;
    assertEquals(seen.slice(0, 2), [TMPFS_MAGIC, 0o700]);
    assert(String(seen[2]).includes("ENOENT"), String(seen[2]));
    assertEquals([...Deno.readDirSync(directory)], []);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
