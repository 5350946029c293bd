/** `joinCgroup`. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { hierarchies } from "../../host.ts";
import { joinCgroup, recipe, unshare } from "../../mod.ts";
import { assertFails, inside, notRoot, test } from "../support.ts";

/** A group of this process's own group, and why there is none. */
const [hierarchy] = hierarchies();
const without = notRoot ?? (hierarchy === undefined ? "needs control groups" : undefined);

test("the container is in a group that exists, which is the root of its cgroup namespace", () => {
  const group = `${hierarchy!.own}/ramekin-join-${Deno.pid}`;
  Deno.mkdirSync(group);
  try {
    const box = recipe(joinCgroup(group));
    assertStringIncludes(inside(box, "cat /proc/self/cgroup"), `/ramekin-join-${Deno.pid}`);
    const own = inside(box.with(unshare("cgroup")), "cat /proc/self/cgroup").split("\n");
    assertEquals(own.some((line) => line.includes("ramekin-join")), false);
  } finally {
    Deno.removeSync(group);
  }
}, without);

test("a directory that is no group is reported", () => {
  assertFails(recipe(joinCgroup("/nonesuch")), {
    step: "joinCgroup",
    code: "ENOENT",
    says: "/nonesuch is no control group",
  });
});
