/** Owners, modes, times, attributes and devices: as root, in a user namespace, and of one user. */

import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import {
  emptyDirectory,
  openOwners,
  type Owners,
  subordinateIds,
} from "../../../images/layer/mod.ts";
import { notRoot, root, test } from "../../support.ts";
import { archive, bytesOf, dir, hard, Kitchen, link, reg } from "./archives.ts";

const decoder = new TextDecoder();

/** The output of a program. */
function run(program: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args }).outputSync();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout).trimEnd();
}

function has(program: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" })
    .outputSync().success;
}

const stat = (kitchen: Kitchen, format: string, path: string) =>
  run("stat", "-c", format, `${kitchen.root}/${path}`);

test("times: before 1970, with fractions, of links, of directories with files, far off", async () => {
  using kitchen = new Kitchen();
  const mtime = (mtime: string) => ({ pax: { mtime } });
  await kitchen.unpack(archive(
    dir("d", mtime("-7.25")),
    { ...link("d/l", "x"), ...mtime("1234.000000005") },
    reg("d/f", "x", mtime("-0.5")),
    reg("late", "x", mtime("9999999999")),
    reg("odd", "x", mtime("999999999999999")),
  ));
  assertEquals(stat(kitchen, "%.9Y", "d"), "-7.250000000");
  assertEquals(stat(kitchen, "%.9Y", "d/l"), "1234.000000005");
  assertEquals(stat(kitchen, "%.9Y", "d/f"), "-0.500000000");
  assertEquals(stat(kitchen, "%.9X", "d/f"), "-0.500000000");
  assertEquals(Number(stat(kitchen, "%Y", "late")) > 2 ** 32, true);
});

test("modes: setuid, the sticky bit, and directories that keep their owner out", async () => {
  using kitchen = new Kitchen();
  await kitchen.unpack(
    archive(
      dir("closed", { mode: 0 }),
      reg("closed/f", "x", { mode: 0 }),
      dir("sticky", { mode: 0o1777 }),
      reg("setuid", "x", { mode: 0o6755 }),
    ),
    archive(reg("closed/g", "x", { mode: 0o400 })),
  );
  const modes = ["closed", "sticky", "setuid"].map((path) => stat(kitchen, "%a", path));
  assertEquals(modes, ["0", "1777", "6755"]);
});

test("sparse files have their holes, and their size", async () => {
  using kitchen = new Kitchen();
  const size = 8 << 20;
  const map = { "GNU.sparse.size": String(size), "GNU.sparse.map": `4096,3,${size - 1},0` };
  const large = new Uint8Array(3 << 20).fill(7);
  const long = {
    "GNU.sparse.size": String(size),
    "GNU.sparse.map": `0,1,1048576,${large.length - 1}`,
  };
  await kitchen.unpack(archive(reg("f", "abc", { pax: map }), reg("large", large, { pax: long })));
  assertEquals(kitchen.stat("f").size, size);
  assert(kitchen.stat("f").blocks! < 100);
  assertEquals(
    Deno.readFileSync(`${kitchen.root}/f`).subarray(4095, 4100),
    new Uint8Array([0, 97, 98, 99, 0]),
  );
  const bytes = Deno.readFileSync(`${kitchen.root}/large`);
  assertEquals([bytes[0], bytes[1], bytes[1048576], bytes.length], [7, 0, 7, size]);
  assertEquals(bytes.filter((byte) => byte === 7).length, large.length);
});

test("attributes of files and directories; those of overlay filesystems are left out", async () => {
  using kitchen = new Kitchen();
  const value = new Uint8Array([0, 1, 255, 10]);
  const overlay = root ? "trusted.overlay.opaque" : "user.overlay.opaque";
  const { leftOut } = await kitchen.unpack(archive(
    dir("d", { pax: { "SCHILY.xattr.user.a": value, [`SCHILY.xattr.${overlay}`]: "y" } }),
    reg("f", "x", { mode: 0o400, pax: { "SCHILY.xattr.user.b": value } }),
    { ...link("l", "f"), pax: { "SCHILY.xattr.user.c": "x" } },
    reg("acl", "x", { pax: { "SCHILY.acl.access": "user::rwx" } }),
  ));
  const told = leftOut.map(({ path, what }) => `${path}: ${what}`);
  assertEquals(told.toSorted(), [
    "acl: SCHILY.acl.access",
    `d: attribute ${overlay}`,
    "l: attribute user.c",
  ]);
  if (!has("getfattr")) return;
  const text = (path: string) =>
    run("getfattr", "--absolute-names", "-d", "-m-", "-ehex", `${kitchen.root}/${path}`);
  assertEquals(text("d").split("\n").slice(1), ["user.a=0x0001ff0a"]);
  assertEquals(text("f").split("\n").slice(1), ["user.b=0x0001ff0a"]);
});

