/** The other paths of files by a mount table: compared with what the kernel says of every path. */

import { assert, assertEquals } from "@std/assert";
import { mapRoot, proc, recipe, tmpfs, unshare } from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { test } from "../support.ts";

/** A machine on which anything can be mounted, with nothing below /mnt. */
const MACHINE = recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), tmpfs("/mnt"));

const MODULE = (path: string) => JSON.stringify(import.meta.resolve(`../../${path}`));

/** Makes directories, mounts them on each other at random, and compares. */
const COMPARISON = `
  import { mountsOf } from ${MODULE("host.ts")};
  import { OtherNames } from ${MODULE("host/other_names.ts")};
  let seed = 7;
  const random = (most) => (seed = seed * 1103515245 + 12345 & 0x7fffffff) % most;
  const directories = ["a", "b", "c"].flatMap((one) =>
    ["", "/a", "/b", "/a/x", "/b/y"].map((other) => "/mnt/" + one + other)
  );
  for (const path of directories) Deno.mkdirSync(path, { recursive: true });
  Deno.writeTextFileSync("/mnt/a/a/file", "");
  const all = (path, depth = 0) => depth > 5 ? [] : [path, ...[...Deno.readDirSync(path)].flatMap(
    ({ name, isDirectory }) => isDirectory ? all(path + "/" + name, depth + 1) : [path + "/" + name],
  )];
  let [paths, names] = [0, 0];
  const wrong = [];
  for (let round = 0; round < 12; round++) {
    const there = all("/mnt").filter((path) => path !== "/mnt" && !path.endsWith("file"));
    const [from, to] = [0, 0].map(() => there[random(there.length)]);
    if (round === 5) ramekin.linux.mount("none", to, "tmpfs", 0, null);
    else ramekin.linux.mount(from, to, null, 4096 | (random(2) === 0 ? 16384 : 0), null);
    const others = new OtherNames(mountsOf());
    const files = all("/mnt");
    const idOf = (path) => { const { dev, ino } = Deno.lstatSync(path); return dev + ":" + ino; };
    const same = Map.groupBy(files, idOf);
    for (const path of files) {
      const expected = same.get(idOf(path)).filter((other) => other !== path).sort();
      // What is deeper is not compared.
      const found = others.wholeOf(path).filter((other) => files.includes(other)).sort();
      paths++;
      names += found.length;
      if (found.join() !== expected.join()) wrong.push({ round, path, found, expected });
      const parts = others.of(path);
      if (found.some((other) => !parts.includes(other) && !(other + "/").startsWith(path + "/"))) {
        wrong.push({ round, path, parts });
      }
    }
  }
  console.log(JSON.stringify({ paths, names, wrong: wrong.slice(0, 3) }));`;

test("every path with the same file is found, and no other", () => {
  const result = scriptInside(MACHINE, COMPARISON, "", ["--allow-read", "--allow-write"]);
  const { paths, names, wrong } = result as Record<string, number> & { wrong: unknown };
  assertEquals(wrong, []);
  assert(paths! > 100 && names! > 100, `${paths} paths with ${names} names`);
});
