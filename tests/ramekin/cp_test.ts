/** `ramekin cp`: files between this machine and the container of another script. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { mapRoot, recipe, tmpfs, unshare } from "../../mod.ts";
import { test } from "../support.ts";
import { ramekin } from "./support.ts";

test("files and directories are copied in and out, as cp(1) names them", async () => {
  const directory = Deno.makeTempDirSync();
  const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
  await using container = box.command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  const { fs, pid } = container;
  try {
    Deno.mkdirSync(`${directory}/menu`);
    Deno.writeTextFileSync(`${directory}/menu/soup`, "leek");
    const copies: readonly (readonly [from: string, to: string, copied: object])[] = [
      [`${directory}/menu/soup`, `${pid}:/mnt/new`, { entries: 1, bytes: 4 }],
      [`${directory}/menu/soup`, `${pid}:/mnt`, { entries: 1, bytes: 4 }],
      [`${directory}/menu`, `${pid}:/mnt`, { entries: 2, bytes: 4 }],
      [`${pid}:/mnt/menu`, `${directory}/again`, { entries: 2, bytes: 4 }],
      [`${pid}:/mnt/menu`, `${directory}/again`, { entries: 2, bytes: 4 }],
    ];
    for (const [from, to, copied] of copies) {
      const { code, stdout, stderr } = await ramekin("cp", "--json", from, to);
      assertEquals([code, stderr], [0, ""], `${from} ${to}`);
      assertEquals(JSON.parse(stdout), copied);
    }
    for (const path of ["/mnt/new", "/mnt/soup", "/mnt/menu/soup"]) {
      assertEquals(await fs.readTextFile(path), "leek");
    }
    for (const path of ["again/soup", "again/menu/soup"]) {
      assertEquals(Deno.readTextFileSync(`${directory}/${path}`), "leek");
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("a file is not copied over a link that an earlier copy has left", async () => {
  const directory = Deno.makeTempDirSync();
  const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
  await using container = box.command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  const { fs, pid } = container;
  try {
    Deno.writeTextFileSync(`${directory}/own`, "own");
    await fs.mkdir("/mnt/menu");
    await fs.symlink(`${directory}/own`, "/mnt/menu/soup");
    await fs.writeTextFile("/mnt/soup", "poison");
    assertEquals((await ramekin("cp", `${pid}:/mnt/menu`, `${directory}/copy`)).code, 0);
    const { code, stderr } = await ramekin("cp", `${pid}:/mnt/soup`, `${directory}/copy`);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `${directory}/copy/soup is a symbolic link`);
    assertEquals(Deno.readTextFileSync(`${directory}/own`), "own");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("mistakes are told", async () => {
  await using made = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"))
    .command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  const cases: readonly (readonly [words: readonly string[], code: number, says: string])[] = [
    [
      ["nonesuch", `${made.pid}:/mnt/`],
      1,
      "cannot copy nonesuch to /mnt/nonesuch in the container",
    ],
    [[`${made.pid}:/mnt/a`, "-"], 2, "- is no file"],
    [["a", "b"], 2, "neither is in a container"],
    [["12:/a", "13:/b"], 2, "both are in containers"],
    [["12:a", "b"], 2, "begins with /: 12:/a"],
    [["nonesuch-container:/a", "b"], 2, "no running container of yours"],
    [["--max-bytes=soup", "1:/a", "b"], 2, "--max-bytes=soup is no size"],
    [[`${made.pid}:/nonesuch`, "b"], 1, "cannot copy /nonesuch in the container to b: ENOENT"],
    [["--max-bytes=1", "/etc/passwd", `${made.pid}:/mnt`], 1, "larger than maxBytes, 1"],
    [[`${Deno.pid}:/etc`, "b"], 2, "not in a container of a script of yours"],
  ];
  await Promise.all(cases.map(async ([words, code, says]) => {
    const result = await ramekin("cp", ...words);
    assertStringIncludes(result.stderr, says);
    assertEquals(result.code, code, result.stderr);
  }));
});
