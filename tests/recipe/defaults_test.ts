/** Steps as data have the defaults that their functions have. */

import { assertEquals } from "@std/assert";
import {
  bind,
  devices,
  dieWithParent,
  mqueue,
  proc,
  protect,
  recipe,
  rlimit,
  sysfs,
} from "../../mod.ts";
import { parseRecipe, recipeSchema } from "../../yaml/mod.ts";

const SHORT = [
  [{ step: "bind", source: "/usr" }, bind("/usr")],
  [{ step: "devices" }, devices()],
  [{ step: "dieWithParent" }, dieWithParent()],
  [{ step: "mqueue" }, mqueue()],
  [{ step: "proc" }, proc()],
  [{ step: "protect", source: "/srv" }, protect("/srv")],
  [{ step: "rlimit", resource: "nofile", soft: 5 }, rlimit("nofile", 5)],
  [{ step: "sysfs" }, sysfs()],
] as const;

Deno.test("a field that is left out has its default, in data and in YAML", () => {
  for (const [short, whole] of SHORT) {
    assertEquals(recipe(short as never).steps, [whole]);
    assertEquals(parseRecipe(`steps: [${JSON.stringify(short)}]`).steps, [whole]);
    assertEquals(recipe({ ...short, extra: undefined } as never).steps[0]!.step, whole.step);
  }
  assertEquals(recipe({ step: "dieWithParent", signal: null }).steps, [dieWithParent(null)]);
});

Deno.test("the JSON Schema requires no field that has a default", () => {
  const definitions = recipeSchema()["$defs"] as Record<string, { required: readonly string[] }>;
  for (const [short] of SHORT) {
    assertEquals(definitions[short.step]!.required.toSorted(), Object.keys(short).toSorted());
  }
});
