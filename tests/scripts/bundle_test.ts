/** The module in one file, for who imports it from a URL. */

import { assert, assertEquals } from "@std/assert";
import * as module from "../../mod.ts";
import { bundle } from "../../scripts/bundle.ts";
import { runScript } from "../other_scripts.ts";
import { notRoot, test } from "../support.ts";

const FILE = new URL("../../ramekin.js", import.meta.url);
const FIRST_CALLS = new URL("../../scripts/first_calls.txt", import.meta.url);

test("the one file is what the modules make: deno task bundle", async () => {
  const [written, made] = [await Deno.readTextFile(FILE), await bundle()];
  assert(written === made, "ramekin.js is older than the modules: deno task bundle");
}, notRoot && "is compared as root");

test("the one file has all that the module has", async () => {
  const [{ linux, ...others }, { linux: linuxOfModule, ...othersOfModule }] = [
    await import(FILE.href) as typeof module,
    module,
  ];
  assertEquals(kinds(others), kinds(othersOfModule));
  assertEquals(kinds(linux), kinds(linuxOfModule));
});

/** The members of a module: constants by their values, functions as such. */
function kinds(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).sort(([one], [other]) => one < other ? -1 : 1)
      .map(([name, value]) => [name, typeof value === "function" ? typeof value : value]),
  );
}

test("what the first container calls is compiled with the one file", async () => {
  const recorded = (await Deno.readTextFile(FIRST_CALLS)).trim().split("\n");
  const compiled = (await Deno.readTextFile(FILE)).match(/^var [\w$]+ = \((?:async )?function/gm);
  const share = (compiled?.length ?? 0) / recorded.length;
  assert(share > 0.9, "most of scripts/first_calls.txt is gone: deno task bundle --record");
});

test("a container runs from the one file", async () => {
  const { stdout, stderr } = await runScript(`
    import { hostname, mapRoot, recipe, unshare } from "${FILE}";
    const box = recipe(unshare("user", "uts"), mapRoot(), hostname("one-file"));
    console.log(new TextDecoder().decode(box.command("uname", { args: ["-n"] }).outputSync().stdout));
  `);
  assertEquals(stdout, "one-file\n\n", stderr);
});
