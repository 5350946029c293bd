/** Archives that want to reach what lies outside of the root. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { LayerError } from "../../../images/layer/mod.ts";
import { test } from "../../support.ts";
import { Buffer } from "node:buffer";
import { archive, dir, type Entry, hard, Kitchen, link, paxHeader, reg } from "./archives.ts";

/** What an archive wants to reach: a file and a directory beside the root. */
function withVictims(kitchen: Kitchen): { readonly path: string; check(): void } {
  const path = `${kitchen.directory}/outside`;
  Deno.mkdirSync(`${path}/d`, { recursive: true });
  Deno.writeTextFileSync(`${path}/victim`, "untouched");
  const before = Deno.lstatSync(`${path}/victim`);
  return {
    path,
    check() {
      assertEquals([...Deno.readDirSync(path)].map(({ name }) => name).toSorted(), ["d", "victim"]);
      assertEquals([...Deno.readDirSync(`${path}/d`)], []);
      const { mode, mtime, nlink, uid } = Deno.lstatSync(`${path}/victim`);
      assertEquals([mode, mtime, nlink, uid], [before.mode, before.mtime, 1, before.uid]);
      assertEquals(Deno.readTextFileSync(`${path}/victim`), "untouched");
      const beside = [...Deno.readDirSync(kitchen.directory)].map(({ name }) => name);
      assertEquals(beside.filter((name) => !/^(root|outside|blob-\d+)$/.test(name)), []);
    },
  };
}

type Attack = (outside: string) => readonly Entry[];

/** Archives that are unpacked, with what becomes of them. */
const KEPT:
  readonly (readonly [name: string, attack: Attack, tree: (outside: string) => string[]])[] = [
    [
      "names that climb",
      () => [reg("../../x"), reg("a/../../../y"), dir("../../d")],
      () => ["d/", "x", "y"],
    ],
    [
      "absolute names",
      () => [reg("/x"), reg("//y/z"), hard("/w", "/x")],
      () => ["w", "x", "y/", "y/z"],
    ],
    [
      "a link out, and a file beneath it",
      (outside) => [link("l", outside), reg("l/victim", "hit")],
      (outside) => [...inside(outside), `l -> ${outside}`],
    ],
    [
      "a climbing link, and a file beneath it",
      () => [link("l", "../outside"), reg("l/victim", "hit")],
      () => ["l -> ../outside", "outside/", "outside/victim"],
    ],
    [
      "links over links",
      () => [
        dir("a"),
        link("a/b", ".."),
        link("a/c", "b/.."),
        link("l", "a/c/.."),
        reg("l/outside/victim"),
      ],
      () => ["a/", "a/b -> ..", "a/c -> b/..", "l -> a/c/..", "outside/", "outside/victim"],
    ],
    [
      "a file over a link",
      (outside) => [link("l", `${outside}/victim`), reg("l", "hit")],
      () => ["l"],
    ],
    [
      "a directory over a link",
      (outside) => [link("l", outside), dir("l", { mode: 0o777 }), reg("l/victim")],
      () => ["l/", "l/victim"],
    ],
    [
      "a directory that becomes a link while files are made in it",
      (outside) => [dir("l"), reg("l/a"), link("l", outside), reg("l/victim", "hit"), reg("l/b")],
      (outside) => [...inside(outside), `${outside.slice(1)}/b`, `l -> ${outside}`].toSorted(),
    ],
    [
      "whiteouts that climb, and that follow links",
      (outside) => [
        link("l", outside),
        reg("l/.wh.victim", ""),
        reg("../outside/.wh.victim", ""),
        reg(".wh...", ""),
        reg("l/.wh..wh..opq", ""),
      ],
      (outside) => [`l -> ${outside}`],
    ],
  ];

/** The directories of an absolute path, and the victim in it. */
function inside(outside: string): string[] {
  const parts = outside.slice(1).split("/");
  return [
    ...parts.map((_, at) => `${parts.slice(0, at + 1).join("/")}/`),
    `${outside.slice(1)}/victim`,
  ];
}

for (const [name, attack, tree] of KEPT) {
  test(`a hostile archive: ${name}`, async () => {
    for (const split of [false, true]) {
      using kitchen = new Kitchen();
      const { path, check } = withVictims(kitchen);
      const entries = attack(path);
      // The same in one layer, and in one layer an entry.
      await kitchen.unpack(
        ...(split ? entries.map((entry) => archive(entry)) : [archive(...entries)]),
      );
      check();
      assertEquals(kitchen.tree().toSorted(), tree(path).toSorted());
    }
  });
}

const REFUSED: readonly (readonly [name: string, attack: Attack, says: string])[] = [
  ["a hard link out", (outside) => [hard("h", `${outside}/victim`)], "is a hard link to"],
  ["a climbing hard link", () => [hard("h", "../outside/victim")], "is a hard link to"],
  [
    "a hard link over a link",
    (outside) => [link("l", outside), hard("h", "l/victim")],
    "is a hard link to",
  ],
  [
    "a name that is too long",
    () => [reg("f", "", { pax: { path: "a".repeat(5000) } })],
    "5000 letters",
  ],
];

