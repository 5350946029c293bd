/** Recipes as immutable values: their inputs and their errors. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  capabilities,
  dieWithParent,
  hostname,
  limits,
  mapRoot,
  recipe,
  RecipeError,
  type RecipeInput,
  rlimit,
  setUser,
  type Step,
  tmpfs,
  unshare,
  type UserIds,
} from "../../mod.ts";
import { test } from "../support.ts";

const base = recipe(unshare("user", "uts"), mapRoot());

test("a recipe takes steps and other recipes", () => {
  const whole = recipe(base, hostname("a"), recipe(hostname("b")));
  assertEquals(whole.steps.map(({ step }) => step), ["unshare", "mapRoot", "hostname", "hostname"]);
  assertEquals(recipe().steps, []);
});

test("with() returns a new recipe, and does not change the old one", () => {
  const more = base.with(hostname("a"));
  assertEquals([base.steps.length, more.steps.length], [2, 3]);
});

test("a recipe does not change with the objects of its steps", () => {
  const kinds: ("user" | "uts")[] = ["user"];
  const step = { step: "unshare", kinds } as const;
  const made = recipe(step);
  kinds.push("uts");
  assertEquals(made.steps, [{ step: "unshare", kinds: ["user"] }]);
  const frozen = made.steps[0] as unknown as { kinds: string[] };
  assertThrows(() => frozen.kinds.push("uts"), TypeError);
  assertThrows(() => (made.steps as Step[]).push(hostname("a")), TypeError);
});

test("steps of a recipe are not checked again", () => {
  const more = base.with(hostname("a"));
  assert(more.steps[0] === base.steps[0]);
  assert(recipe(...base.steps).steps[1] === base.steps[1]);
});

test("a recipe is the same after JSON", () => {
  const { steps } = JSON.parse(JSON.stringify(base.with(hostname("a")))) as { steps: Step[] };
  assertEquals(recipe(...steps).steps, base.with(hostname("a")).steps);
});

test("a value that is not a step is refused with its position", () => {
  const cases: [unknown, string][] = [
    [null, 'step 3 is not a step: expected an object with a "step" field, got null'],
    [undefined, "got undefined"],
    ["hostname", 'got "hostname"'],
    [[mapRoot()], "got a list; take the steps out of it: recipe(...steps)"],
    [mapRoot, "got the function mapRoot; call it: mapRoot()"],
    [() => mapRoot(), "got a function"],
    [{}, "got {}"],
    [{ step: 5 }, "got { step: 5 }"],
    [{ name: "x".repeat(1e6), kinds: [] }, 'x...", kinds: a list }'],
    [{ steps: [mapRoot()] }, "recipe(...it.steps)"],
    [Object.create(hostname("a")), "got {}"],
    [{ step: "hostnam", name: "a" }, 'did you mean "hostname"?'],
    [{ step: "constructor" }, 'there is no step "constructor"'],
    [{ step: "__proto__" }, 'there is no step "__proto__"'],
    [{ step: "" }, "the steps are"],
    [{ step: "hostname" }, 'step 3 (hostname), "name": is missing: a string'],
    [{ step: "hostname", nmae: "a", name: "a" }, 'did you mean "name"?'],
    [{ step: "mapRoot", uid: 0 }, "there are no fields"],
    [rlimit("RLIMIT_NOFILE" as "nofile", 5), 'did you mean "nofile"?'],
    [unshare("network" as "net"), 'did you mean "net"?'],
    [unshare(["user"] as unknown as "user"), "number 1: should be one of"],
    [setUser("www-data" as unknown as UserIds), "pass an object, not a list or a string"],
    [limits({ memory: 0 }), 'step 3 (limits), "memory": should be a number of bytes from 1 on'],
    [limits({ memory: "0k" }), "from 1 on"],
    [dieWithParent("TERM" as "SIGTERM"), 'did you mean "SIGTERM"?'],
    [capabilities({ keep: ["NET_ADMIN" as "CAP_NET_ADMIN"] }), 'did you mean "CAP_NET_ADMIN"?'],
  ];
  for (const [value, says] of cases) {
    const error = assertThrows(() => recipe(base, value as RecipeInput), RecipeError);
    assertStringIncludes(error.message, says);
    assertEquals(error.stepIndex, 2);
  }
});

test("an error of a recipe has the step and the field as properties", () => {
  const error = assertThrows(() => recipe(base, tmpfs("tmp")), RecipeError);
  assertEquals([error.name, error.step, error.stepIndex, error.field], [
    "RecipeError",
    "tmpfs",
    2,
    "target",
  ]);
  assertEquals(error.message, 'step 3 (tmpfs), "target": "tmp" has to begin with /');
});

test("the order of steps is checked when a recipe is planned or run", () => {
  const made = recipe(tmpfs("/tmp"));
  assertThrows(() => made.plan(), RecipeError, 'unshare("mount")');
  assertThrows(() => made.command("true"), RecipeError, 'unshare("mount")');
});

test("plan() runs nothing, and lists every call", () => {
  const plan = base.with(hostname("soup")).plan();
  const text = plan.toString();
  for (
    const part of ["1 unshare", "2 mapRoot", "3 hostname", 'sethostname("soup", 4)', "execve("]
  ) {
    assertStringIncludes(text, part);
  }
  assertEquals(JSON.parse(JSON.stringify(plan)), plan.entries);
  assert(Deno.hostname() !== "soup");
});
