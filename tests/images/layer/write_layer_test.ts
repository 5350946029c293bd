/** Layers that are written: what an overlay filesystem keeps of a run, and whole trees. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { inside, root, test } from "../../support.ts";
import { mapRoot, overlay, recipe, unshare } from "../../../mod.ts";
import {
  LayerError,
  readTarIndex,
  writeLayer,
  type WriteLayerOptions,
  type WrittenLayer,
} from "../../../images/layer/mod.ts";
import { archive, digestOf, dir, hard, Kitchen, link, reg } from "./archives.ts";

/** Writes a layer; returns what is known of it, and its archive. */
async function write(
  kitchen: Kitchen,
  directory: string,
  options?: WriteLayerOptions,
): Promise<WrittenLayer & { readonly path: string; readonly tar: Uint8Array }> {
  const path = `${kitchen.directory}/layer-${crypto.randomUUID()}`;
  const layer = await writeLayer(directory, path, options);
  const blob = Deno.readFileSync(path);
  const tar = gunzipSync(blob);
  assertEquals([layer.digest, layer.size], [digestOf(blob), blob.length]);
  assertEquals(layer.diffId, digestOf(tar));
  return { ...layer, path, tar };
}

function names(kitchen: Kitchen, tar: Uint8Array): string[] {
  const path = `${kitchen.directory}/archive`;
  Deno.writeFileSync(path, tar);
  return readTarIndex(path).map(({ name }) => name);
}

/** What `find` says of a tree, but for the sizes of directories. */
function listing(directory: string): string[] {
  const script =
    `cd "$1"; find . -printf '%p %y %m %U:%G %s %Ts %n %l\\n' | sort; getfattr -Rdm- . 2>/dev/null || :`;
  const { stdout } = new Deno.Command("sh", { args: ["-euc", script, "sh", directory] })
    .outputSync();
  return new TextDecoder().decode(stdout).split("\n").map((line) =>
    line.replace(/( d \d+ \S+) \d+/, "$1")
  );
}

function withoutTime(line: string): string {
  return line.replace(/ -?\d+ (\d+ \S*)$/, " $1");
}

const LONG = "n".repeat(120);

test("a tree that is written and unpacked is the same", async () => {
  using kitchen = new Kitchen();
  const owner = root ? { uid: 3_000_000, gid: 70_000 } : {};
  const far = root ? { pax: { uid: "3000000" } } : {};
  await kitchen.unpack(archive(
    dir("./", { mode: 0o751, mtime: 77 }),
    dir("d", { mode: 0o1777, mtime: 1, ...(root && { gid: 7 }) }),
    reg("d/setuid", "x", { mode: 0o4711, ...far }),
    reg("d/large", new Uint8Array(700_000).fill(3)),
    reg("x", "1", { pax: { path: `d/${LONG}/ä/${LONG}`, mtime: "-5" } }),
    reg("x", "2", { pax: { path: new Uint8Array([0x64, 0x2f, 0xff]) } }),
    { ...link("d/l", "y"), pax: { linkpath: `${LONG}/${LONG}` } },
    hard("a-hard-link", "d/large"),
    reg("attributes", "x", { pax: { "SCHILY.xattr.user.a": new Uint8Array([0, 255, 10]) } }),
    { name: "pipe", type: "6", mode: 0o600 },
  ));
  if (root) Deno.chownSync(`${kitchen.root}/pipe`, owner.uid!, owner.gid!);
  const layer = await write(kitchen, kitchen.root, { whole: true });
  using other = new Kitchen();
  const again = other.layer(layer.tar);
  const { leftOut, entries } = await other.unpackLayers([again]);
  assertEquals(leftOut, []);
  assertEquals(entries, layer.entries);
  assertEquals(listing(other.root), listing(kitchen.root));
  // Written again it is the same to the byte.
  const once = await write(kitchen, kitchen.root, { whole: true });
  const twice = await write(kitchen, other.root, { whole: true });
  assertEquals([once.digest, twice.digest], [layer.digest, layer.digest]);
});

test("attributes of links, devices and pipes, as far as the kernel has them", async () => {
  using kitchen = new Kitchen();
  const value = new Uint8Array([0, 255]);
  const pax = { "SCHILY.xattr.trusted.a": value, "SCHILY.xattr.user.b": value };
  const { leftOut } = await kitchen.unpack(archive(
    { ...link("l", "nowhere"), pax },
    { name: "null", type: "3", device: [1, 3], pax },
    { name: "pipe", type: "6", pax },
  ));
  const hasNull = !leftOut.some(({ what }) => what.endsWith("device 1:3"));
  const files = ["l", ...(hasNull ? ["null"] : []), "pipe"];
  const told = files.flatMap((path) => [
    ...(root ? [] : [`${path}: only root outside of user namespaces sets it on such a file`]),
    `${path}: only files and directories have attributes of users`,
  ]);
  const why = leftOut.flatMap(({ path, what, why }) =>
    what.startsWith("attribute") ? `${path}: ${why}` : []
  );
  assertEquals(
    why.filter((line) => !line.startsWith("null") || hasNull).toSorted(),
    told.toSorted(),
  );
  const layer = await write(kitchen, kitchen.root, { whole: true });
  const path = `${kitchen.directory}/archive`;
  Deno.writeFileSync(path, layer.tar);
  const written = readTarIndex(path).filter(({ xattrs }) => xattrs.length > 0);
  assertEquals(
    written.map(({ name, xattrs }) => [name, xattrs]),
    root ? files.map((name) => [name, [{ name: "trusted.a", value }]]) : [],
  );
});

