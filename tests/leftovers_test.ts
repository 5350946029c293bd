/** What is left behind: that it is found, and that nothing is, however often containers are made. */

import { assert, assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import {
  bind,
  linux,
  mapIds,
  mapRoot,
  overlay,
  pivotRoot,
  proc,
  type Recipe,
  recipe,
  SyscallError,
  tmpfs,
  unshare,
} from "../mod.ts";
import { leftovers, takeInventory } from "./leftovers.ts";
import { root, test } from "./support.ts";

Deno.test("an open file and a child that nobody has waited for are found", async () => {
  const before = takeInventory();
  const file = linux.open("/dev/null", linux.O_RDONLY);
  assertStringIncludes(await leftovers(before) ?? "", "open file");
  file.close();
  assertEquals(await leftovers(before), undefined);
  const child = new Deno.Command("sleep", { args: ["100"] }).spawn();
  assertStringIncludes(await leftovers(before) ?? "", `child process: ${child.pid} (sleep)`);
  child.kill();
  await child.status;
  assertEquals(await leftovers(before), undefined);
});

const box = recipe(unshare("user", "mount", "pid"), mapRoot());

/** Recipes that fail at every stage of a launch. */
const FAILING: readonly (readonly [name: string, recipe: Recipe, program: string])[] = [
  ["the first step", recipe({ step: "chdir", path: "/no/such/directory" }), "true"],
  ["a step behind namespaces", box.with(tmpfs("/no/such/directory")), "true"],
  ["a step in a second process", box.with({ step: "init" }, tmpfs("/no/such/directory")), "true"],
  ["a step behind a new root", box.with(tmpfs("/mnt"), pivotRoot("/mnt"), proc("/x/y")), "true"],
  [
    "an overlay half way",
    box.with(overlay("/mnt", { lower: ["/no/such"], discard: true })),
    "true",
  ],
  ["the program", box.with(proc()), "/no/such/program"],
  ["the program behind an init", box.with(proc(), { step: "init" }), "/no/such/program"],
  ...(root ? MAPPED() : []),
];

function MAPPED(): typeof FAILING {
  const ranges = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 10 }];
  const mapped = recipe(unshare("user", "mount"), mapIds({ uids: ranges, gids: ranges }));
  return [
    ["a step behind a meeting", mapped.with(tmpfs("/no/such/directory")), "true"],
    [
      "a step before a meeting",
      recipe(unshare("user", "mount"), tmpfs("/no/such"), ...mapped.steps.slice(1)),
      "true",
    ],
    ["the program behind a meeting", mapped, "/no/such/program"],
  ];
}

for (const [name, recipe, program] of FAILING) {
  test(`${name} fails, and nothing is left`, async () => {
    const kind = program === "true" ? SyscallError : Deno.errors.NotFound;
    assertThrows(() => recipe.command(program).outputSync(), kind);
    assertThrows(() => recipe.command(program).spawn(), kind);
    const error = await recipe.command(program).output().catch((error) => error);
    assert(error instanceof kind, String(error));
  });
}

function maps(): number {
  return Deno.readTextFileSync("/proc/self/maps").split("\n").length;
}

test("hundreds of launches map no more memory, whether they succeed or fail", async () => {
  const good = box.with(tmpfs("/tmp"), bind("/usr"));
  const bad = box.with(tmpfs("/no/such/directory"));
  const launch = async () => {
    good.command("true").outputSync();
    try {
      bad.command("true").outputSync();
    } catch {
      // As it should.
    }
    await good.command("true").output();
  };
  for (let i = 0; i < 30; i++) await launch();
  const before = maps();
  for (let i = 0; i < 200; i++) await launch();
  // V8's own heap comes and goes in a few.
  assertLess(maps() - before, 100);
});
