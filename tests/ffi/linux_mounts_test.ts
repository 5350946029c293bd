/** The direct calls of mounts, each in a thread with a mount namespace of its own. */

import { assert, assertEquals } from "@std/assert";
import { inThread, notRoot, openFiles } from "./linux_thread.ts";
import { testWith } from "./support.ts";

const TMPFS_MAGIC = 0x01021994;

/** A test with an empty directory; nothing may be mounted there, and no file be open, after it. */
function testMount(name: string, test: (directory: string) => Promise<void>): void {
  testWith(notRoot, name, async () => {
    const directory = Deno.makeTempDirSync();
    try {
      const before = openFiles();
      await test(directory);
      const leaked = [...openFiles()].filter(([number, target]) => before.get(number) !== target);
      assertEquals(leaked.filter(([, target]) => target.startsWith("/")), []);
      assert(!Deno.readTextFileSync("/proc/self/mountinfo").includes(directory), "a mount is left");
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}

testMount("mount, mountinfo and umount2 agree", async (directory) => {
  const [mounted, taken] = await inThread((linux, directory) => {
    const mountinfo = () =>
      Deno.readTextFileSync("/proc/thread-self/mountinfo").split("\n")
        .find((line) => line.includes(directory));
    linux.unshare(linux.CLONE_NEWNS);
    linux.mount(null, "/", null, linux.MS_REC | linux.MS_PRIVATE);
    const flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_RDONLY;
    linux.mount("kitchen", directory, "tmpfs", flags, "size=64k,mode=0711");
    const mounted = mountinfo();
    linux.umount2(directory);
    return [mounted, mountinfo()];
  }, directory);
  const [mount, filesystem] = mounted!.split(" - ");
  assert(mount!.includes(" ro,nosuid,nodev"), mounted);
  assert(filesystem!.startsWith("tmpfs kitchen ro"), mounted);
  assert(filesystem!.includes("size=64k") && filesystem!.includes("mode=711"), mounted);
  assertEquals(taken, undefined);
});

testMount(
  "open_tree, mount_setattr and move_mount bind a directory read-only",
  async (directory) => {
    const seen = await inThread((linux, directory) => {
      linux.unshare(linux.CLONE_NEWNS);
      linux.mount(null, "/", null, linux.MS_REC | linux.MS_PRIVATE);
      linux.mount("tmpfs", directory, "tmpfs");
      for (const name of ["from", "to"]) linux.mkdir(`${directory}/${name}`);
      const write = (path: string) => {
        try {
          using _file = linux.open(path, linux.O_CREAT | linux.O_WRONLY | linux.O_CLOEXEC, 0o600);
          return "written";
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      const made = write(`${directory}/from/file`);
      using from = linux.open(`${directory}/from`, linux.O_PATH | linux.O_CLOEXEC);
      using tree = linux.open_tree(
        from,
        "",
        linux.OPEN_TREE_CLONE | linux.OPEN_TREE_CLOEXEC | linux.AT_EMPTY_PATH,
      );
      linux.mount_setattr(tree, "", linux.AT_EMPTY_PATH, {
        attr_set: linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOATIME,
        attr_clr: linux.MOUNT_ATTR__ATIME,
        propagation: linux.MS_PRIVATE,
      });
      linux.move_mount(
        tree,
        "",
        linux.AT_FDCWD,
        `${directory}/to`,
        linux.MOVE_MOUNT_F_EMPTY_PATH,
      );
      const options = Deno.readTextFileSync("/proc/thread-self/mountinfo").split("\n")
        .find((line) => line.includes(`${directory}/to`))?.split(" ")[5];
      const [before, after] = ["from", "to"].map((name) =>
        linux.statx(linux.AT_FDCWD, `${directory}/${name}/file`)
      );
      return {
        made,
        options,
        writing: [write(`${directory}/from/file`), write(`${directory}/to/file`)],
        sameFile: before!.ino === after!.ino && before!.dev === after!.dev,
        otherMount: before!.mnt_id !== after!.mnt_id,
      };
    }, directory);
    assertEquals(seen, {
      made: "written",
      options: "ro,noatime",
      writing: ["written", "EROFS"],
      sameFile: true,
      otherMount: true,
    });
  },
);

testMount(
  "fsopen, fsconfig, fsmount and fspick create a filesystem and change it",
  async (directory) => {
    const seen = await inThread((linux, directory) => {
      linux.unshare(linux.CLONE_NEWNS);
      linux.mount(null, "/", null, linux.MS_REC | linux.MS_PRIVATE);
      const size = () => {
        const { blocks, bsize, type } = linux.statfs(directory);
        return [type, blocks * bsize];
      };
      using filesystem = linux.fsopen("tmpfs");
      linux.fsconfig(filesystem, linux.FSCONFIG_SET_STRING, "source", "kitchen");
      linux.fsconfig(filesystem, linux.FSCONFIG_SET_STRING, "size", "1m");
      linux.fsconfig(filesystem, linux.FSCONFIG_CMD_CREATE);
      using mount = linux.fsmount(filesystem, linux.FSMOUNT_CLOEXEC, linux.MOUNT_ATTR_NOEXEC);
      linux.move_mount(mount, "", linux.AT_FDCWD, directory, linux.MOVE_MOUNT_F_EMPTY_PATH);
      const before = size();
      using again = linux.fspick(linux.AT_FDCWD, directory);
      linux.fsconfig(again, linux.FSCONFIG_SET_STRING, "size", "2m");
      linux.fsconfig(again, linux.FSCONFIG_CMD_RECONFIGURE);
      return [before, size()];
    }, directory);
    assertEquals(seen, [[TMPFS_MAGIC, 2 ** 20], [TMPFS_MAGIC, 2 ** 21]]);
  },
);

testMount("the kernel's message about an option can be read", async () => {
  const [message, log] = await inThread((linux) => {
    using filesystem = linux.fsopen("tmpfs");
    let message = "";
    try {
      linux.fsconfig(filesystem, linux.FSCONFIG_SET_STRING, "nonsense", "1");
    } catch (error) {
      message = String(error);
    }
    const buffer = new Uint8Array(200);
    const count = linux.read(filesystem, buffer);
    return [message, new TextDecoder().decode(buffer.subarray(0, count))];
  });
  assert(message!.includes('FSCONFIG_SET_STRING, "nonsense", "1", 0) failed: EINVAL'), message);
  assert(message!.includes("linux.read"), message);
  assert(log!.includes("nonsense"), log);
});

testMount("errors of mounts say what to do", async (directory) => {
  const messages = await inThread((linux, directory) => {
    linux.unshare(linux.CLONE_NEWNS);
    linux.mount(null, "/", null, linux.MS_REC | linux.MS_PRIVATE);
    linux.mount("tmpfs", directory, "tmpfs");
    using _busy = linux.open(directory);
    const failures = [
      () => linux.mount("x", directory, "no-such-type"),
      () => linux.umount2(directory),
      () => linux.umount2("/proc/self"),
      () => linux.fsopen("no-such-type"),
    ];
    return failures.map((failure) => {
      try {
        failure();
        return "none";
      } catch (error) {
        return String(error);
      }
    });
  }, directory);
  const expected = [
    ["ENODEV", "/proc/filesystems"],
    ["EBUSY", "linux.MNT_DETACH"],
    ["EINVAL", "it is not a mount point"],
    ["ENODEV", "/proc/filesystems"],
  ];
  expected.forEach((words, index) => {
    for (const word of words) assert(messages[index]!.includes(word), messages[index]);
  });
});
