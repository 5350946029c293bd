/** What the layers of an image make together: each says something of what those below it have made. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { LayerError } from "../../../images/layer/mod.ts";
import { test } from "../../support.ts";
import { archive, dir, type Entry, hard, Kitchen, link, reg } from "./archives.ts";

/** What a second layer makes of a first one. */
interface Row {
  readonly name: string;
  readonly lower: readonly Entry[];
  readonly upper: readonly Entry[];
  readonly tree: readonly string[];
  /** What files hold. */
  readonly texts?: Readonly<Record<string, string>>;
}

const empty = (name: string) => reg(name, "");
/** `lib` is a link to `usr/lib`, where there is a file. */
const LIB = [dir("usr"), dir("usr/lib"), reg("usr/lib/x"), link("lib", "usr/lib")];
const DD = [dir("dd"), reg("dd/k")];

const ROWS: readonly Row[] = [
  {
    name: "a hard link to a file of a lower layer",
    lower: [reg("f")],
    upper: [hard("g", "f")],
    tree: ["f", "g"],
    texts: { g: "f" },
  },
  {
    name: "a hard link to a symbolic link of a lower layer",
    lower: [link("l", "nowhere")],
    upper: [hard("m", "l")],
    tree: ["l -> nowhere", "m -> nowhere"],
  },
  {
    name: "a file beneath a link to a directory",
    lower: LIB,
    upper: [reg("lib/foo")],
    tree: ["lib -> usr/lib", "usr/", "usr/lib/", "usr/lib/foo", "usr/lib/x"],
  },
  {
    name: "a directory in place of a link",
    lower: LIB,
    upper: [dir("lib")],
    tree: ["lib/", "usr/", "usr/lib/", "usr/lib/x"],
  },
  {
    name: "a whiteout, and then the file",
    lower: [reg("f", "old")],
    upper: [empty(".wh.f"), reg("f", "new")],
    tree: ["f"],
    texts: { f: "new" },
  },
  {
    name: "the file, and then a whiteout",
    lower: [reg("f", "old")],
    upper: [reg("f", "new"), empty(".wh.f")],
    tree: ["f"],
    texts: { f: "new" },
  },
  {
    name: "a whiteout, and then the directory",
    lower: DD,
    upper: [empty(".wh.dd"), dir("dd"), reg("dd/n")],
    tree: ["dd/", "dd/n"],
  },
  {
    name: "the directory, and then a whiteout",
    lower: DD,
    upper: [dir("dd"), reg("dd/n"), empty(".wh.dd")],
    tree: ["dd/", "dd/n"],
  },
  {
    name: "an opaque directory, said before its files",
    lower: DD,
    upper: [dir("dd"), empty("dd/.wh..wh..opq"), reg("dd/n")],
    tree: ["dd/", "dd/n"],
  },
  {
    name: "an opaque directory, said after its files",
    lower: [...DD, dir("dd/sub"), reg("dd/sub/old")],
    upper: [dir("dd"), reg("dd/sub/n"), empty("dd/.wh..wh..opq")],
    tree: ["dd/", "dd/sub/", "dd/sub/n"],
  },
  {
    name: "a whiteout of nothing",
    lower: [reg("f")],
    upper: [empty("nobody/has/.wh.this"), empty(".wh.nor-this"), empty("f/.wh.x")],
    tree: ["f"],
  },
  {
    name: "a whiteout beneath a link to a directory",
    lower: LIB,
    upper: [empty("lib/.wh.x")],
    tree: ["lib -> usr/lib", "usr/", "usr/lib/"],
  },
  {
    name: "an opaque directory that is said of a link",
    lower: LIB,
    upper: [empty("lib/.wh..wh..opq"), reg("lib/n")],
    tree: ["lib -> usr/lib", "usr/", "usr/lib/", "usr/lib/n"],
  },
  {
    name: "the same name twice",
    lower: [],
    upper: [reg("f", "first"), link("f", "x"), reg("f", "last")],
    tree: ["f"],
    texts: { f: "last" },
  },
  {
    name: "a hard link before its target, and one to that link",
    lower: [],
    upper: [hard("z", "a"), hard("a", "b"), reg("b")],
    tree: ["a", "b", "z"],
    texts: { z: "b" },
  },
  {
    name: "a hard link whose name comes again before its target",
    lower: [reg("a", "lower")],
    upper: [hard("a", "b"), reg("a", "later"), reg("b")],
    tree: ["a", "b"],
    texts: { a: "later" },
  },
  {
    name: "a hard link to itself, and to another name of itself",
    lower: [reg("f"), hard("g", "f")],
    upper: [hard("f", "f"), hard("g", "f")],
    tree: ["f", "g"],
  },
  {
    name: "parents that no layer has",
    lower: [],
    upper: [reg("a/b/c")],
    tree: ["a/", "a/b/", "a/b/c"],
  },
  {
    name: "a file in place of a directory with files",
    lower: [dir("d"), dir("d/e"), reg("d/e/f"), link("d/l", "..")],
    upper: [reg("d", "file")],
    tree: ["d"],
  },
  {
    name: "a directory in place of a file",
    lower: [reg("d")],
    upper: [dir("d"), reg("d/f")],
    tree: ["d/", "d/f"],
  },
  {
    name: "a file where a link leads nowhere",
    lower: [link("l", "/not/yet")],
    upper: [reg("l/f")],
    tree: ["l -> /not/yet", "not/", "not/yet/", "not/yet/f"],
  },
  {
    name: "a file that replaces one end of a hard link",
    lower: [reg("f", "old"), hard("g", "f")],
    upper: [reg("f", "new")],
    tree: ["f", "g"],
    texts: { f: "new", g: "old" },
  },
  {
    name: "whiteouts of no name, and the names of aufs",
    lower: [dir("d"), reg("d/f")],
    upper: [
      empty("d/.wh."),
      empty("d/.wh.."),
      empty("d/.wh..."),
      empty("d/.wh..wh.plnk"),
      empty("d/.wh..wh.aufs"),
    ],
    tree: ["d/", "d/f"],
  },
];

