/** The mount table: whether a path is on a mount of the recipe or on the host. */

import { isWithin, nameOf, normalize, parentOf } from "../../recipe/path.ts";
import { assert, assertEquals } from "@std/assert";
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

/** Returns the visible mounts, each as its mount point and type. */
const seen = (mounts: MountTable) =>
  mounts.visible().map(({ target, type }) => `${target} ${type}`);

Deno.test("remounting makes a mount read-only or writable", () => {
  const mounts = new MountTable();
  mounts.mounted(own("/mnt"));
  mounts.mounted({ ...bound("/mnt/usr"), readOnly: true });
  const readOnly = () => ["/", "/mnt/a", "/mnt/usr/a"].map((path) => mounts.mountOf(path).readOnly);
  assertEquals(readOnly(), [false, false, true]);
  mounts.remounted("/mnt", true);
  mounts.remounted("/mnt/usr/", false);
  assertEquals(readOnly(), [false, true, false]);
  mounts.remounted("/", true);
  mounts.remounted("/no/mount", false);
  assertEquals(readOnly(), [true, true, false]);
  assertEquals(mounts.isContainerMount("/mnt/a"), true, "it stays what it is otherwise");
});

Deno.test("remounting changes the topmost mount alone", () => {
  const mounts = new MountTable();
  mounts.mounted(own("/mnt"));
  mounts.mounted(bound("/mnt"));
  mounts.remounted("/mnt", true);
  assertEquals(mounts.mountOf("/mnt").readOnly, true);
  mounts.unmounted("/mnt");
  assertEquals(mounts.mountOf("/mnt").readOnly, false);
});

Deno.test("the layers of an overlay are kept, the topmost first", () => {
  const mounts = new MountTable();
  const layers = [{ path: "/upper", changes: true }, { path: "/lower", changes: false }];
  mounts.mounted({ target: "/mnt/over", type: "overlay", layers, own: true });
  assertEquals(mounts.mountOf("/mnt/over/a").layers, layers);
  mounts.enter("/mnt");
  assertEquals(mounts.mountOf("/over").layers, layers);
  assertEquals(mounts.mountOf("/").layers, []);
});

Deno.test("of several mounts on one path, only the topmost is visible", () => {
  const mounts = new MountTable();
  mounts.mounted(own("/mnt"));
  mounts.mounted(own("/mnt/a"));
  mounts.mounted({ target: "/mnt", type: "overlay" });
  mounts.mounted({ target: "/mnt/b", type: "proc" });
  assertEquals(seen(mounts), ["/ bind", "/mnt overlay", "/mnt/b proc"]);
  mounts.unmounted("/mnt");
  assertEquals(seen(mounts), ["/ bind", "/mnt tmpfs", "/mnt/a tmpfs"], "what it covered is back");
  mounts.unmounted("/mnt");
  assertEquals(seen(mounts), ["/ bind"]);
  assertEquals([mounts.hasMounts, mounts.isHostFile("/mnt/a")], [false, true]);
});

Deno.test("mounts have new paths in a new root, and those outside are gone", () => {
  const mounts = new MountTable();
  mounts.mounted({ ...bound("/srv/root"), source: "/data/root" });
  mounts.mounted(own("/srv/root/tmp"));
  mounts.mounted(own("/srv/root/tmp/deep/er"));
  mounts.mounted(own("/elsewhere"));
  mounts.enter("/srv/root/");
  assertEquals(seen(mounts), ["/ bind", "/tmp tmpfs", "/tmp/deep/er tmpfs"]);
  assertEquals(mounts.mountOf("/tmp/deep/er/x").target, "/tmp/deep/er");
  assertEquals(mounts.mountAbove("/tmp/deep/er").target, "/tmp");
  assertEquals([mounts.mountOf("/etc").source, mounts.atHostRoot], ["/data/root", false]);
  mounts.enter("/tmp/deep");
  assertEquals(seen(mounts), ["/ tmpfs", "/er tmpfs"]);
  mounts.leave();
  assertEquals([seen(mounts), mounts.atHostRoot], [["/ bind"], false]);
});

Deno.test("a root within a mount shows the part of its source", () => {
  const mounts = new MountTable();
  mounts.mounted({ ...bound("/mnt"), source: "/data" });
  mounts.enter("/mnt/a/b");
  assertEquals(mounts.mountOf("/").source, "/data/a/b");
});

Deno.test("a mount that may be skipped may leave the host's files visible", () => {
  const mounts = new MountTable();
  mounts.mounted({ ...bound("/opt"), certain: false });
  assertEquals([mounts.isHostFile("/opt/a"), mounts.mayBeHostFile("/opt/a")], [false, true]);
  mounts.mounted(own("/opt"));
  assertEquals(mounts.mayBeHostFile("/opt/a"), false);
});

Deno.test("a made directory is known to exist until a mount covers it", () => {
  const mounts = new MountTable();
  mounts.mounted(own("/mnt"));
  mounts.madeDirectory("/mnt/a/b");
  assertEquals(["/mnt/a", "/mnt/a/b", "/mnt/c"].map((path) => mounts.isThere(path)), [
    true,
    true,
    false,
  ]);
  mounts.mounted(own("/mnt"));
  assertEquals(mounts.isThere("/mnt/a"), false);
});

/** Counts the lookups and iterations of maps. */
function countingMaps(act: () => void): number {
  const { get, set, values, [Symbol.iterator]: iterate } = Map.prototype;
  let count = 0;
  const counted = <A extends unknown[], R>(call: (this: Map<unknown, unknown>, ...args: A) => R) =>
    function (this: Map<unknown, unknown>, ...args: A): R {
      count++;
      return call.apply(this, args);
    };
  const walked = <R>(call: (this: Map<unknown, unknown>) => R) =>
    function (this: Map<unknown, unknown>): R {
      count += this.size;
      return call.apply(this);
    };
  Object.assign(Map.prototype, { get: counted(get), set: counted(set), values: walked(values) });
  Map.prototype[Symbol.iterator] = walked(iterate);
  try {
    act();
  } finally {
    Object.assign(Map.prototype, { get, set, values });
    Map.prototype[Symbol.iterator] = iterate;
  }
  return count;
}

Deno.test("5,000 mounts need no more lookups each than a few mounts", () => {
  const effort = (number: number) =>
    countingMaps(() => {
      const mounts = new MountTable();
      mounts.mounted(own("/mnt"));
      for (let index = 0; index < number; index++) {
        const target = `/mnt/${index}`;
        mounts.isThere(target);
        mounts.isContainerMount(target);
        mounts.madeDirectory(target);
        mounts.mounted(bound(target));
        mounts.isMountPoint(target);
        mounts.mountAbove(`${target}/a`);
        mounts.remounted(target, true);
      }
      mounts.enter("/mnt");
      for (const _ of mounts.visible());
      for (let index = 0; index < number; index++) mounts.unmounted(`/${index}`);
    });
  const [few, many] = [effort(50), effort(5_000)];
  assert(few > 500, `${few} for 50`);
  assert(many < few * 101, `${many} for 5,000, ${few} for 50`);
});