test("the times of files are no later than the epoch, and excluded paths are left out", async () => {
  using kitchen = new Kitchen();
  await kitchen.unpack(
    archive(dir("etc"), reg("etc/hosts"), reg("etc/passwd"), dir("run"), reg("run/x")),
  );
  const exclude = ["/etc/hosts", "run/"];
  const first = await write(kitchen, kitchen.root, { epoch: 1000, exclude });
  assertEquals(names(kitchen, first.tar), ["etc/", "etc/passwd"]);
  Deno.utimeSync(`${kitchen.root}/etc/passwd`, 2_000_000_000, 2_000_000_000);
  const second = await write(kitchen, kitchen.root, { epoch: 1000, exclude });
  assertEquals(second.digest, first.digest);
});

test("what a run has changed on an overlay is a layer that makes the same of the lower one", async () => {
  using kitchen = new Kitchen();
  const lower = archive(
    dir("d"),
    reg("d/gone"),
    reg("d/kept"),
    dir("opaque"),
    reg("opaque/old"),
    dir("removed"),
    reg("removed/f"),
    reg("changed", "old"),
    link("to-d", "d"),
  );
  await kitchen.unpack(lower);
  const at = (name: string) => `${kitchen.directory}/${name}`;
  for (const name of ["upper", "work", "merged", "copy"]) Deno.mkdirSync(at(name));
  const script = (directory: string) => `
    cd "${directory}"
    rm d/gone; rm -r opaque removed; mkdir opaque; echo new >opaque/new
    echo new >changed; ln changed hard; ln -s nowhere link; mkdir -m 700 made; touch made/f
    ln -f d/kept d/kept-too; rm to-d; mkdir to-d; touch to-d/f
  `;
  inside(recipe(), `cp -a "${kitchen.root}/." "${at("copy")}"; ${script(at("copy"))}`);
  const own = root ? recipe(unshare("mount")) : recipe(unshare("user", "mount"), mapRoot());
  const mounted = own.with(overlay(at("merged"), {
    lower: [kitchen.root],
    upper: at("upper"),
    work: at("work"),
  }));
  inside(mounted, script(at("merged")));
  const layer = await write(kitchen, at("upper"));
  const listed = names(kitchen, layer.tar);
  for (const name of ["d/.wh.gone", ".wh.removed", "opaque/.wh..wh..opq", "to-d/"]) {
    assert(listed.includes(name), `${name} is not in ${listed}`);
  }
  using other = new Kitchen();
  await other.unpackLayers([other.layer(lower), other.layer(layer.tar)]);
  // But for the times, as the same is done twice.
  const same = (directory: string) => listing(directory).slice(1).map(withoutTime);
  assertEquals(same(other.root), same(at("copy")));
});

test("a name that would be taken for a whiteout is refused, and no blob is left", async () => {
  using kitchen = new Kitchen();
  for (const name of [".wh.f", ".wh..wh..opq"]) {
    Deno.writeTextFileSync(`${kitchen.root}/${name}`, "");
    const path = `${kitchen.directory}/layer`;
    await assertRejects(() => writeLayer(kitchen.root, path), LayerError, "taken for a whiteout");
    assertEquals([...Deno.readDirSync(kitchen.directory)].map(({ name }) => name), ["root"]);
    Deno.removeSync(`${kitchen.root}/${name}`);
  }
});

test("a file that is there is not written over", async () => {
  using kitchen = new Kitchen();
  const path = `${kitchen.directory}/there`;
  Deno.writeTextFileSync(path, "mine");
  await assertRejects(() => writeLayer(kitchen.root, path), Error, "EEXIST");
  assertEquals(Deno.readTextFileSync(path), "mine");
});

test("a deep tree is whole, each directory in front of what is in it", async () => {
  using kitchen = new Kitchen();
  const deep = Array.from({ length: 100 }, (_, at) => `d${at}`);
  Deno.mkdirSync(`${kitchen.root}/${deep.join("/")}`, { recursive: true });
  Deno.writeTextFileSync(`${kitchen.root}/${deep.join("/")}/f`, "x");
  Deno.mkdirSync(`${kitchen.root}/d0/d`);
  const { tar } = await write(kitchen, kitchen.root);
  const paths = deep.map((_, at) => `${deep.slice(0, at + 1).join("/")}/`);
  const rest = [...paths.slice(1), `${deep.join("/")}/f`];
  assertEquals(names(kitchen, tar), ["d0/", "d0/d/", ...rest]);
});

test("sockets are told, and a directory of many files is whole", async () => {
  using kitchen = new Kitchen();
  for (let count = 0; count < 1500; count++) Deno.writeTextFileSync(`${kitchen.root}/${count}`, "");
  using _socket = Deno.listen({ transport: "unix", path: `${kitchen.root}/socket` });
  const { leftOut, entries } = await write(kitchen, kitchen.root);
  assertEquals([leftOut, entries], [["socket"], 1500]);
});
