/** The module in one file; tests/import_test.ts imports it from a URL. */

import { assert, assertEquals } from "@std/assert";
import * as module from "../../mod.ts";
import { bundle } from "../../scripts/bundle.ts";
import { emulated } from "../rounds.ts";
import { notRoot, test } from "../support.ts";

const FILE = new URL("../../dist/ramekin.js", import.meta.url);

test("the one file is what the modules make: deno task bundle", async () => {
  const [written, made] = [await Deno.readTextFile(FILE), await bundle()];
  assert(written === made, "dist/ramekin.js is older than the modules: deno task bundle");
}, notRoot ? "is compared as root" : emulated ? "needs the bundler, which is fetched" : undefined);

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