for (const { name, lower, upper, tree, texts = {} } of ROWS) {
  test(`layers: ${name}`, async () => {
    using kitchen = new Kitchen();
    await kitchen.unpack(archive(...lower), archive(...upper));
    assertEquals(kitchen.tree(), [...tree]);
    for (const [path, text] of Object.entries(texts)) assertEquals(kitchen.text(path), text, path);
  });
}

test("hard links of layers are one file", async () => {
  using kitchen = new Kitchen();
  await kitchen.unpack(archive(reg("f")), archive(hard("d/g", "/f")), archive(hard("h", "d/g")));
  assertEquals(kitchen.stat("f").nlink, 3);
  assertEquals(kitchen.stat("h").ino, kitchen.stat("f").ino);
});

test("a directory keeps what it holds, and gets the attributes of the last layer that names it", async () => {
  using kitchen = new Kitchen();
  await kitchen.unpack(
    archive(dir("./", { mode: 0o711, mtime: 5 }), dir("d", { mode: 0o700, mtime: 1 }), reg("d/f")),
    archive(dir("d", { mode: 0o1777, mtime: 123 }), reg("d/g")),
    archive(reg("d/h"), reg("implied/f")),
  );
  assertEquals(kitchen.tree(), ["d/", "d/f", "d/g", "d/h", "implied/", "implied/f"]);
  const { mode, mtime } = kitchen.stat("d");
  assertEquals([mode! & 0o7777, mtime!.getTime()], [0o1777, 123_000]);
  assertEquals(kitchen.stat("implied").mode! & 0o7777, 0o755);
  assertEquals(kitchen.stat(".").mode! & 0o7777, 0o711);
  assertEquals(kitchen.stat(".").mtime!.getTime(), 5000);
});

const REFUSED: readonly (readonly [name: string, upper: readonly Entry[], says: string])[] = [
  ["a hard link to nothing", [hard("g", "nothing")], '"g" is a hard link to "nothing"'],
  [
    "a hard link to what the layer hides before",
    [empty(".wh.f"), hard("g", "f")],
    '"g" is a hard link to "f"',
  ],
  ["a hard link to a directory", [dir("d"), hard("g", "d")], '"g" is a hard link to a directory'],
  ["a file below a file", [reg("f/x")], '"f" is on the way, and no directory'],
  ["links in a circle", [link("a", "b"), link("b", "a"), reg("a/x")], "more than 40 links"],
  ["a root that is a file", [reg("./")], '"./" is the root, and no directory'],
];

for (const [name, upper, says] of REFUSED) {
  test(`layers: ${name} is refused, and nothing is left`, async () => {
    using kitchen = new Kitchen();
    const bad = kitchen.layer(archive(...upper));
    const layers = [kitchen.layer(archive(reg("f"), dir("e"), reg("e/g"))), bad];
    const error = await assertRejects(() => kitchen.unpackLayers(layers), LayerError, says);
    assertEquals([error.code, error.layer], ["invalid", bad.digest]);
    assert(error.message.startsWith(`layer ${bad.digest}: `), error.message);
    assertEquals(kitchen.tree(), []);
  });
}

test("five hundred layers are one root", async () => {
  using kitchen = new Kitchen();
  const layers = Array.from(
    { length: 500 },
    (_, index) =>
      kitchen.layer(
        archive(reg("f", String(index)), reg(`d/${index}`), empty(`d/.wh.${index - 2}`)),
      ),
  );
  const { entries } = await kitchen.unpackLayers(layers);
  assertEquals(entries, 1500);
  assertEquals(kitchen.tree(), ["d/", "d/498", "d/499", "f"]);
  assertEquals(kitchen.text("f"), "499");
});
