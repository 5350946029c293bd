/** Whose files a path names. */

import { assertEquals } from "@std/assert";
import { folderOf, Ground, isWithin, nameOf, normalize } from "../../../recipe/drafting/ground.ts";

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
  assertEquals([folderOf("/a/b"), folderOf("/a"), nameOf("/a/b"), nameOf("/a")], [
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

Deno.test("a path is the recipe's on a filesystem that it has mounted, down to what is bound", () => {
  const ground = new Ground();
  ground.mounted("/mnt", true);
  ground.mounted("/mnt/a", false);
  ground.mounted("/mnt/a/b/", true);
  const own = [
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
    .filter((path) => ground.isOwn(path));
  assertEquals(own, ["/mnt", "/mnt/x", "/mnt/a/b", "/mnt/a/b/c"]);
});

Deno.test("a later mount covers what is below it, until it is unmounted", () => {
  const ground = new Ground();
  ground.mounted("/mnt/a", true);
  ground.mounted("/mnt", false);
  assertEquals([ground.isOwn("/mnt/a/x"), ground.isMountPoint("/mnt/a")], [false, false]);
  assertEquals(ground.isThere("/mnt/a"), false);
  ground.unmounted("/mnt");
  assertEquals([ground.isOwn("/mnt/a/x"), ground.isMountPoint("/mnt/a")], [true, true]);
  ground.unmounted("/nothing/there");
  ground.unmounted("/");
  assertEquals(ground.isThere("/mnt"), true);
});

Deno.test("what is known to be there are mount points that are certain, and what they lie in", () => {
  const ground = new Ground();
  ground.mounted("/a/b", true);
  ground.mounted("/c/d", false, false);
  const there = ["/", "/a", "/a/b", "/a/b/c", "/c", "/c/d"].filter((path) => ground.isThere(path));
  assertEquals(there, ["/", "/a", "/a/b"]);
  assertEquals([ground.isMountPoint("/c/d"), ground.isOwn("/c/d")], [false, false]);
});

Deno.test("in a new root paths begin there", () => {
  const ground = new Ground();
  ground.mounted("/mnt", true);
  ground.mounted("/mnt/usr", false);
  ground.mounted("/other", true);
  ground.enter("/mnt/");
  assertEquals(["/", "/a", "/usr", "/usr/a", "/other"].map((path) => ground.isOwn(path)), [
    true,
    true,
    false,
    false,
    true,
  ]);
  assertEquals([ground.isMountPoint("/usr"), ground.isMountPoint("/other")], [true, false]);
  ground.enter("/");
  assertEquals(ground.isOwn("/a"), true);
  ground.enter("/usr/share");
  assertEquals(ground.isOwn("/a"), false);
});