for (const [name, attack, says] of REFUSED) {
  test(`a hostile archive is refused: ${name}`, async () => {
    using kitchen = new Kitchen();
    const { path, check } = withVictims(kitchen);
    const unpack = () => kitchen.unpack(archive(reg("first"), ...attack(path)));
    await assertRejects(unpack, LayerError, says);
    check();
    assertEquals(kitchen.tree(), []);
  });
}

test("what would take memory or time without a bound is refused, or left out", async () => {
  using kitchen = new Kitchen();
  const deep = "d/".repeat(1000);
  const links = [
    reg("x", "", { pax: { path: `${deep}f` } }),
    ...Array.from({ length: 5 }, (_, at) => [
      link(`l${at}`, at === 0 ? deep : `l${at - 1}/${deep}`),
      reg("x", "", { pax: { path: `l${at}/${deep}f` } }),
    ]).flat(),
  ].map((entry) =>
    entry.target === undefined ? entry : { ...entry, pax: { linkpath: entry.target } }
  );
  const chain = Array.from({ length: 100 }, (_, at) => hard(`h${at}`, `h${at + 1}`));
  const globals = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`k${at}`, "v"]));
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [archive(...links), "letters, and a path at most"],
    [archive(...chain, reg("h100")), "is a hard link to"],
    [Buffer.concat([paxHeader("g", globals), archive(reg("f"))]), "more than 256 records"],
    [archive({ ...link("l", ""), pax: { linkpath: "a".repeat(5000) } }), "longer than any path"],
  ];
  for (const [tar, says] of cases) {
    await assertRejects(() => kitchen.unpack(tar), LayerError, says);
    assertEquals(kitchen.tree(), []);
  }
  const segments = Array.from({ length: 20_000 }, (_, at) => `${at * 2},1`).join();
  const map = { "GNU.sparse.map": segments, "GNU.sparse.size": "40000" };
  const xattrs = { "SCHILY.xattr.user.large": "x".repeat(70_000) };
  const { leftOut } = await kitchen.unpack(archive(
    reg("sparse", "x".repeat(20_000), { pax: map }),
    reg("f", "", { pax: xattrs }),
  ));
  assertEquals(leftOut.map(({ what }) => what), ["attribute user.large"]);
  assertEquals(kitchen.text("sparse"), "x\0".repeat(20_000));
});

test("a hard link to a link, and a file over it, reach nothing", async () => {
  using kitchen = new Kitchen();
  const { path, check } = withVictims(kitchen);
  await kitchen.unpack(archive(link("l", `${path}/victim`), hard("h", "l"), reg("h", "hit")));
  check();
  assertEquals(kitchen.text("h"), "hit");
});

test("a part of a name that no filesystem has is an error with its path", async () => {
  using kitchen = new Kitchen();
  const name = "n".repeat(300);
  const entry = reg("f", "", { pax: { path: `d/${name}` } });
  const error = await kitchen.unpack(archive(dir("d"), entry)).catch(String);
  assert(String(error).includes("ENAMETOOLONG") && String(error).includes(`"d/nnn`), String(error));
  assertEquals(kitchen.tree(), []);
});

test("archives of links, whiteouts and files at random stay in their root", async () => {
  let seed = 42;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor(seed / 2 ** 31 * below);
  };
  let whole = 0;
  for (let round = 0; round < 60; round++) {
    using kitchen = new Kitchen();
    const { path, check } = withVictims(kitchen);
    const parts = ["a", "b", "c", "..", ".", "outside", "victim", ".wh.a", ".wh..wh..opq", ""];
    const last = ["a", "b", "c", "d", "e", "victim", ".wh.a", ".wh..wh..opq"];
    const way = (length: number) => Array.from({ length }, () => parts[random(parts.length)]);
    const name = () => [...way(random(3)), last[random(last.length)]].join("/");
    const target = () => random(3) === 0 ? path : random(2) === 0 ? `/${name()}` : name();
    const entry = (): Entry => {
      const kind = random(40);
      if (kind < 10) return { ...dir("x"), name: name() };
      if (kind < 20) return link(name(), target());
      if (kind === 20) return hard(name(), target());
      return reg(name(), "hit", { mode: 0o777 });
    };
    const layers = Array.from(
      { length: 3 },
      () => archive(...Array.from({ length: 1 + random(12) }, entry)),
    );
    try {
      await kitchen.unpack(...layers);
      whole++;
    } catch (error) {
      if (!(error instanceof LayerError)) throw error;
      assertEquals(kitchen.tree(), [], "what was made is removed");
    }
    check();
  }
  assert(whole > 10, `${whole} were unpacked`);
});
