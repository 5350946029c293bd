import { assert, assertEquals, assertThrows } from "@std/assert";
import { escapeControls, escapeLines } from "../../ffi/control_characters.ts";
import {
  PermissionError,
  RamekinError,
  recipe,
  RecipeError,
  type Step,
  SyscallError,
  tmpfs,
  UnsupportedError,
} from "../../mod.ts";
import "./support.ts";

const place = { step: "tmpfs", stepIndex: 1 };
const position = { file: "box.yaml", line: 7, column: 5 };

Deno.test("the message of every error starts with its place", () => {
  const errors = [
    new RecipeError("wrong", { ...place, position }),
    new UnsupportedError("wrong", { ...place, position }),
    new PermissionError("wrong", "read", { ...place, position }),
    new SyscallError({ syscall: "wrong", errno: 1, ...place, position }),
  ];
  for (const error of errors) {
    assert(error instanceof RamekinError);
    assert(error.message.startsWith("box.yaml:7:5: step 2 (tmpfs): wrong"), error.message);
    assert(error.issue.startsWith("wrong"), error.issue);
    assertEquals([error.step, error.stepIndex, error.position], ["tmpfs", 1, position]);
  }
  assertEquals(errors.map(({ name }) => name), [
    "RecipeError",
    "UnsupportedError",
    "PermissionError",
    "SyscallError",
  ]);
});

Deno.test("a part of a place may be unknown", () => {
  const message = (details: ConstructorParameters<typeof RamekinError>[1]) =>
    new RamekinError("wrong", details).message;
  assertEquals(message({}), "wrong");
  assertEquals(message({ step: "tmpfs" }), "tmpfs: wrong");
  assertEquals(message({ ...place, field: "size" }), 'step 2 (tmpfs), "size": wrong');
  assertEquals(message({ position: { line: 7, column: 5 } }), "line 7, column 5: wrong");
  const cause = new Error("why");
  assertEquals(new UnsupportedError("wrong", { cause }).cause, cause);
  assertEquals("cause" in new UnsupportedError("wrong"), false);
});

Deno.test("what a terminal interprets is escaped, and nothing else", () => {
  for (
    const [text, shown] of [
      ["a\x1b[2Jb", "a\\u001b[2Jb"],
      ["a\x07\x7f\x9b\r\tb", "a\\u0007\\u007f\\u009b\\r\\tb"],
      ["a\u202eb\u2066c\ufeffd\u2028e", "a\\u202eb\\u2066c\\ufeffd\\u2028e"],
      ["a\nb", "a\\nb"],
      ["a\n  and what to do", "a\\n  and what to do"],
      ["a\u061cb\u200fc\u2069d\u0085e\ufffff", "a\\u061cb\\u200fc\\u2069d\\u0085e\\ufffff"],
      ["Müsli \u{1f35c} \\u001b", "Müsli \u{1f35c} \\u001b"],
      ["tag \u{e0041}", "tag \\udb40\\udc41"],
    ] as const
  ) {
    assertEquals(escapeControls(text), shown);
    assertEquals(escapeControls(shown), shown);
  }
});

Deno.test("no message contains a control character of a recipe", () => {
  const evil = "\x1b]0;owned\x07\u202e\n  all is fine";
  const harmless = ({ message }: Error) => {
    assertEquals(message, escapeLines(message));
    assert(!message.includes("\n  all is fine"), message);
  };
  const errors = [
    new RecipeError(evil, { ...place, field: evil, advice: [evil] }),
    new PermissionError(evil, "read", { advice: [evil], position: { ...position, file: evil } }),
    new SyscallError({ syscall: "mount", errno: 1, call: evil, hint: evil }),
    new UnsupportedError(evil, { step: evil }),
  ];
  errors.forEach(harmless);
  // What to do about it is on lines of its own.
  assertEquals(errors.map(({ message }) => message.split("\n").length), [2, 2, 2, 1]);
  harmless(assertThrows(() => recipe({ step: evil } as unknown as Step), RecipeError));
  harmless(assertThrows(() => recipe(tmpfs(evil)), RecipeError));
  harmless(assertThrows(() => recipe().command("true", { [evil]: 1 } as object), TypeError));
  harmless(assertThrows(() => recipe().command(evil).outputSync(), Deno.errors.NotFound));
});
