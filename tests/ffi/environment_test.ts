/** The environment of this process as libc has it, which is read again where it has changed. */

import { assertEquals } from "@std/assert";
import { environmentStrings, environmentVariable, stringAt } from "../../ffi/environment.ts";
import { test } from "../support.ts";

const NAME = "RAMEKIN_TEST_ENVIRONMENT";

/** What libc has, by the strings of it. */
function variables(): Record<string, string> {
  return Object.fromEntries(
    environmentStrings().map((address) => {
      const [name, ...rest] = stringAt(address).split("=");
      return [name, rest.join("=")];
    }),
  );
}

test("variables that are set, changed and removed are seen at once", () => {
  try {
    // More of them than a list has room for that is moved once.
    for (let index = 0; index < 40; index++) {
      Deno.env.set(`${NAME}_${index}`, `${index}`);
      assertEquals(variables(), Deno.env.toObject());
    }
    for (const value of ["one", "two", "one", "a=b", "", "a longer one than all before"]) {
      Deno.env.set(NAME, value);
      assertEquals(environmentVariable(NAME), value);
      assertEquals(variables(), Deno.env.toObject());
    }
    // Names that begin alike are others.
    assertEquals(environmentVariable(NAME.slice(0, -1)), undefined);
    for (let index = 0; index < 40; index += 3) Deno.env.delete(`${NAME}_${index}`);
    Deno.env.delete(NAME);
    assertEquals(environmentVariable(NAME), undefined);
    assertEquals(variables(), Deno.env.toObject());
  } finally {
    for (let index = 0; index < 40; index++) Deno.env.delete(`${NAME}_${index}`);
    Deno.env.delete(NAME);
  }
});
