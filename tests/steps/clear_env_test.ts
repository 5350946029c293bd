/** `clearEnv`. */

import { assertEquals } from "@std/assert";
import { clearEnv, recipe, setEnv } from "../../mod.ts";
import { assertRefused, test } from "../support.ts";

/** The variables that a program gets. */
function variables(box: ReturnType<typeof recipe>, env: Record<string, string> = {}): string[] {
  const { stdout } = box.command("/usr/bin/env", { env }).outputSync();
  return new TextDecoder().decode(stdout).trim().split("\n").filter((line) => line !== "").sort();
}

test("the program gets only the kept variables of the script", () => {
  Deno.env.set("RAMEKIN_KEPT", "a=b");
  try {
    assertEquals(variables(recipe(clearEnv())), []);
    assertEquals(variables(recipe(clearEnv({ keep: ["RAMEKIN_KEPT", "RAMEKIN_NONE"] }))), [
      "RAMEKIN_KEPT=a=b",
    ]);
  } finally {
    Deno.env.delete("RAMEKIN_KEPT");
  }
});

test("variables that are set before it are cleared, and those after it kept", () => {
  const box = recipe(setEnv({ A: "1" }), clearEnv(), setEnv({ B: "2" }));
  assertEquals(variables(box), ["B=2"]);
  assertEquals(variables(box, { B: "3", C: "4" }), ["B=3", "C=4"]);
});

test("programs are found in the default PATH", () => {
  assertEquals(recipe(clearEnv()).command("true").outputSync().code, 0);
});

test("an invalid name of a variable is refused", () => {
  assertRefused(() => recipe(clearEnv({ keep: ["A=B"] })), { step: "clearEnv", at: 0, says: "=" });
  assertRefused(() => recipe(clearEnv({ keep: [""] })), { step: "clearEnv", says: "empty" });
});