test("owners, devices and capabilities, as root", async () => {
  using kitchen = new Kitchen();
  const caps = Buffer.from("0100000200200000000000000000000000000000", "hex");
  const device = { uid: 5, gid: 6, mode: 0o640 };
  const { leftOut } = await kitchen.unpack(archive(
    dir("d", { uid: 1000, gid: 50, mode: 0o2755 }),
    reg("d/f", "x", {
      uid: 3,
      gid: 4,
      mode: 0o4755,
      pax: { "SCHILY.xattr.security.capability": caps },
    }),
    { ...link("d/l", "f"), uid: 3_000_000, pax: { uid: "4000000000" } },
    { name: "null", type: "3", device: [1, 3], ...device },
    { name: "disk", type: "4", device: [259, 70000], ...device },
    { name: "pipe", type: "6", ...device },
    { name: "whiteout", type: "3", device: [0, 0] },
    hard("link-to-it", "whiteout"),
    reg("nobody's", "x", { mode: 0o4755, pax: { uid: "4294967295" } }),
  ));
  const kinds = leftOut.map(({ path, what }) => `${path}: ${what}`);
  const devices = kinds.some((kind) => kind.startsWith("null"));
  assertEquals(kinds.filter((kind) => !/^(null|disk)/.test(kind)), [
    "whiteout: character device 0:0",
    "link-to-it: hard link",
    "nobody's: owner 4294967295:0",
    "nobody's: mode 04755",
  ]);
  assertEquals(stat(kitchen, "%u:%g %a", "d"), "1000:50 2755");
  assertEquals(stat(kitchen, "%u:%g %a", "d/f"), "3:4 4755");
  assertEquals(stat(kitchen, "%u", "d/l"), "4000000000");
  assertEquals(stat(kitchen, "%F %u:%g %a", "pipe"), "fifo 5:6 640");
  assertEquals(stat(kitchen, "%u %a", "nobody's"), "0 755");
  if (has("getcap")) assert(run("getcap", `${kitchen.root}/d/f`).endsWith("cap_net_raw=ep"));
  if (devices) return;
  assertEquals(stat(kitchen, "%F %t:%T %u:%g %a", "null"), "character special file 1:3 5:6 640");
  assertEquals(stat(kitchen, "%F %t:%T", "disk"), "block special file 103:11170");
}, notRoot);

/** Uses a user namespace with a hundred ids: the caller as root, and others that root gives it. */
async function inNamespace(body: (owners: Owners, first: number) => Promise<void>): Promise<void> {
  const range = (own: number) => [
    { inside: 0, outside: own, count: 1 },
    { inside: 1, outside: 100_000, count: 99 },
  ];
  const given = root ? undefined : subordinateIds();
  const ids = given ?? { uids: range(Deno.uid()!), gids: range(Deno.gid()!) };
  using mapped = await openOwners(ids);
  await body(mapped.owners, ids.uids[1]!.outside);
}

const noRanges = root || has("newuidmap") && subordinateIds() !== undefined
  ? undefined
  : "needs newuidmap, and subordinate ids for this user";

