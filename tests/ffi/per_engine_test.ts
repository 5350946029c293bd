import { assertEquals, assertThrows } from "@std/assert";
import { engine } from "../../ffi/engine/engine.ts";
import { perEngine } from "../../ffi/engine/per_engine.ts";
import "./support.ts";

Deno.test("a value is made at the first call, and once", () => {
  let made = 0;
  const value = perEngine((loaded) => {
    made++;
    return loaded;
  });
  assertEquals(made, 0);
  assertEquals([value() === engine(), value() === engine(), made], [true, true, 1]);
});

Deno.test("`undefined` is a value too", () => {
  let made = 0;
  const nothing = perEngine(() => void made++);
  assertEquals([nothing(), nothing(), made], [undefined, undefined, 1]);
});

Deno.test("a value whose making failed is made again", () => {
  let made = 0;
  const value = perEngine(() => {
    if (made++ === 0) throw new TypeError("not yet");
    return made;
  });
  assertThrows(value, TypeError, "not yet");
  assertEquals([value(), value()], [2, 2]);
});
