/** The mount table: whether a path is on a mount of the recipe or on the host. */

import { isWithin, nameOf, normalize, parentOf } from "../../recipe/path.ts";
import { assertEquals } from "@std/assert";
import { MountTable } from "../../plan/mount_table.ts";

const own = (target: string) => ({ target, type: "tmpfs", own: true });
const bound = (target: string) => ({ target, type: "bind" });

Deno.test("paths are normalized", () => {
  for (
    const [path, normal] of [
      ["/", "/"],
      ["//", "/"],
      ["/a/", "/a"],
      ["//a///b", "/a/b"],
      ["/./a/.", "/a"],
      ["/a.b/...", "/a.b/..."],
    ] as const
  ) {
    assertEquals(normalize(path), normal);
  }
  assertEquals([parentOf("/a/b"), parentOf("/a"), nameOf("/a/b"), nameOf("/a")], [
    "/a",
    "/",
    "b",
    "a",
  ]);
  assertEquals([isWithin("/ab", "/a"), isWithin("/a", "/a"), isWithin("/a/b", "/a")], [
    false,
    true,
    true,
  ]);
  assertEquals(isWithin("/a", "/"), true);
});

Deno.test("a path is on a container mount within a filesystem of the recipe, except beneath a bind", () => {
  const mounts = new MountTable();
  mounts.mounted(own("/mnt"));
  mounts.mounted(bound("/mnt/a"));
  mounts.mounted(own("/mnt/a/b/"));
  const theirs = [
    "/",
    "/mn",
    "/mnt",
    "/mnt/x",
    "/mnt/a",
    "/mnt/a/x",
    "/mnt/a/b",
    "/mnt/a/b/c",
    "/mnta",
  ]
    .filter((path) => mounts.isContainerMount(path));
  assertEquals(theirs, ["/mnt", "/mnt/x", "/mnt/a/b", "/mnt/a/b/c"]);
});

Deno.test("a later mount covers the paths beneath it until it is unmounted", () => {
  const mounts = new MountTable();
  mounts.mounted(own("/mnt/a"));
  mounts.mounted(bound("/mnt"));
  assertEquals([mounts.isContainerMount("/mnt/a/x"), mounts.isMountPoint("/mnt/a")], [
    false,
    false,
  ]);
  assertEquals(mounts.isThere("/mnt/a"), false);
  mounts.unmounted("/mnt");
  assertEquals([mounts.isContainerMount("/mnt/a/x"), mounts.isMountPoint("/mnt/a")], [true, true]);
  mounts.unmounted("/nothing/there");
  mounts.unmounted("/");
  assertEquals(mounts.isThere("/mnt"), true);
});

Deno.test("certain mount points and their parents are known to exist", () => {
  const mounts = new MountTable();
  mounts.mounted(own("/a/b"));
  mounts.mounted({ ...bound("/c/d"), certain: false });
  const there = ["/", "/a", "/a/b", "/a/b/c", "/c", "/c/d"].filter((path) => mounts.isThere(path));
  assertEquals(there, ["/", "/a", "/a/b"]);
  assertEquals([mounts.isMountPoint("/c/d"), mounts.isContainerMount("/c/d")], [false, false]);
});

Deno.test("paths start at a new root", () => {
  const mounts = new MountTable();
  mounts.mounted(own("/mnt"));
  mounts.mounted(bound("/mnt/usr"));
  mounts.mounted(own("/other"));
  mounts.enter("/mnt/");
  assertEquals(
    ["/", "/a", "/usr", "/usr/a", "/other"].map((path) => mounts.isContainerMount(path)),
    [
      true,
      true,
      false,
      false,
      true,
    ],
  );
  assertEquals([mounts.isMountPoint("/usr"), mounts.isMountPoint("/other")], [true, false]);
  mounts.enter("/");
  assertEquals(mounts.isContainerMount("/a"), true);
  mounts.enter("/usr/share");
  assertEquals(mounts.isContainerMount("/a"), false);
});