test("owners and capabilities in a user namespace", () =>
  inNamespace(async (owners, first) => {
    using kitchen = new Kitchen();
    const caps = Buffer.from("0100000200200000000000000000000000000000", "hex");
    const far = 5_000_000;
    const tar = archive(
      dir("d", { uid: 5, gid: 6, mode: 0o500 }),
      reg("d/f", "x", {
        uid: 7,
        gid: 8,
        mode: 0o4755,
        pax: { "SCHILY.xattr.security.capability": caps },
      }),
      reg("d/large", new Uint8Array(3 << 20).fill(1), { uid: 9 }),
      { name: "null", type: "3", device: [1, 3] },
      reg("far", "x", { uid: far, gid: 1, mode: 0o6755 }),
    );
    const second = archive(reg("d/.wh.f", ""), reg("d/g", "x", { uid: 1 }), hard("d/h", "d/large"));
    const layers = [kitchen.layer(tar), kitchen.layer(second)];
    const { leftOut } = await kitchen.unpackLayers(layers, { owners });
    assertEquals(leftOut.map(({ path, what }) => `${path}: ${what}`), [
      "null: character device 1:3",
      `far: owner ${far}:1`,
      "far: mode 06755",
    ]);
    assertEquals(stat(kitchen, "%u:%g %a", "d"), `${first + 4}:${first + 5} 500`);
    assertEquals(stat(kitchen, "%u:%g", "far"), `${Deno.uid()}:${first}`);
    assertEquals(stat(kitchen, "%a", "far"), "2755");
    if (root) assertEquals(stat(kitchen, "%u %h", "d/large"), `${first + 8} 2`);
    if (root) {
      const inside = kitchen.tree().filter((path) => path.startsWith("d/"));
      assertEquals(inside, ["d/", "d/g", "d/h", "d/large"]);
    }
    // What belongs to ids of the namespace is removed in it.
    await emptyDirectory(kitchen.root, owners);
    assertEquals(kitchen.tree(), []);
  }), noRanges);

test("capabilities in a user namespace are those of its root", () =>
  inNamespace(async (owners) => {
    using kitchen = new Kitchen();
    const caps = Buffer.from("0100000200200000000000000000000000000000", "hex");
    const tar = archive(reg("f", "x", { pax: { "SCHILY.xattr.security.capability": caps } }));
    const { leftOut } = await kitchen.unpackLayers([kitchen.layer(tar)], { owners });
    assertEquals(leftOut, []);
    if (has("getcap")) assert(run("getcap", `${kitchen.root}/f`).includes("cap_net_raw=ep"));
  }), noRanges);

test("what fails in a user namespace leaves nothing", () =>
  inNamespace(async (owners) => {
    using kitchen = new Kitchen();
    const tar = archive(
      dir("d", { uid: 5, mode: 0o700 }),
      reg("d/f", "x", { uid: 5 }),
      hard("g", "none"),
    );
    const failed = await kitchen.unpackLayers([kitchen.layer(tar)], { owners }).catch(String);
    assert(String(failed).includes("hard link to"), String(failed));
    assertEquals(kitchen.tree(), []);
  }), noRanges);

test("with one id all files are the caller's, and setuid is nobody else's", async () => {
  using kitchen = new Kitchen();
  const tar = archive(
    reg("f", "x", { uid: 1000, gid: 1000, mode: 0o6755 }),
    reg("g", "x", { mode: 0o4755 }),
    { name: "null", type: "3", device: [1, 3] },
    { name: "pipe", type: "6", mode: 0o600 },
  );
  const owners = { kind: "one" } as const;
  const summary = await kitchen.unpackLayers([kitchen.layer(tar)], { owners });
  assertEquals(summary.ownersSquashed, true);
  assertEquals(
    summary.leftOut.map(({ path, what }) => `${path}: ${what}`),
    [
      "null: character device 1:3",
      "f: mode 06755",
    ].toSorted((a) => a.startsWith("f") ? -1 : 1),
  );
  assertEquals(stat(kitchen, "%u %a", "f"), `${Deno.uid()} 755`);
  assertEquals(stat(kitchen, "%u %a", "g"), `${Deno.uid()} 4755`);
  assertEquals(kitchen.tree(), ["f", "g", "pipe"]);
});

test("names of any bytes", async () => {
  using kitchen = new Kitchen();
  const name = new Uint8Array([0xff, 0x20, 0xe4]);
  await kitchen.unpack(archive(
    dir("d"),
    reg("x", "1", { pax: { path: Buffer.concat([bytesOf("d/"), name]) } }),
    reg("x", "2", { pax: { path: "d/\ta\nb" } }),
    { name: "l", type: "1", pax: { linkpath: Buffer.concat([bytesOf("d/"), name]) } },
  ));
  const listed = new Deno.Command("ls", {
    args: ["-b", `${kitchen.root}/d`],
    env: { LC_ALL: "C" },
  });
  const names = decoder.decode(listed.outputSync().stdout).trimEnd().split("\n");
  assertEquals(names, ["\\ta\\nb", "\\377\\ \\344"]);
  assertEquals(kitchen.text("l"), "1");
});
